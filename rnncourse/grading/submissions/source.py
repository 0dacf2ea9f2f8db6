"""The instructor's notebook, by which learners' notebooks are put in order."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Literal

import nbformat
from nbgrader.preprocessors import (
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

from ..._notebook import GIVEN, grade_id, nbgrader_metadata, source

CHECK = GIVEN[0]

Kind = Literal["answer", "setup", "shown"]

REMEMBERED = 1000
"""Texts of cells: most are the same in every notebook, and each is asked for many times."""

_RELEASE = (
    LockCells,
    ClearSolutions,
    ClearOutput,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
)
"""What nbgrader does to a notebook when it releases it, in its order, less what it writes down."""

_DEFINED = re.compile(r"^(?:async[ \t]+)?(def|class)[ \t]+(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class SourceCell:
    """One of the instructor's cells that nbgrader knows by an id.

    Attributes:
        cell: as it was released: without its solution and its hidden tests.
        kind: an "answer" is written by the learner; a "setup" cell runs with the learner's; what is
            only "shown" (checks, demonstrations, locked texts) never runs.
        originals: how it reads when nobody has changed it (see `normalised`), also with hidden
            tests.
    """

    grade_id: str
    cell: Mapping[str, Any]
    kind: Kind
    originals: frozenset[str]

    @property
    def is_code(self) -> bool:
        """Whether it is a code cell."""
        return bool(self.cell["cell_type"] == "code")

    @property
    def is_check(self) -> bool:
        """Whether it is a check, which carries an exercise's points."""
        return self.grade_id.startswith(CHECK)

    @property
    def text(self) -> str:
        """Its source."""
        return source(dict(self.cell))

    @property
    def settings(self) -> dict[str, Any]:
        """What nbgrader keeps about it."""
        return nbgrader_metadata(dict(self.cell))


@dataclass(frozen=True)
class Source:
    """The instructor's notebook, prepared once for a whole class.

    Attributes:
        others: the ids of the cells of the course's other assignments, by assignment.
    """

    notebook: dict[str, Any]
    others: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def points(self) -> dict[str, float]:
        """What each exercise is worth: the points of its check cell."""
        return {
            name.removeprefix(CHECK): float(nbgrader_metadata(cell)["points"])
            for cell in self.notebook["cells"]
            if (name := grade_id(cell)).startswith(CHECK)
        }

    @property
    def exercises(self) -> tuple[str, ...]:
        """The exercises in the order of the notebook."""
        return tuple(self.points)

    @cached_property
    def released(self) -> dict[str, Any]:
        """The notebook as nbgrader releases it."""
        notebook = nbformat.reads(json.dumps(self.notebook), as_version=4)
        resources: dict[str, Any] = {}
        for preprocessor in _RELEASE:
            notebook, resources = preprocessor().preprocess(notebook, resources)
        plain: dict[str, Any] = json.loads(json.dumps(notebook))
        return plain

    @cached_property
    def known(self) -> dict[str, SourceCell]:
        """The cells that nbgrader knows, by id, in the order of the notebook."""
        whole = {grade_id(cell): normalised(source(cell)) for cell in self.notebook["cells"]}
        found = {}
        for cell in self.released["cells"]:
            if name := grade_id(cell):
                kind, released = _kind(cell), normalised(source(cell))
                originals = {released} if kind == "answer" else {released, whole[name]}
                found[name] = SourceCell(name, cell, kind, frozenset(originals))
        return found

    @cached_property
    def stubs(self) -> dict[str, SourceCell]:
        """The cells in which a learner defines a function, by its name."""
        return {k.grade_id: k for k in self.known.values() if k.kind == "answer" and k.is_code}

    @cached_property
    def opening(self) -> tuple[SourceCell, ...]:
        """The setup cells before the first answer, such as imports: they run before all others."""
        answers = (n for n, known in enumerate(self.known.values()) if known.kind == "answer")
        before = list(self.known.values())[: next(answers, None)]
        return tuple(known for known in before if known.kind == "setup")

    @cached_property
    def texts(self) -> dict[str, dict[str, Any]]:
        """The course's own cells of Markdown that nbgrader does not know, by what they say."""
        cells = (cell for cell in self.released["cells"] if cell["cell_type"] == "markdown")
        return {source(cell): cell for cell in cells if not grade_id(cell)}


@lru_cache(REMEMBERED)
def normalised(text: str) -> str:
    """A cell's text without what changes nothing: comment lines, empty lines, spaces at the end."""
    lines = (line.rstrip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))


@lru_cache(REMEMBERED)
def functions(text: str) -> frozenset[str]:
    """The names of the functions that a cell defines at its top level.

    The text is only searched, not parsed: Python's parser can be made to crash.
    """
    return frozenset(name for kind, name in _DEFINED.findall(text) if kind == "def")


def definitions(text: str) -> set[str]:
    """The names of the functions and classes that a cell defines at its top level."""
    return {name for _, name in _DEFINED.findall(text)}


def _kind(cell: Mapping[str, Any]) -> Kind:
    settings = nbgrader_metadata(dict(cell))
    if settings.get("solution") or settings.get("task"):
        return "answer"
    given = str(settings["grade_id"]).startswith(GIVEN)
    return "shown" if given or cell["cell_type"] != "code" else "setup"
