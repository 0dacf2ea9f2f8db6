"""Says what an exercise still lacks: unsolved, unnamed, stale, without a hint."""

from __future__ import annotations

import inspect
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rnncourse._exercise import Exercise, exercises
from rnncourse._notebook import grade_id, nbgrader_metadata, source
from rnncourse.checks import examine
from rnncourse.checks.fingerprints import load
from rnncourse.checks.plan import plan_of
from rnncourse.grading.hidden_test import HiddenTestError, build_hidden_test
from rnncourse.grading.release import convert
from rnncourse.grading.solutions import SolutionError
from tools import answers, fingerprints

ROOT = Path(__file__).parents[2]
LEAST_MISTAKES, LEAST_STYLES, HINTS = 3, 1, 3
TODO = re.compile(r"\bTODO")


@dataclass(frozen=True)
class Finding:
    """Something that an exercise lacks: in which file, and what to do."""

    exercise: str
    file: str
    todo: str

    def __str__(self) -> str:
        return f"{self.exercise}: {self.file}: {self.todo}"


def findings(names: list[str]) -> Iterator[Finding]:
    """What exercises lack, those of no name all of them; and what is stale in their chapters.

    Raises:
        KeyError: there is no such exercise.
    """
    known = exercises()
    chosen = [known[name] for name in names] if names else list(known.values())
    for entry in chosen:
        yield from _Part(entry).findings()
    for chapter in dict.fromkeys(entry.chapter for entry in chosen):
        yield from _stale(chapter)


@dataclass(frozen=True)
class _Part:
    """One exercise and its files."""

    entry: Exercise

    def findings(self) -> Iterator[Finding]:
        """What it lacks. Where a part is not there, others that need it are not looked at."""
        name, chapter = self.entry.name, self.entry.chapter
        yield from self._todo(f"rnncourse/{chapter}.py", inspect.getsource(self.entry.body))
        if ">>>" not in (self.entry.body.__doc__ or ""):
            yield self._finding(f"rnncourse/{chapter}.py", "its docstring has no example")
        try:
            plan_of(name)
        except (AttributeError, ModuleNotFoundError):
            yield self._finding(self._plan, f"there is no plan called {name}")
            return
        yield from self._notebook_lacks()
        try:
            solution = answers.solutions(chapter).function(name)
            build_hidden_test(plan_of(name), solution, seed=1)
        except (SolutionError, HiddenTestError) as error:
            yield self._finding(self._notebook, str(error))
            return
        if name not in load(chapter):
            yield self._finding("fingerprints", "run python -m tools.exercise write")
            return
        if not self._passes(solution):
            yield self._finding(self._notebook, "the solution does not pass its own check")
        if self._passes(None):
            yield self._finding(self._plan, "the empty stub passes: its stages ask for nothing")
        yield from self._answers_lack()
        tests = ROOT / "tests" / "checks" / f"test_{chapter}_by_hand.py"
        text = tests.read_text(encoding="utf-8") if tests.exists() else ""
        if not re.search(rf"\b{name}\b", text):
            yield self._finding(f"tests/checks/{tests.name}", "test the solution by another route")
        yield from self._todo(f"tests/checks/{tests.name}", _functions_with(text, name))

    def _finding(self, file: str, todo: str) -> Finding:
        return Finding(self.entry.name, file, todo)

    def _todo(self, file: str, text: str) -> Iterator[Finding]:
        if count := len(TODO.findall(text)):
            yield self._finding(file, f"{count} marked TODO")

    @property
    def _plan(self) -> str:
        return f"rnncourse/checks/plans/{self.entry.chapter}"

    @property
    def _notebook(self) -> str:
        return f"solutions/{self.entry.chapter}/{self.entry.chapter}.ipynb"

    def _passes(self, function: Callable[..., Any] | None) -> bool:
        self.entry.filled = function
        try:
            return examine(self.entry).complete
        finally:
            self.entry.filled = None

    @cached_property
    def _cells(self) -> list[dict[str, Any]]:
        cells: list[dict[str, Any]] = json.loads((ROOT / self._notebook).read_text("utf-8"))[
            "cells"
        ]
        return cells

    def _notebook_lacks(self) -> Iterator[Finding]:
        name, ids = self.entry.name, [grade_id(cell) for cell in self._cells]
        for id, what in ((name, "the solution"), (f"check_{name}", "the check")):
            if id not in ids:
                yield self._finding(self._notebook, f"there is no cell {id} for {what}")
                return
        place = ids.index(name)
        text = source(self._cells[place - 1])
        hints = re.findall(r"<summary>Hint \d", text)
        if len(hints) < HINTS:
            yield self._finding(self._notebook, f"{len(hints)} hints, where {HINTS} are needed")
        points = nbgrader_metadata(self._cells[ids.index(f"check_{name}")]).get("points")
        if not points or f"`{name}` ({points} points)" not in text:
            yield self._finding(
                self._notebook, "its heading says “`name` (n points)”, as its check"
            )
        mine = {name, f"check_{name}", f"demo_{name}"}
        own = [text, *(source(c) for c in self._cells if grade_id(c) in mine)]
        demo = ids.index(f"demo_{name}") if f"demo_{name}" in ids else 0
        own += [source(self._cells[demo - 1])] if demo and not ids[demo - 1] else []
        yield from self._todo(self._notebook, "\n".join(own))

    def _answers_lack(self) -> Iterator[Finding]:
        name, chapter = self.entry.name, self.entry.chapter
        toml, module = f"tools/answers/{chapter}.toml", f"tools/answers/{chapter}.py"
        try:
            known = answers.known(chapter, name)
        except (answers.EditError, SolutionError) as error:
            yield self._finding(toml, str(error))
            return
        if len(known) < LEAST_MISTAKES:
            yield self._finding(toml, f"{len(known)} mistakes, where {LEAST_MISTAKES} are needed")
        for mistake, function in ((k.mistake, k.function) for k in known):
            yield from self._todo(f"{toml}, {mistake.id}", f"{mistake.id} {mistake.sentence}")
            self.entry.filled = function
            report = examine(self.entry)
            if report.complete:
                yield self._finding(toml, f"{mistake.id} passes the check")
            elif report.mistake != mistake:
                yield self._finding(toml, f"{mistake.id} is not named by the check")
        styles = answers.right(chapter, name)
        if len(styles) < LEAST_STYLES:
            yield self._finding(module, "a right answer in another style is needed")
        for style in styles:
            yield from self._todo(f"{module}, {style.style}", inspect.getsource(style.function))
            if not self._passes(style.function):
                yield self._finding(module, f"{style.style} does not pass the check")
        self.entry.filled = None


def _functions_with(text: str, name: str) -> str:
    """The functions of a module in which a name stands."""
    parts = re.split(r"^(?=def |@)", text, flags=re.MULTILINE)
    return "\n".join(part for part in parts if re.search(rf"\b{name}\b", part))


def _stale(chapter: str) -> Iterator[Finding]:
    """What is generated from a chapter's files, and no longer what they make."""
    write = "run python -m tools.exercise write"
    try:
        stored = fingerprints.read(chapter)
        made = fingerprints.settled(fingerprints.chapter_content(chapter), stored)
        if made != stored:
            yield Finding(chapter, f"rnncourse/checks/fingerprints/{chapter}.json", write)
    except (answers.EditError, SolutionError, AttributeError, KeyError):
        pass  # said of the exercise already
    released = ROOT / "exercises" / chapter / f"{chapter}.ipynb"
    with tempfile.TemporaryDirectory() as folder:
        convert(ROOT, chapter, Path(folder))
        fresh = (Path(folder) / chapter / f"{chapter}.ipynb").read_bytes()
    if not released.exists() or released.read_bytes() != fresh:
        yield Finding(chapter, f"exercises/{chapter}/{chapter}.ipynb", write)
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    if f"exercises/{chapter}/{chapter}" not in toc:
        yield Finding(chapter, "_toc.yml", f"list exercises/{chapter}/{chapter}")
