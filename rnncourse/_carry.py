"""Exercises of earlier notebooks, filled in for a later one."""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ._exercise import Exercise, Function, find
from ._limits import CELL_SECONDS, EXERCISE_SECONDS, TimeLimit, TimeUpError
from ._notebook import UnreadableError, own_cells, read_notebook
from .checks import examine_within
from .checks.plan import plan_of


def carry_over(*names: str) -> None:
    """Fill exercises of earlier notebooks with the learner's functions or torch's; say which.

    The learner's own function is taken if the notebook that holds it lies beside this one and the
    function passes its public checks; else torch's. Of a notebook only imports, functions and
    classes are run.

    Args:
        names: such as "lstm_layer".

    Raises:
        FillError: there is no exercise of a name.

    Example:
        >>> carry_over("gru_layer")
        gru_layer: torch's, as there is no notebook of yours beside this one.
    """
    for entry in [find(name) for name in names]:
        print(f"{entry.name}: {_carried(entry)}")


def _carried(entry: Exercise) -> str:
    """Fill one exercise; in words, with what."""
    if entry.filled:
        return "yours, from this notebook."
    path = _notebook(entry.chapter)
    reason = "there is no notebook of yours beside this one"
    if path:
        reason = f"yours in {path.name} is not filled in or cannot be read"
        if function := _functions(path).get(entry.name):
            entry.filled = function
            report = examine_within(EXERCISE_SECONDS, entry)
            if report.complete:
                return f"yours, from {path.name}."
            entry.filled = None
            fault = "does not end" if report.stopped else "does not pass its checks yet"
            reason = f"yours in {path.name} {fault}"
    oracle = plan_of(entry.name).oracle
    if oracle is None:
        return f"not filled in: {reason}, and torch has none. Do {entry.chapter}.ipynb first."
    entry.filled = _with_parameters_of(entry, oracle)
    return f"torch's, as {reason}."


def _notebook(chapter: str) -> Path | None:
    """A chapter's notebook beside the one that runs: in the same folder, or as a workspace has
    them."""
    name = f"{chapter}.ipynb"
    places = (Path(name), Path("..", chapter, name), Path(chapter, name))
    return next((place for place in places if place.is_file()), None)


def _functions(path: Path) -> dict[str, Function]:
    """The functions that a notebook defines, by name, without anything being filled."""
    space: dict[str, Any] = {}
    with contextlib.suppress(UnreadableError, TimeUpError), TimeLimit(CELL_SECONDS):
        for definition in _definitions(read_notebook(path)):
            code = compile(ast.Module([definition], []), str(path), "exec")
            with (
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.suppress(Exception, SystemExit),
            ):
                exec(code, space)  # the learner's own file, on the learner's own machine
    return {name: value for name, value in space.items() if inspect.isfunction(value)}


def _definitions(notebook: dict[str, Any]) -> Iterator[ast.stmt]:
    for cell in own_cells(notebook):
        try:
            statements = ast.parse(cell.source).body
        except (SyntaxError, ValueError):  # such as a line that only IPython understands
            continue
        for statement in statements:
            if isinstance(statement, ast.FunctionDef):
                statement.decorator_list = []  # no @fill: only what is asked for is filled
            if isinstance(statement, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
                yield statement


def _with_parameters_of(entry: Exercise, function: Function) -> Function:
    """A function that takes its arguments by name, as one that takes them as the exercise does."""

    @functools.wraps(entry.body)
    def filled(*args: Any, **kwargs: Any) -> Any:
        bound = entry.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return function(**bound.arguments)

    return filled
