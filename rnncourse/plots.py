"""What the figures of all lessons share: one style that reads on light and on dark pages.

Everything else about a figure stands in the lesson that draws it.
"""

from __future__ import annotations

import json

import matplotlib as mpl
from cycler import cycler

GREY = "#7c7c7c"
"""Text and axes: contrast above 4 to 1 on white and on the site's dark background."""

COLOURS = ("#1f7fc0", "#d55e00", "#00926a", "#b8609a", "#7c7c7c")
"""Lines, told apart by colour-blind readers too: at least 3.8 to 1 on both backgrounds."""

LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
"""Line styles in the same order, so that no meaning rests on colour alone."""


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

    Example:
        >>> loss = 1.38629
        >>> glue("loss", f"{loss:.2f}")  # {glue:text}`loss` in the page becomes 1.39
    """
    try:
        from myst_nb import glue as figure_data
    except ImportError:
        return
    figure_data(name, value, display=False)


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


def _svg_in_notebooks() -> None:
    from IPython import get_ipython
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    if get_ipython() is not None:
        set_matplotlib_formats("svg")  # type: ignore[no-untyped-call]
