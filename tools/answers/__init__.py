"""Known wrong answers, each with a name, and right ones in other styles.

The wrong ones are edits of the solution, in <chapter>.toml:

    [lstm_cell.no_tanh_on_the_cell_state]
    says = "h' is o * c': the tanh around the new cell state is missing."
    edit = [["torch.tanh(c_next)", "c_next"]]

Each text on the left stands once in the solution's cell. Where a function is shorter, it stands in
<chapter>.py, as the right answers do. The public check recognises wrong answers by the numbers they
give (see `tools.fingerprints`); tests run them through hidden grading. Never in the wheel, never in
exercises/.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rnncourse._exercise import Function, find
from rnncourse.checks.naming import Mistake
from rnncourse.grading.solutions import Solutions

FOLDER = Path(__file__).parent
SOLUTIONS = FOLDER.parents[1] / "solutions"


class EditError(ValueError):
    """An edit does not apply to the solution. The message names the mistake."""


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
    """The known mistakes of a chapter, or of one exercise: edits, then functions."""
    functions = [k for k in _known if _of(k.function, chapter)] if _loaded(chapter) else []
    return [k for k in (*_edits(chapter), *functions) if exercise in (None, k.exercise)]


def right(chapter: str, exercise: str | None = None) -> list[Right]:
    """The right answers in other styles of a chapter, or of one exercise."""
    styles = [r for r in _right if _of(r.function, chapter)] if _loaded(chapter) else []
    return [r for r in styles if exercise in (None, r.exercise)]


@functools.cache
def solutions(chapter: str) -> Solutions:
    """The instructor's answers of a chapter."""
    return Solutions.read(SOLUTIONS / chapter / f"{chapter}.ipynb")


@functools.cache
def solution(exercise: str) -> Function:
    """The instructor's answer to an exercise."""
    return solutions(find(exercise).chapter).function(exercise)


def mistaken(exercise: str, id: str) -> str:
    """The cell of whoever makes a known mistake."""
    entries = known(find(exercise).chapter, exercise)
    return next(inspect.getsource(k.function) for k in entries if k.mistake.id == id)


def edited(source: str, edits: Sequence[Sequence[str]], title: str) -> str:
    """A source with each text on the left of `edits` replaced by the one on the right, in order.

    Raises:
        EditError: a text is not there, or there more than once.
    """
    for old, new in edits:
        if (times := source.count(old)) != 1:
            raise EditError(f"{title}: {old!r} stands {times} times in the solution, not once.")
        source = source.replace(old, new)
    return source


@functools.cache
def _edits(chapter: str) -> tuple[Known, ...]:
    path = FOLDER / f"{chapter}.toml"
    return tuple(_read(chapter, path)) if path.exists() else ()


def _read(chapter: str, path: Path) -> Iterator[Known]:
    answers = solutions(chapter)
    for exercise, mistakes in tomllib.loads(path.read_text(encoding="utf-8")).items():
        for id, entry in mistakes.items():
            title = f"{exercise}, {id}"
            source = edited(answers.sources[exercise], entry["edit"], title)
            function = answers.function(exercise, source, title)
            yield Known(exercise, Mistake(id, entry["says"]), function)


def _loaded(chapter: str) -> bool:
    if importlib.util.find_spec(f"{__name__}.{chapter}") is None:
        return False
    importlib.import_module(f"{__name__}.{chapter}")
    return True


def _of(function: Function, chapter: str) -> bool:
    return function.__module__ == f"{__name__}.{chapter}"
