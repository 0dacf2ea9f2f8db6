"""A course folder, laid out as nbgrader lays it out, and the checkout that grades it."""

from __future__ import annotations

import difflib
import fcntl
import hashlib
import importlib
import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

import torch
from sqlalchemy import URL
from traitlets.config import Config

from ..checks import plan_of
from ..checks.fingerprints import load
from ..errors import CourseError
from ..exercise import exercises
from ..notebook import grade_id
from . import settings
from .draws import SEED_BITS
from .files import create
from .gradebook.database import located, shown
from .names import is_name
from .spec import SpecError, Trial, prepare

LAYOUT = str(Path("{nbgrader_step}", "{student_id}", "{assignment_id}"))
DEFAULT_COURSE = "default_course"
"""nbgrader's own name for a course that has none."""


@dataclass(frozen=True)
class Course:
    """Where submissions come from and results go.

    Attributes:
        url: the gradebook's.
        course_id: nbgrader's name for the course in the gradebook.
        config: the configuration that nbgrader has in this folder.
        submitted_folder: what learners handed in.
        autograded_folder: what formgrader shows.
        feedback_folder: what learners get back.
    """

    root: Path
    url: URL
    course_id: str
    config: Config = field(repr=False)
    submitted_folder: Path
    autograded_folder: Path
    feedback_folder: Path

    @staticmethod
    def open(folder: Path, gradebook: str | None = None) -> Course:
        """Read the configuration of a course folder, as nbgrader does that is started there.

        Args:
            gradebook: the URL of its gradebook, if not the one that is configured; a relative file
                lies in the current folder.

        Raises:
            CourseError: the configuration or a URL cannot be used.
        """
        root = folder.resolve()
        config = settings.load(root)
        named = settings.directory(root, config)
        if named.directory_structure != LAYOUT:
            raise CourseError(
                f"{root / settings.FILE} sets CourseDirectory.directory_structure: this grader "
                f"only knows nbgrader's own, {LAYOUT}."
            )
        return Course(
            root,
            located(gradebook, Path.cwd()) if gradebook else located(named.db_url, root),
            named.course_id or DEFAULT_COURSE,
            config,
            root / named.submitted_directory,
            root / named.autograded_directory,
            root / named.feedback_directory,
        )

    @property
    def gradebook(self) -> str:
        """The gradebook's URL, with the password."""
        return self.url.render_as_string(hide_password=False)

    @property
    def gradebook_name(self) -> str:
        """The gradebook in messages: its file, or its URL without the password."""
        name = shown(self.url)
        here = f"{Path.cwd()}{os.sep}"
        return name.removeprefix(here)

    def folder(self, student: str, assignment: str) -> Path:
        return self.submitted_folder / student / assignment

    def autograded(self, student: str, assignment: str) -> Path:
        return self.autograded_folder / student / assignment / f"{assignment}.ipynb"

    def feedback(self, student: str, assignment: str) -> Path:
        return self.feedback_folder / student / assignment / f"{assignment}.html"

    def records(self, assignment: str) -> Path:
        return self.root / "records" / assignment

    def record(self, student: str, assignment: str) -> Path:
        return self.records(assignment) / f"{student}.json"

    @property
    def learners(self) -> Path:
        """Which learners the numbers are that platforms give to people and submissions."""
        return self.root / "records" / "learners.json"

    def overview(self, assignment: str) -> Path:
        return self.root / "class" / f"{assignment}.html"

    def students(self, assignment: str) -> list[str]:
        """Who handed in something for an assignment.

        Raises:
            CourseError: there is no such folder, or nobody did.
        """
        folder = self.submitted_folder
        if not folder.is_dir():
            raise CourseError(
                f"there is no folder {folder}: submissions are expected in "
                f"{folder}/<learner>/{assignment}/{assignment}.ipynb."
            )
        found = [name for name in self._learners() if (folder / name / assignment).exists()]
        if not found:
            raise CourseError(
                f"nobody has handed in {assignment}: there is no "
                f"{folder}/<learner>/{assignment}/{assignment}.ipynb."
            )
        return found

    def without(self, assignment: str) -> list[str]:
        """Learners with a folder in submitted/, but none for an assignment."""
        folder = self.submitted_folder
        return [name for name in self._learners() if not (folder / name / assignment).exists()]

    def misnamed(self) -> list[str]:
        """Folders in submitted/ whose names can be no learner's, as Python writes them."""
        return [ascii(name) for name in self._folders() if not is_name(name)]

    def _learners(self) -> list[str]:
        return [name for name in self._folders() if is_name(name)]

    def _folders(self) -> list[str]:
        folders = (path for path in self.submitted_folder.iterdir() if path.is_dir())
        return sorted(path.name for path in folders if not path.name.startswith("."))

    def seed(self, assignment: str) -> int:
        """The secret seed of an assignment in this course: drawn once, then always the same.

        Raises:
            CourseError: its file is damaged.
        """
        path = self.root / "records" / f"{assignment}.seed.json"
        if not path.exists():
            create(path, json.dumps({"seed": secrets.randbits(SEED_BITS)}) + "\n")
        try:
            seed = json.loads(path.read_bytes())["seed"]
            if type(seed) is not int or not 0 <= seed < 2**SEED_BITS:
                raise ValueError(seed)
        except (ValueError, KeyError, TypeError) as error:
            raise CourseError(
                f"{path} is damaged. With another seed the hidden tests are others, and marks can "
                "change: put the file back from a copy. Only if there is none, delete it."
            ) from error
        return seed

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only grader of this course for a while. The lock ends with the process.

        Raises:
            CourseError: another grader is at work, or the folder cannot be written to.
        """
        with self._lock_file() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise CourseError(
                    f"another grader (process {file.read().strip() or 'unknown'}) is at work in "
                    "this course: wait for it."
                ) from None
            except OSError:
                pass  # a file system without locks: each submission is kept whole all the same
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def _lock_file(self) -> TextIO:
        try:
            return (self.root / ".grading.lock").open("a+", encoding="ascii")
        except OSError as error:
            raise CourseError(
                f"the course folder {self.root} cannot be written to: {error.strerror}."
            ) from None


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
        """Those with hidden specs. An instructor may have others, which nbgrader grades itself."""
        specs = (self.root / "tests" / "hidden").glob("[!_]*.py")
        return sorted(p.stem for p in specs if (self.root / "solutions" / p.stem).is_dir())

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

    def others(self, assignment: str) -> dict[str, frozenset[str]]:
        """The ids of the cells of the other assignments, by assignment."""
        found = {}
        for name in self.assignments():
            with suppress(
                OSError, ValueError, KeyError
            ):  # a broken one is no obstacle for this one
                cells = self.source(name)["cells"] if name != assignment else []
                found[name] = frozenset(grade_id(cell) for cell in cells) - {""}
        return found

    def notebooks(self, assignment: str) -> list[Path]:
        """The files of all the instructor's notebooks of an assignment."""
        return sorted((self.root / "solutions" / assignment).glob("*.ipynb"))

    def decides(self, assignment: str, seed: int, limits: str) -> str:
        """SHA-256 over all that decides a mark besides the submission: where it has not changed,
        grading again gives the same marks.

        Args:
            limits: what a submission may use.
        """
        package, hidden = Path(__file__).parents[1], self.root / "tests" / "hidden"
        files = [
            *(hidden / name for name in ("__init__.py", f"{assignment}.py")),
            *self.notebooks(assignment),
            *(package / name for name in ("exercise.py", f"{assignment}.py")),
            *sorted((package / "checks").rglob("*.py")),
            *sorted((package / "checks").rglob("*.json")),
            *(package / "grading" / f"{name}.py" for name in ("draws", "grade", "record", "spec")),
            package / "tracing.py",
            *sorted((package / "grading/sandbox").glob("*.py")),
            *sorted((package / "grading/submissions").glob("*.py")),
        ]
        digest = hashlib.sha256(f"{torch.__version__} {seed} {limits}".encode())
        for path in files:
            content = path.read_bytes() if path.exists() else b""
            digest.update(f"\n{path.parent.name}/{path.name} {len(content)}\n".encode())
            digest.update(content)
        return digest.hexdigest()

    def trials(self, assignment: str, seed: int) -> list[Trial]:
        """The exercises of an assignment with the secret inputs of a seed.

        Raises:
            SpecError: a hidden spec is missing or does not fit.
        """
        specs = self._module("hidden", assignment).SPECS
        entries = [e for e in exercises().values() if e.chapter == assignment]
        if set(specs) != {e.name for e in entries}:
            raise SpecError(f"the hidden specs of {assignment} are not those of its exercises.")
        stored = load(assignment)
        return [prepare(plan_of(e), specs[e.name], seed, stored[e.name]) for e in entries]

    def _module(self, room: str, assignment: str) -> ModuleType:
        if not (self.root / "tests" / room / f"{assignment}.py").is_file():
            raise SpecError(f"there is no tests/{room}/{assignment}.py in {self.root}.")
        if str(self.root) not in sys.path:
            sys.path.insert(0, str(self.root))
        return importlib.import_module(f"tests.{room}.{assignment}")
