"""The axes of a stub's arguments and results, as its annotations say them.

    def flatten(x: Annotated[Tensor, "T N H"]) -> Annotated[Tensor, "N T·H", "rows"]: ...

An axis is a letter, or a sum or product of letters and numbers ("4H", "H+I", "T·H"). A result has
its name after its axes. Shapes in docstrings, in checks and in what checks say come from here.
"""

from __future__ import annotations

import functools
import inspect
import re
import textwrap
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Axes = tuple[str, ...]
Structure = str | tuple["Structure", ...]
"""The names of results, nested as a function nests them: ("output", ("h_n", "c_n"))."""

WIDTH = 96
"""Columns of a docstring, without the indentation of its own function."""


@dataclass(frozen=True)
class Declaration:
    """What a stub's annotations say.

    Attributes:
        arguments, results: the axes of those that have some, by name.
        types: the Python type of each argument, and of each result that has a name.
        structure: the names of the results; () where they have none.
    """

    arguments: Mapping[str, Axes]
    results: Mapping[str, Axes]
    types: Mapping[str, Any]
    structure: Structure


@functools.cache
def declaration(function: Callable[..., Any]) -> Declaration:
    """What a function's annotations say."""
    hints = typing.get_type_hints(function, include_extras=True)
    returned = hints.pop("return", None)
    named = dict(_named(returned))
    return Declaration(
        {name: found for name, hint in hints.items() if (found := axes_of(hint)) is not None},
        {name: axes_of(hint) or () for name, hint in named.items()},
        {
            name: getattr(hint, "__origin__", hint)
            for name, hint in (*hints.items(), *named.items())
        },
        _structure(returned),
    )


def axes_of(hint: object) -> Axes | None:
    """The axes that an annotation names; None where it names none.

    >>> from typing import Annotated
    >>> axes_of(Annotated[list, "N H+I"])
    ('N', 'H+I')
    """
    metadata = _metadata(hint)
    return tuple(metadata[0].split()) if metadata else None


def as_shape(axes: Axes) -> str:
    """Axes as a shape is written.

    >>> as_shape(("4H",))
    '(4H,)'
    """
    return f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"


def with_shapes(function: Callable[..., Any]) -> str | None:
    """A function's docstring, with the shape of each argument and result behind its name.

    A line "x, h: what they are." becomes "x (N, I), h (N, H): what they are."; lines that go on are
    indented by eight. The docstring is not indented itself: Python 3.13 takes the blanks away.
    What stands behind the results, such as an example, stays as it is.
    """
    if function.__doc__ is None:
        return None
    text = inspect.cleandoc(function.__doc__)
    declared = declaration(function)
    before, arguments, rest = text.partition("\nArgs:\n")
    middle, returns, after = rest.partition("\nReturns:\n")
    results, gap, others = after.partition("\n\n")
    return (
        before
        + arguments
        + _shaped(middle, declared.arguments)
        + returns
        + _shaped(results, declared.results)
        + gap
        + others
    )


def _shaped(section: str, axes: Mapping[str, Axes]) -> str:
    """A docstring's section with shapes where an entry's names have some."""
    if not axes:
        return section
    entry = re.compile(r"^ {4}(\S[^:\n]*): ((?:.|\n(?= {5}))*)", re.MULTILINE)

    def shaped(found: re.Match[str]) -> str:
        text = f"{_names_and_shapes(found[1], axes)}: {' '.join(found[2].split())}"
        return textwrap.fill(
            text, WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8, break_long_words=False
        )

    return entry.sub(shaped, section)


def _names_and_shapes(written: str, axes: Mapping[str, Axes]) -> str:
    """Names as they stand in a docstring, such as "output, (h_n, c_n)", each with its shape; and
    one shape for all where it is the same."""
    parts = re.split(r"([(),]\s*)", written)
    known = {axes.get(part, ()) for part in parts if re.search(r"\w", part)}
    if len(known) == 1 and len(parts) > 1 and () not in known:
        return f"{written}, each {as_shape(known.pop())}"
    return "".join(f"{part} {as_shape(axes[part])}" if axes.get(part) else part for part in parts)


def _named(hint: object) -> Iterator[tuple[str, object]]:
    """The parts of a result that have a name."""
    metadata = _metadata(hint)
    if len(metadata) > 1:
        yield metadata[1], hint
    elif not metadata:
        for part in typing.get_args(hint):
            yield from _named(part)


def _structure(hint: object) -> Structure:
    metadata = _metadata(hint)
    if len(metadata) > 1:
        return str(metadata[1])
    if typing.get_origin(hint) is tuple and any(True for _ in _named(hint)):
        return tuple(_structure(part) for part in typing.get_args(hint))
    return ()


def _metadata(hint: object) -> tuple[str, ...]:
    """What an annotation says besides the type: the axes, and a result's name."""
    return getattr(hint, "__metadata__", ())
