"""How many lines an author wrote for an exercise, part by part."""

from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path

from rnncourse._exercise import find
from rnncourse._notebook import grade_id, source
from tools import answers

ROOT = Path(__file__).parents[2]


def lines_by_hand(name: str) -> dict[str, int]:
    """Lines that are not empty, by part.

    Raises:
        FillError: there is no such exercise.
    """
    entry = find(name)
    chapter = entry.chapter
    toml = (ROOT / "tools" / "answers" / f"{chapter}.toml").read_text(encoding="utf-8")
    tests = ROOT / "tests" / "checks" / f"test_{chapter}_by_hand.py"
    cells = json.loads((ROOT / f"solutions/{chapter}/{chapter}.ipynb").read_text("utf-8"))["cells"]
    ids = [grade_id(cell) for cell in cells]
    text = source(cells[ids.index(name) - 1])
    mistakes = re.findall(rf"^\[{name}\.[^\n]*\n(?:(?!\n\[)(?:.|\n))*", toml, re.MULTILINE)
    right = [inspect.getsource(r.function) for r in answers.right(chapter, name)]
    return {
        "stub": _lines(inspect.getsource(entry.body)),
        "plan": _of_plan(name, chapter),
        "solution": _lines(answers.solutions(chapter).sources[name]),
        "mistakes": sum(map(_lines, mistakes)),
        "right answers": sum(map(_lines, right)),
        "test by hand": sum(_lines(part) for part in _tests(tests, name)),
        "text of the notebook": _lines(text),
    }


def _lines(text: str) -> int:
    return sum(bool(line.strip()) for line in text.splitlines())


def _of_plan(name: str, chapter: str) -> int:
    """The plan, and the functions and constants that only it uses."""
    folder = ROOT / "rnncourse" / "checks" / "plans"
    paths = [folder / f"{chapter}.py", *sorted((folder / chapter).glob("*.py"))]
    for path in (path for path in paths if path.exists()):
        text = path.read_text(encoding="utf-8")
        nodes = {n: node for node in ast.parse(text).body for n in _defined(node)}
        plan = nodes.get(name)
        if isinstance(plan, ast.Assign):
            own = _only_for(name, {n: _used(node) for n, node in nodes.items()})
            return sum(_lines(ast.get_source_segment(text, nodes[n]) or "") for n in own)
    return 0


def _only_for(name: str, uses: dict[str, set[str]]) -> set[str]:
    """A name, and those that it uses and no name outside them does.

    Args:
        uses: the names that stand in each definition.
    """
    own = {name}
    while True:
        used = set().union(*(uses[n] for n in own)) & uses.keys()
        others = set().union(*(uses[n] for n in uses if n not in own | used))
        if own | (used - others) == own:
            return own
        own |= used - others


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [t.id for t in node.targets if isinstance(t, ast.Name)]
    return []


def _used(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _tests(path: Path, name: str) -> list[str]:
    """The tests of a file that name an exercise."""
    parts = re.split(
        r"^(?=def test_|@pytest)", path.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    return [part for part in parts[1:] if re.search(rf"\b{name}\b", part)]
