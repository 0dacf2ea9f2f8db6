"""Known wrong implementations, each with a name, and right ones in other styles.

The public check recognises the wrong ones by the numbers they give (see `tools.fingerprints`);
hidden grading runs them on its secret inputs. Never in the wheel, never in exercises/.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rnncourse.checks.judge import Mistake

Function = Callable[..., Any]


@dataclass(frozen=True)
class Known:
    """A wrong implementation of an exercise, and what it is called."""

    exercise: str
    mistake: Mistake
    function: Function


@dataclass(frozen=True)
class Right:
    """A right implementation in a style of its own."""

    exercise: str
    style: str
    function: Function


_known: list[Known] = []
_right: list[Right] = []


def mistake(exercise: str, id: str, sentence: str) -> Callable[[Function], Function]:
    """Register the decorated function as a known mistake in `exercise`."""

    def register(function: Function) -> Function:
        _known.append(Known(exercise, Mistake(id, sentence), function))
        return function

    return register


def honest(exercise: str) -> Callable[[Function], Function]:
    """Register the decorated function as a right answer to `exercise`."""

    def register(function: Function) -> Function:
        _right.append(Right(exercise, function.__name__, function))
        return function

    return register


def known(chapter: str, exercise: str | None = None) -> list[Known]:
    """The known mistakes of a chapter, or of one exercise."""
    importlib.import_module(f"{__name__}.{chapter}")
    return [k for k in _known if exercise in (None, k.exercise) and _of(k.function, chapter)]


def right(chapter: str, exercise: str | None = None) -> list[Right]:
    """The right answers in other styles of a chapter, or of one exercise."""
    importlib.import_module(f"{__name__}.{chapter}")
    return [r for r in _right if exercise in (None, r.exercise) and _of(r.function, chapter)]


def _of(function: Function, chapter: str) -> bool:
    return function.__module__ == f"{__name__}.{chapter}"
