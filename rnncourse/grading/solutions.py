"""The instructor's answers: cells of solutions/<chapter>/<chapter>.ipynb, as functions."""

from __future__ import annotations

import ast
import json
import linecache
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._errors import CourseError
from .._notebook import own_cells

Function = Callable[..., Any]


class SolutionError(CourseError):
    """A solution is missing or does not run. The message says which."""


@dataclass(frozen=True)
class Solutions:
    """The answers of one notebook.

    Attributes:
        imports: the notebook's import statements, without those of packages that only its
            demonstrations use.
        sources: the code of each answer, by exercise, without nbgrader's marks.
    """

    imports: str
    sources: Mapping[str, str]

    @staticmethod
    def read(path: Path) -> Solutions:
        """The answers of a notebook file.

        Raises:
            SolutionError: the file cannot be read, or a cell is not Python.
        """
        try:
            cells = own_cells(json.loads(path.read_text(encoding="utf-8")))
            sources = {name: _unmarked(cell.source) for cell in cells for name in cell.exercises}
            used = _names(ast.parse("\n".join(sources.values())))
            statements = [s for cell in cells for s in _imports(cell.source)]
        except (OSError, ValueError, KeyError, TypeError, SyntaxError) as error:
            raise SolutionError(f"the solutions in {path} cannot be read: {error}.") from error
        return Solutions("\n".join(_needed(statements, used)), sources)

    def function(self, exercise: str, source: str | None = None, title: str = "") -> Function:
        """An exercise's function, among the right answers of the other exercises.

        Args:
            source: runs in the place of the exercise's own answer.
            title: what tracebacks call that source.

        Raises:
            SolutionError: there is no such answer, or it cannot be run.
        """
        if exercise not in self.sources:
            raise SolutionError(f"there is no solution of {exercise}.")
        answers = dict(self.sources) | ({} if source is None else {exercise: source})
        space: dict[str, Any] = {"fill": lambda function: function, "__name__": "solutions"}
        try:
            exec(self.imports, space)
            for name, code in answers.items():
                exec(_compiled(code, f"<{title or name}>" if name == exercise else name), space)
            function: Function = space[exercise]
        except Exception as error:
            what = title or f"the solution of {exercise}"
            raise SolutionError(f"{what} cannot be run: {error}.") from error
        return function


def _unmarked(source: str) -> str:
    """A cell without the lines between which nbgrader takes a solution out."""
    return re.sub(r"^ *### (BEGIN|END) SOLUTION(\n|$)", "", source, flags=re.MULTILINE)


def _compiled(code: str, title: str) -> Any:
    """Compiled so that tracebacks and `inspect.getsource` find its lines."""
    linecache.cache[title] = (len(code), None, code.splitlines(keepends=True), title)
    return compile(code, title, "exec", dont_inherit=True)


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _imports(code: str) -> Iterable[ast.Import | ast.ImportFrom]:
    """The import statements of a cell that has no line of IPython's."""
    lines = [line for line in code.splitlines() if not line.lstrip().startswith(("%", "!"))]
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def _needed(statements: Iterable[ast.Import | ast.ImportFrom], used: set[str]) -> Iterable[str]:
    """The statements, each with the names only that are used."""
    for statement in statements:
        names = [a for a in statement.names if (a.asname or a.name).split(".")[0] in used]
        names = [a for a in names if a.name != "fill"]  # a solution fills nothing in
        if names:
            statement.names = names
            yield ast.unparse(statement)
