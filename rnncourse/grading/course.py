"""A course folder, laid out as nbgrader lays it out, and the checkout that grades it."""

from __future__ import annotations

import difflib
import importlib
import json
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from ..checks import plan_of
from ..errors import CourseError
from ..exercise import exercises
from .files import write
from .spec import SpecError, Trial, prepare


@dataclass(frozen=True)
class Course:
    """Where submissions come from and results go."""

    root: Path

    def submitted(self, student: str, assignment: str) -> Path:
        return self.root / "submitted" / student / assignment / f"{assignment}.ipynb"

    def autograded(self, student: str, assignment: str) -> Path:
        return self.root / "autograded" / student / assignment / f"{assignment}.ipynb"

    def feedback(self, student: str, assignment: str) -> Path:
        return self.root / "feedback" / student / assignment / f"{assignment}.html"

    def records(self, assignment: str) -> Path:
        return self.root / "records" / assignment

    @property
    def gradebook(self) -> str:
        return f"sqlite:///{self.root.resolve() / 'gradebook.db'}"

    def students(self, assignment: str) -> list[str]:
        """Who handed in something for an assignment.

        Raises:
            CourseError: there is no such folder, or nobody did.
        """
        folder = self.root / "submitted"
        if not folder.is_dir():
            raise CourseError(
                f"there is no folder {folder}: submissions are expected in "
                f"{folder}/<learner>/{assignment}/{assignment}.ipynb."
            )
        found = sorted(path.parent.name for path in folder.glob(f"*/{assignment}"))
        if not found:
            raise CourseError(
                f"nobody has handed in {assignment}: there is no "
                f"{folder}/<learner>/{assignment}/{assignment}.ipynb."
            )
        return found

    def without(self, assignment: str) -> list[str]:
        """Learners with a folder in submitted/, but none for an assignment."""
        folders = (path for path in (self.root / "submitted").iterdir() if path.is_dir())
        return sorted(path.name for path in folders if not (path / assignment).exists())

    def seed(self, assignment: str) -> int:
        """The secret seed of an assignment in this course: drawn once, then always the same."""
        path = self.records(assignment) / "seed.json"
        if not path.exists():
            write(path, json.dumps({"seed": secrets.randbits(60)}) + "\n")
        seed: int = json.loads(path.read_text(encoding="utf-8"))["seed"]
        return seed


@dataclass(frozen=True)
class Checkout:
    """The course's own repository, with solutions and hidden specs: the instructor's side."""

    root: Path

    @staticmethod
    def find(given: Path | None) -> Checkout:
        """The checkout in `given`, else here, else where this package lies.

        Raises:
            CourseError: there is none.
        """
        here = [given] if given else [Path.cwd(), Path(__file__).parents[2]]
        for root in here:
            if (root / "tests" / "hidden").is_dir() and (root / "solutions").is_dir():
                return Checkout(root.resolve())
        raise CourseError(
            f"{here[0]} holds no hidden specs (tests/hidden) and no solutions: "
            "name a checkout of the course with --specs."
        )

    def assignments(self) -> list[str]:
        return sorted(path.parent.name for path in (self.root / "solutions").glob("*/*.ipynb"))

    def known(self, assignment: str) -> str:
        """`assignment` itself.

        Raises:
            CourseError: there is no such assignment; the message offers the nearest name.
        """
        names = self.assignments()
        if assignment in names:
            return assignment
        near = difflib.get_close_matches(assignment, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}."
        raise CourseError(f"there is no assignment called {assignment}: {hint}")

    def source(self, assignment: str) -> dict[str, Any]:
        """The instructor's notebook."""
        path = self.root / "solutions" / assignment / f"{assignment}.ipynb"
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content

    def trials(self, assignment: str, seed: int) -> list[Trial]:
        """The exercises of an assignment with the secret inputs of a seed.

        Raises:
            SpecError: a hidden spec is missing or does not fit.
        """
        specs = self._module("hidden", assignment).SPECS
        known = self._module("mistakes", assignment)
        wrong = importlib.import_module(known.__package__ or "").known
        generator = torch.Generator().manual_seed(seed)
        entries = [e for e in exercises().values() if e.chapter == assignment]
        if set(specs) != {e.name for e in entries}:
            raise SpecError(f"the hidden specs of {assignment} are not those of its exercises.")
        return [
            prepare(
                plan_of(entry),
                specs[entry.name],
                [(k.mistake, k.function) for k in wrong(assignment, entry.name)],
                generator,
            )
            for entry in entries
        ]

    def _module(self, room: str, assignment: str) -> ModuleType:
        if not (self.root / "tests" / room / f"{assignment}.py").is_file():
            raise SpecError(f"there is no tests/{room}/{assignment}.py in {self.root}.")
        if str(self.root) not in sys.path:
            sys.path.insert(0, str(self.root))
        return importlib.import_module(f"tests.{room}.{assignment}")
