"""From what a function returned to named tensors, or a sentence on why that cannot be."""

from __future__ import annotations

import numbers
import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from .._axes import Structure
from .._exercise import describe

Arrays = dict[str, Tensor]
Convert = Callable[[str, Any], Tensor]
"""Makes a tensor of a result that is none, given its name.

Raises:
    WrongResultError: it is not what the exercise asks for.
"""

MOST = 100_000
"""Elements of a result that is a list."""


class WrongResultError(Exception):
    """What was returned is not what the exercise asks for, in kind or number."""


def named(result: object, structure: Structure, converts: Mapping[str, Convert]) -> Arrays:
    """The parts of `result` under the names of `structure`, detached from nothing.

    Args:
        converts: for results that are no tensors.

    Raises:
        WrongResultError: `result` is something else, with a sentence that says what.
    """
    if isinstance(structure, str):
        return {structure: converts.get(structure, as_tensor)(structure, result)}
    wanted = written(structure)
    if result is None:
        raise WrongResultError(
            f"it must return {wanted}; yours returns None: is the return missing?"
        )
    if not isinstance(result, tuple | list):
        raise WrongResultError(f"it must return {wanted}; yours returns {describe(result)}.")
    if len(result) != len(structure):
        raise WrongResultError(
            f"it must return {wanted}, {len(structure)} values; yours returns {len(result)}."
        )
    found: Arrays = {}
    for part, name in zip(result, structure, strict=True):
        found |= named(part, name, converts)
    return found


def leaves(structure: Structure) -> list[str]:
    """The names in a structure, in order."""
    if isinstance(structure, str):
        return [structure]
    return [name for part in structure for name in leaves(part)]


def written(structure: Structure) -> str:
    """A structure as one writes it in Python: "output, (h_n, c_n)"."""
    if isinstance(structure, str):
        return structure
    parts = [p if isinstance(p, str) else f"({written(p)})" for p in structure]
    return ", ".join(parts)


def as_tensor(name: str, value: object) -> Tensor:
    """A result that has to be a tensor.

    Raises:
        WrongResultError: it is something else.
    """
    if not isinstance(value, Tensor):
        raise _wrong(name, "a tensor", value)
    return value


def a_number(name: str, value: object) -> Tensor:
    """A Python or numpy number."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        hint = " Use .item()." if isinstance(value, Tensor) and value.numel() == 1 else ""
        raise WrongResultError(f"{_wrong(name, 'a number (float)', value)}{hint}")
    return torch.tensor(float(value))


def as_int(name: str, value: Any) -> Tensor:
    """An int, or what stands for one: a numpy integer, an integer tensor with one element."""
    return torch.tensor(_index(name, value, "a whole number (int)"))


def whole_numbers(name: str, value: object) -> Tensor:
    """A list or tuple of them."""
    found = [_index(name, part, "a list of whole numbers (int)") for part in _list(name, value)]
    return torch.tensor(found, dtype=torch.int64)


def some_numbers(name: str, value: object) -> Tensor:
    """A list or tuple of Python or numpy numbers."""
    return torch.tensor([float(a_number(f"each of {name}", v)) for v in _list(name, value)])


def pairs(name: str, value: object) -> Tensor:
    """A list of pairs of whole numbers, (P, 2)."""
    found = [whole_numbers(f"each of {name}", part) for part in _list(name, value)]
    if any(len(pair) != 2 for pair in found):
        raise WrongResultError(f"each of {name} must be a pair of whole numbers.")
    return torch.stack(found) if found else torch.zeros(0, 2, dtype=torch.int64)


def _index(name: str, value: Any, wanted: str) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        found = operator.index(value)
    except (TypeError, ValueError):
        raise _wrong(name, wanted, value) from None
    if abs(found) >= 1 << 62:
        raise WrongResultError(f"{name} is far too large: {describe(value)} of more than 62 bits.")
    return found


def _list(name: str, value: object) -> list[Any]:
    if not isinstance(value, tuple | list):
        raise _wrong(name, "a list", value)
    if len(value) > MOST:
        raise WrongResultError(f"{name} has {len(value)} elements, far too many.")
    return [*value]


def _wrong(name: str, wanted: str, value: object) -> WrongResultError:
    missing = ": is the return missing?" if value is None else "."
    return WrongResultError(f"{name} must be {wanted}; yours is {describe(value)}{missing}")
