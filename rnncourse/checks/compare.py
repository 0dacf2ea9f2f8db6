"""Two results side by side, and what to say where they differ."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .._axes import Axes, as_shape

RTOL, ATOL = 1e-4, 1e-5
"""Float32 results that differ by less are equal: honest formulas differ in the last digits."""

ATOL_FLOAT64 = 1e-9
"""Too close for a computation that went through float32 on the way."""

WORDS = {"T": "step", "N": "sequence", "H": "unit", "I": "feature", "H+I": "column"} | {
    **{"V": "word", "D": "dimension", "L": "layer", "K": "negative", "P": "place", "C": "chunk"},
    **dict.fromkeys(("H_1", "H_2", "H_top"), "unit"),
    **{f"{gates}H": "row" for gates in (3, 4)},
}


OVERFLOW = "which comes of exp of large numbers, log of 0 or a division by 0."
"""What is said of a number that is none."""


def close(expected: Tensor, got: Tensor, atol: float = 0.0, share: float = 1.0) -> bool:
    """Whether two results are equal up to rounding, which whole numbers have none of. Different
    shapes and NaN are not equal.

    Args:
        atol: how far they may be apart besides.
        share: of the tolerance for rounding; less than 1 asks for more digits.
    """
    if expected.shape != got.shape:
        return False
    double = expected.dtype == torch.float64
    atol = max(atol, share * (ATOL_FLOAT64 if double else ATOL))
    rtol = share * (ATOL_FLOAT64 if double else _rtol(expected))
    if not (expected.dtype == got.dtype and expected.is_floating_point()):
        expected, got = expected.double(), got.double()
    return torch.allclose(expected, got, rtol=rtol, atol=atol)


def all_close(expected: Sequence[Tensor], got: Sequence[Tensor], atol: float = 0.0) -> bool:
    """Whether several results of one dtype are all equal up to rounding: one comparison for all is
    several times as fast as one for each. False may also mean that they cannot be put together."""
    if [(e.shape, e.dtype) for e in expected] != [(g.shape, g.dtype) for g in got]:
        return False
    if len({e.dtype for e in expected}) != 1:
        return False
    right, own = (torch.cat([t.flatten() for t in several]) for several in (expected, got))
    return close(right, own, atol)


def shape_difference(
    name: str, axes: Axes, expected: Tensor, got: Tensor, reveal: bool = True
) -> str:
    """A sentence on a wrong shape, with the axes named; "" when the shape is right.

    Args:
        reveal: whether the sentence may contain the shapes.
    """
    if expected.shape == got.shape:
        return ""
    known = axes and len(axes) == expected.ndim
    if reveal:
        wanted = _shape(expected) + (f" = {as_shape(axes)}" if known else "")
        sentence = f"{name} has shape {_shape(got)}; it must be {wanted}"
    else:
        wanted = f"; it must be {as_shape(axes)}" if known else ""
        if got.ndim != expected.ndim:
            return f"{name} has a wrong number of axes{wanted}."
        sentence = f"{name} has a wrong shape{wanted}"
    if got.ndim != expected.ndim:
        count = "1 axis" if got.ndim == 1 else f"{got.ndim} axes"
        return f"{sentence}: {count} instead of {expected.ndim}."
    if sorted(got.shape) == sorted(expected.shape):
        return f"{sentence}: the axes are in another order."
    return f"{sentence}."


def value_difference(
    name: str,
    axes: Axes,
    expected: Tensor,
    got: Tensor,
    reveal: bool,
    atol: float = 0.0,
    words: Sequence[str] = (),
) -> str:
    """A sentence on wrong numbers, with the first place that differs; "" when they are equal.

    Args:
        reveal: whether the sentence may contain numbers, the function's and the right ones.
        atol: how far they may be apart besides rounding.
        words: what the numbers stand for, if they stand for something.
    """
    if close(expected, got, atol):
        return ""
    if expected.shape != got.shape:
        return shape_difference(name, axes, expected, got, reveal)
    if not reveal:
        return f"{name} is wrong."
    rtol, atol = _rtol(expected), max(atol, ATOL)
    wrong = ~torch.isclose(expected.double(), got.double(), rtol=rtol, atol=atol)
    if not wrong.any():
        return f"{name} is off by {_largest(expected, got):.1e}: more than float64 rounding."
    index = [int(i) for i in wrong.nonzero()[0]]
    own, right = float(got[tuple(index)]), float(expected[tuple(index)])
    place = _place(index, axes)
    where = f"{name} at {place}" if place and " " in name else f"{name}{place}"
    if math.isnan(own):
        return f"{where} is not a number (NaN), {OVERFLOW}"
    own_text, right_text = _told_apart(own, right, whole=not got.is_floating_point())
    if words:
        own_text, right_text = (
            words[int(n)] if 0 <= n < len(words) else "another" for n in (own, right)
        )
    told = f"yours is {own_text}, it should be {right_text}"
    told += f", {OVERFLOW}" if math.isinf(own) and math.isfinite(right) else "."
    if not index:
        return f"{name} differs: {told}"
    share = f"{int(wrong.sum())} of {wrong.numel()} numbers differ; the first is"
    return f"{share} {where}: {told}"


def gradient_difference(name: str, axes: Axes, expected: Tensor, got: Tensor, reveal: bool) -> str:
    """A sentence on a wrong gradient by one input; "" when it is right."""
    if close(expected, got):
        return ""
    if not got.any():
        return (
            f"no gradient reaches {name}: it is not used where it should be, or cut off "
            "(by detach, .data, .item(), numpy or no_grad)."
        )
    return value_difference(f"gradient of {name}", axes, expected, got, reveal)


def _rtol(expected: Tensor) -> float:
    return RTOL if expected.is_floating_point() else 0.0


def _told_apart(own: float, right: float, whole: bool) -> tuple[str, str]:
    """Both numbers with as many digits as it takes to see that they differ."""
    for digits in (0,) if whole else (4, 6, 8):
        texts = f"{own:.{digits}f}", f"{right:.{digits}f}"
        if texts[0] != texts[1]:
            break
    return texts


def _largest(expected: Tensor, got: Tensor) -> float:
    return float((expected.double() - got.double()).abs().max())


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))


def _place(index: list[int], axes: Axes) -> str:
    """An index in brackets with its axes in words: "[0, 2] (sequence 0, unit 2)"."""
    if not index:
        return ""
    if len(index) != len(axes):
        return str(index)
    words = ", ".join(
        f"{WORDS.get(axis, 'place')} {i}" for i, axis in zip(index, axes, strict=True)
    )
    return f"{index} ({words})"
