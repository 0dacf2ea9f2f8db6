"""What all lessons share: a style of figures for light and dark pages, and how values are written.

Everything else about a figure stands in the lesson that draws it.
"""

from __future__ import annotations

import json
import math
from numbers import Integral

import matplotlib as mpl
from cycler import cycler

GREY = "#7c7c7c"
"""Text and axes: contrast above 4 to 1 on white and on the site's dark background."""

COLOURS = ("#1f7fc0", "#d55e00", "#00926a", "#b8609a", "#7c7c7c")
"""Lines, told apart by colour-blind readers too: at least 3.8 to 1 on both backgrounds."""

LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
"""Line styles in the same order, so that no meaning rests on colour alone."""

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"
TIMES = f"{SPACE}×{SPACE}"


def course_style() -> None:
    """Set matplotlib for a lesson: transparent, mid-grey text, colours joined with line styles.

    In a notebook figures become SVG, so they stay sharp on a telephone. Call it once, at the top.

    Example:
        >>> import matplotlib
        >>> course_style()
        >>> matplotlib.rcParams["axes.facecolor"], matplotlib.rcParams["text.color"]
        ('none', '#7c7c7c')
    """
    mpl.rcParams.update(
        {
            "figure.figsize": (5.6, 3.2),
            "figure.facecolor": "none",
            "figure.constrained_layout.use": True,
            "axes.facecolor": "none",
            "savefig.facecolor": "none",
            "axes.prop_cycle": cycler(color=COLOURS) + cycler(linestyle=LINES),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": GREY,
            "axes.labelcolor": GREY,
            "axes.titlecolor": GREY,
            "axes.titlesize": "medium",
            "text.color": GREY,
            "xtick.color": GREY,
            "ytick.color": GREY,
            "grid.color": GREY,
            "grid.alpha": 0.3,
            "axes.grid": True,
            "font.size": 12.0,
            "legend.frameon": False,
            "lines.linewidth": 2.0,
            # The same figure gives the same bytes, so a rebuilt page differs only where it should.
            "svg.hashsalt": "rnncourse",
        }
    )
    _svg_in_notebooks()


def glue(name: str, value: float | str) -> None:
    """Hand a value to the sentences that quote it as {glue:text}`name`.

    Does nothing where the book's tools are missing, so that a lesson also runs in Colab.
    What may be large, very small or negative is written by `number`, and a share by `percent`.

    Example:
        >>> loss = 1.38629
        >>> glue("loss", f"{loss:.2f}")  # {glue:text}`loss` in the page becomes 1.39
    """
    try:
        from myst_nb import glue as figure_data
    except ImportError:
        return
    figure_data(name, value, display=False)


def number(value: float, digits: int = 2) -> str:
    r"""A number as people write it: 3 × 10⁻⁴ for 0.0003, 2,238,930 for 2238930.

    A whole number (int) keeps all its digits, with a comma between thousands. Any other is rounded
    to so many significant digits, without zeros at its end; below 0.001 and from 1,000,000 on it
    is written with a power of ten. A minus is a true one, and spaces do not break.
    In moving figures interactiveFigures.number writes the same.

    Args:
        value: an int, a float, or a tensor or array of one number.
        digits: how many digits count, 1 or more.

    Raises:
        ValueError: the value is infinite or not a number, or there are no digits.

    Example:
        >>> number(0.0003), number(1e-7)
        ('3\xa0×\xa010⁻⁴', '10⁻⁷')
        >>> number(2238930), number(2238930.0), number(21499.0), number(0.12345, digits=3)
        ('2,238,930', '2.2\xa0×\xa010⁶', '21,000', '0.123')
        >>> number(-43.2), number(-0.0)
        ('−43', '0')
    """
    if digits < 1:
        raise ValueError(f"A number has at least one digit, not {digits}.")
    if isinstance(value, Integral):
        return f"{int(value):,}".replace("-", MINUS)
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number that can be written in a sentence.")
    mantissa, _, exponent = f"{float(value):.{digits - 1}e}".partition("e")
    power = int(exponent)
    if -3 <= power < 6:
        rounded = float(f"{mantissa}e{exponent}") or 0.0  # no -0
        text = _without_zeros(f"{rounded:,.{max(0, digits - 1 - power)}f}")
    else:
        factor = _without_zeros(mantissa)
        ten = f"10{str(power).translate(SUPERSCRIPTS)}"
        text = factor.replace("1", ten) if abs(float(factor)) == 1 else TIMES.join([factor, ten])
    return text.replace("-", MINUS)


def percent(share: float, digits: int = 2) -> str:
    r"""A share of 1 in percent, written as by `number`; the space before the sign does not break.

    Raises:
        ValueError: as for `number`.

    Example:
        >>> percent(0.97), percent(0.0042), percent(1)
        ('97\xa0%', '0.42\xa0%', '100\xa0%')
    """
    return f"{number(100 * share, digits)}{SPACE}%"


def figure_data(figure: str, data: object) -> None:
    """Hand measured values to an interactive figure of this page, which reads them by `box.data()`.

    Args:
        figure: the figure's name.
        data: what JSON can hold: numbers, strings, lists and dicts; no tensors, no NaN.

    Raises:
        TypeError: a part of the data is something else, such as a tensor.
        ValueError: a number is not finite.

    Example:
        >>> figure_data("forget", {"c": [2.0, 1.0, 0.5]})  # in a notebook it cannot be seen
        <IPython.core.display.HTML object>
        >>> figure_data("forget", {"c": float("nan")})
        Traceback (most recent call last):
        ValueError: Out of range float values are not JSON compliant...
    """
    from IPython.display import HTML, display

    text = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    script = f'<script type="application/json" class="interactive-data" data-figure="{figure}">'
    display(HTML(f"{script}{text}</script>"))


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _svg_in_notebooks() -> None:
    from IPython import get_ipython
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    if get_ipython() is not None:
        set_matplotlib_formats("svg")  # type: ignore[no-untyped-call]
