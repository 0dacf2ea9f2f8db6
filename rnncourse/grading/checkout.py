"""The instructor's repository: solutions, and what decides a mark."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._errors import CourseError
from .._exercise import CHAPTERS, exercises
from .._notebook import grade_id
from .submissions.source import Source

if TYPE_CHECKING:  # with torch, which only grading needs
    from .hidden_test import HiddenTest

PACKAGE = Path(__file__).parents[1]
TERMINAL = (
    *("__main__.py", "_cli.py", "_doctor.py", "_installation.py", "_terminal", "_workspace.py"),
)
"""What of the package neither runs a learner's code nor judges it."""
DECIDING = (
    *("sandbox", "submissions", "worker"),
    *("draws.py", "marking.py", "record.py", "hidden_test.py", "solutions.py"),
)
"""What of the grader does. Its other rooms take files in, keep marks and write pages."""


@dataclass(frozen=True)
class Assignment:
    """What the instructor's side knows of an assignment for one class.

    Attributes:
        source: the instructor's notebook, by which learners' are put in order.
        hidden_tests: its exercises with the class's secret inputs, and what is right on them.
        inputs_digest: SHA-256 over all that decides a mark besides the submission.
    """

    name: str
    source: Source
    hidden_tests: Sequence[HiddenTest]
    inputs_digest: str


@dataclass(frozen=True)
class Checkout:
    """The course's own repository, with solutions: the instructor's side."""

    root: Path

    @staticmethod
    def find(given: Path | None) -> Checkout:
        """The checkout in `given`, else here, else where this package lies.

        Raises:
            CourseError: there is none.
        """
        here = [given] if given else [Path.cwd(), Path(__file__).parents[2]]
        for root in here:
            if Checkout(root).assignments():
                return Checkout(root.resolve())
        raise CourseError(
            f"{here[0]} holds no solutions of this course (solutions/lstm/lstm.ipynb and others): "
            "name a checkout of the course with --specs."
        )

    def assignments(self) -> list[str]:
        """The chapters with solutions. An instructor may have other assignments, which nbgrader
        grades itself."""
        return sorted(name for name in CHAPTERS if self._path(name).is_file())

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

    def assignment(self, name: str, seed: int, limits: str) -> Assignment:
        """All that grading a class takes. Nothing is written.

        Args:
            limits: what a submission may use.

        Raises:
            SolutionError: a solution is missing or does not run.
            HiddenTestError: a plan cannot be graded by.
        """
        hidden_tests = self.hidden_tests(name, seed)
        digest = self.inputs_digest(name, seed, limits)
        return Assignment(name, self.source(name), hidden_tests, digest)

    def source(self, assignment: str) -> Source:
        """The instructor's notebook, and the ids of the cells of the other assignments."""
        others = {}
        for name in self.assignments():
            with suppress(OSError, ValueError, KeyError):  # a broken one is no obstacle
                cells = self._notebook(name)["cells"] if name != assignment else []
                others[name] = frozenset(grade_id(cell) for cell in cells) - {""}
        return Source(self._notebook(assignment), others)

    def notebooks(self, assignment: str) -> list[Path]:
        """The files of all the instructor's notebooks of an assignment."""
        return sorted((self.root / "solutions" / assignment).glob("*.ipynb"))

    def inputs_digest(self, assignment: str, seed: int, limits: str) -> str:
        """SHA-256 over all that decides a mark besides the submission: where it has not changed,
        grading again gives the same marks.

        Args:
            limits: what a submission may use.
        """
        files = [*self.notebooks(assignment), *_deciding_files()]
        digest = hashlib.sha256(f"{version('torch')} {seed} {limits}".encode())
        for path in files:
            content = path.read_bytes() if path.exists() else b""
            digest.update(f"\n{path.parent.name}/{path.name} {len(content)}\n".encode())
            digest.update(content)
        return digest.hexdigest()

    def hidden_tests(self, assignment: str, seed: int) -> list[HiddenTest]:
        """The exercises of an assignment with the secret inputs of a seed.

        Raises:
            SolutionError: a solution is missing or does not run.
            HiddenTestError: a plan cannot be graded by.
        """
        from ..checks.fingerprints import load
        from ..checks.plan import plan_of
        from .hidden_test import build_hidden_test
        from .solutions import Solutions

        solutions, stored = Solutions.read(self._path(assignment)), load(assignment)
        return [
            build_hidden_test(plan_of(name), solutions.function(name), seed, stored[name])
            for name, entry in exercises().items()
            if entry.chapter == assignment
        ]

    def _path(self, assignment: str) -> Path:
        return self.root / "solutions" / assignment / f"{assignment}.ipynb"

    def _notebook(self, assignment: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._path(assignment).read_text(encoding="utf-8"))
        return content


def _deciding_files() -> list[Path]:
    """What of this package runs a learner's code or judges it: all but the command line and
    the rooms of the grader that lie before and behind."""
    files = [path for kind in ("py", "json") for path in PACKAGE.rglob(f"*.{kind}")]
    return sorted(path for path in files if _decides(path.relative_to(PACKAGE)))


def _decides(path: Path) -> bool:
    if path.parts[0] != "grading":
        return path.parts[0] not in TERMINAL
    return path.parts[1] in DECIDING
