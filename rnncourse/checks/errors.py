"""What to do about an error that torch raised: a sentence for errors that beginners meet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .._axes import Axes, as_shape
from .results import Arrays

_MATRICES = re.compile(
    r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)"
    r"|size mismatch, got input \(\d+\), mat"
)
_LENGTHS = re.compile(r"size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)")

_KNOWN: tuple[tuple[str, str], ...] = (
    (
        r"same dtype|expected scalar type|Found dtype",
        "Tensors of two dtypes meet: make new ones with x.new_zeros or torch.zeros_like, which "
        "take the dtype of the inputs.",
    ),
    (
        r"leaf Variable that requires grad.*in-place|view of a leaf Variable",
        "An input is written to: c *= f and c[0] = ... change the caller's tensor; c = c * f makes "
        "a new one.",
    ),
    (
        r"needed for gradient computation has been modified by an inplace",
        "A tensor was written to after it had been used: c *= f and c[0] = ... do that; c = c * f "
        "makes a new one.",
    ),
    (
        r"backward through the graph a second time",
        "The way back was walked twice through one graph: retain_graph=True keeps it, and detach() "
        "ends it where it should end.",
    ),
    (
        r"probability tensor contains either",
        "Probabilities are infinite or no numbers: exp of a large score overflows, so take the "
        "largest score away first, as softmax does.",
    ),
    (
        r"Boolean value of Tensor with more than one value is ambiguous",
        "An if asks one question, and a tensor has many answers: torch.where chooses place by "
        "place.",
    ),
    (
        r"stack expects a non-empty",
        "The list is empty: is append inside the loop, and does the loop run at all?",
    ),
    (
        r"expected Tensor as element \d+ in argument 0",
        "torch.stack and torch.cat take a list of tensors: is something else in the list, such as "
        "a pair?",
    ),
    (
        r"(?i)only one element tensors can be converted|elements cannot be converted to Scalar",
        "A tensor with many numbers is no single number: .item() and float() need one element.",
    ),
    (
        r"index out of range in self|index \d+ is out of bounds",
        "An index is larger than the axis is long: the last one is the length minus 1.",
    ),
    (
        r"too many values to unpack|not enough values to unpack",
        "Something has another number of parts than there are names for: print its shape or its "
        "length.",
    ),
)
"""Patterns in messages, and what to do."""


def explain(message: str, inputs: Arrays, axes: Mapping[str, Axes]) -> str:
    """A sentence on what to do about an error; "" where none is known.

    Args:
        message: the error's own.
        inputs, axes: of the call, by name.
    """
    if found := _MATRICES.search(message):
        return _of_matrices([int(n) for n in found.groups() if n], inputs, axes)
    if found := _LENGTHS.search(message):
        return _of_lengths(int(found[1]), int(found[2]), inputs, axes)
    return next((said for pattern, said in _KNOWN if re.search(pattern, message)), "")


def legend(message: str, inputs: Arrays, axes: Mapping[str, Axes]) -> str:
    """What the letters of the shapes stand for in a call, where an error is one of shapes."""
    told = ", ".join(f"{axis} = {length}" for axis, length in _lengths(inputs, axes).items())
    is_of_shapes = _MATRICES.search(message) or _LENGTHS.search(message)
    return f" Here {told}." if told and is_of_shapes else ""


def _of_matrices(sizes: list[int], inputs: Arrays, axes: Mapping[str, Axes]) -> str:
    """Two matrices whose inner lengths differ: which inputs they are, and whether a transposed one
    would fit."""
    if len(sizes) != 4:  # a matrix times a vector
        return ""
    rows, inner, other, columns = sizes
    for left in _called(rows, inner, inputs, axes):
        for right in _called(other, columns, inputs, axes):
            if inner == columns and left != right:
                return _transposed(left, right, axes)
    return ""


def _transposed(left: str, right: str, axes: Mapping[str, Axes]) -> str:
    shapes = f"{left} is {as_shape(axes[left])} and {right} is {as_shape(axes[right])}"
    if axes[right][0] == "N" != axes[left][0]:
        return (
            f"{shapes}. The formula W x is for one vector; {right} holds a batch of N, one in each "
            f"row, so here it is {right} @ {left}.T."
        )
    return f"{shapes}: it takes a .T, as in {left} @ {right}.T."


def _called(rows: int, columns: int, inputs: Arrays, axes: Mapping[str, Axes]) -> Iterator[str]:
    """The inputs of this shape whose axes are known."""
    for name, value in inputs.items():
        if tuple(value.shape) == (rows, columns) and len(axes.get(name, ())) == 2:
            yield name


def _of_lengths(first: int, second: int, inputs: Arrays, axes: Mapping[str, Axes]) -> str:
    lengths = _lengths(inputs, axes)
    named = [next((a for a, n in lengths.items() if n == size), "") for size in (first, second)]
    if not all(named):
        return ""
    return f"An axis of length {first} = {named[0]} meets one of length {second} = {named[1]}."


def _lengths(inputs: Arrays, axes: Mapping[str, Axes]) -> dict[str, int]:
    """How long each axis is, letters before sums and products of them."""
    found = {
        axis: length
        for name, value in inputs.items()
        if len(axes.get(name, ())) == value.ndim
        for axis, length in zip(axes.get(name, ()), value.shape, strict=True)
    }
    return dict(sorted(found.items(), key=lambda item: len(item[0])))
