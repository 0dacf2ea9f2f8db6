"""How many lines an exercise takes of whoever writes it, part by part.

Empty lines, imports and what `tools.new` writes as it is (the check cell) are not counted. Of a
helper that several exercises use, each has its share.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rnncourse._exercise import find
from rnncourse._notebook import grade_id, source
from tools.places import ROOT, Places, bound_by, stubs_in

PROSE = ("text and hints", "cells that show something", "right answers")
"""Parts that are not code to be judged: a sum without them is given as well."""

Belongs = Callable[["Statement", str], bool]


@dataclass(frozen=True, eq=False)
class Statement:
    """A statement at the top of a module.

    Attributes:
        names: what it defines.
        uses: the names that stand in it.
        texts: the strings that stand in it.
        lines: how many lines it has that are not empty.
    """

    tree: ast.stmt
    names: frozenset[str]
    uses: frozenset[str]
    texts: frozenset[str]
    lines: int


def lines_of(exercise: str) -> dict[str, float]:
    """The lines that an exercise takes, by part."""
    places = Places(ROOT, find(exercise).chapter)
    text, shown = _prose(places, exercise)
    stubs, plans, right, tests = (
        _statements(paths)
        for paths in ([places.stubs], _plan_files(places), [places.right], [places.by_hand])
    )
    names = stubs_in(places.stubs)
    functions = _share(right, _is_called("mistake"), names, exercise)
    return {
        "stub": _share(stubs, _defines, [exercise], exercise),
        "plan": _share(plans, _defines, names, exercise),
        "solution": _answer(places, exercise),
        "mistakes": _edits(places, exercise) + functions,
        "test by hand": _share(tests, _tests(tests), names, exercise),
        "text and hints": text,
        "cells that show something": shown,
        "right answers": _share(right, _is_called("honest"), names, exercise),
    }


def _plan_files(places: Places) -> list[Path]:
    return [path for path in places.modules if "plans" in path.parts]


def _statements(paths: Iterable[Path]) -> list[Statement]:
    return [s for path in paths if path.exists() for s in _of_file(path.read_text("utf-8"))]


def _of_file(text: str) -> Iterable[Statement]:
    lines = text.splitlines()
    for tree in ast.parse(text).body[1:]:  # behind the docstring
        if isinstance(tree, ast.Import | ast.ImportFrom):
            continue
        nodes = list(ast.walk(tree))
        start = min(n.lineno for n in (tree, *getattr(tree, "decorator_list", [])))
        yield Statement(
            tree,
            frozenset(bound_by(tree)),
            frozenset(n.id for n in nodes if isinstance(n, ast.Name)),
            frozenset(
                n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)
            ),
            sum(bool(line.strip()) for line in lines[start - 1 : tree.end_lineno]),
        )


def _share(
    statements: Sequence[Statement], belongs: Belongs, names: Sequence[str], exercise: str
) -> float:
    """The lines of the statements that belong to an exercise, and of all that they use: of those
    that several exercises reach, a part.

    Args:
        names: the exercises among which they are shared.
    """
    reached = {
        name: _reached(statements, [s for s in statements if belongs(s, name)]) for name in names
    }
    return sum(
        statement.lines / sum(statement in others for others in reached.values())
        for statement in reached[exercise]
    )


def _reached(statements: Sequence[Statement], roots: Sequence[Statement]) -> set[Statement]:
    found, waiting = set(roots), list(roots)
    while waiting:
        used = waiting.pop().uses
        more = [s for s in statements if s.names & used and s not in found]
        found.update(more)
        waiting += more
    return found


def _defines(statement: Statement, exercise: str) -> bool:
    return exercise in statement.names


def _is_called(name: str) -> Belongs:
    """Whether a statement calls `name` with the exercise first, as a decorator or otherwise."""

    def belongs(statement: Statement, exercise: str) -> bool:
        calls = (n for n in ast.walk(statement.tree) if isinstance(n, ast.Call) and n.args)
        return any(
            ast.unparse(call.func) == name and ast.unparse(call.args[0]) == repr(exercise)
            for call in calls
        )

    return belongs


def _tests(statements: Sequence[Statement]) -> Belongs:
    """Whether a statement is a test that reaches the exercise's name."""

    def belongs(statement: Statement, exercise: str) -> bool:
        if not any(name.startswith("test_") for name in statement.names):
            return False
        return any(exercise in s.texts for s in _reached(statements, [statement]))

    return belongs


def _edits(places: Places, exercise: str) -> int:
    """The lines of a chapter's file of mistakes that are in the exercise's tables."""
    tables = re.split(r"^(?=\[\w+\.)", places.mistakes.read_text("utf-8"), flags=re.MULTILINE)
    own = [t for t in tables if t.startswith("[") and exercise in tomllib.loads(t)]
    return sum(_count(table) for table in own)


def _answer(places: Places, exercise: str) -> int:
    return next(_count(text) for id, text in _cells(places) if id == exercise)


def _prose(places: Places, exercise: str) -> tuple[int, int]:
    """The lines of the text before the solution, and of what stands between the check and the next
    exercise."""
    cells = _cells(places)
    ids = [id for id, _ in cells]
    check = ids.index(f"check_{exercise}")
    behind = check + 1
    while behind < len(cells) - 1 and not cells[behind][1].startswith("## "):
        if ids[behind + 1] in stubs_in(places.stubs):
            break  # this one is the next exercise's text, under no heading of its own
        behind += 1
    shown = sum(_count(text) for _, text in cells[check + 1 : behind])
    return _count(cells[ids.index(exercise) - 1][1]), shown


def _cells(places: Places) -> list[tuple[str, str]]:
    """The ids and texts of the instructor's notebook."""
    content = json.loads(places.solutions.read_text("utf-8"))
    return [(grade_id(cell), source(cell)) for cell in content["cells"]]


def _count(text: str) -> int:
    return sum(bool(line.strip()) for line in text.splitlines())
