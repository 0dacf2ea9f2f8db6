"""A course folder, laid out as nbgrader lays it out."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from sqlalchemy import URL
from traitlets.config import Config

from .._errors import CourseError
from . import settings
from .draws import SEED_BITS
from .files import create
from .gradebook_url import located, shown
from .names import is_name

LAYOUT = str(Path("{nbgrader_step}", "{student_id}", "{assignment_id}"))
DEFAULT_COURSE = "default_course"
"""nbgrader's own name for a course that has none."""


@dataclass(frozen=True)
class Course:
    """A course folder: where submissions come from and results go.

    Attributes:
        url: the gradebook's.
        course_id: nbgrader's name for the course in the gradebook.
        config: the configuration that nbgrader has in this folder.
        submitted_folder: what learners handed in.
        autograded_folder: what formgrader shows.
        feedback_folder: what learners get back.

    Example:
        >>> from pathlib import Path
        >>> Path("class-2026/submitted/ada/lstm").mkdir(parents=True)
        >>> course = Course.open(Path("class-2026"))
        >>> course.students("lstm")
        ['ada']
        >>> course.feedback("ada", "lstm").relative_to(course.root).as_posix()
        'feedback/ada/lstm/lstm.html'
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
        """Where a learner's submission lies."""
        return self.submitted_folder / student / assignment

    def autograded(self, student: str, assignment: str) -> Path:
        """The notebook that formgrader shows."""
        return self.autograded_folder / student / assignment / f"{assignment}.ipynb"

    def feedback(self, student: str, assignment: str) -> Path:
        """The page that the learner gets back."""
        return self.feedback_folder / student / assignment / f"{assignment}.html"

    def records(self, assignment: str) -> Path:
        """The folder of an assignment's records."""
        return self.root / "records" / assignment

    def record(self, student: str, assignment: str) -> Path:
        """The file of one record."""
        return self.records(assignment) / f"{student}.json"

    @property
    def learners(self) -> Path:
        """Which learners the numbers are that platforms give to people and submissions."""
        return self.root / "records" / "learners.json"

    def overview(self, assignment: str) -> Path:
        """The page on the whole class."""
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
        """The secret seed of an assignment in this course; a new one each time until one is kept.

        Raises:
            CourseError: its file is damaged.
        """
        path = self._seed_file(assignment)
        if not path.exists():
            return secrets.randbits(SEED_BITS)
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

    def keep_seed(self, assignment: str, seed: int) -> None:
        """Write an assignment's seed down, which stays the same from then on.

        Raises:
            CourseError: another one is kept since.
        """
        create(self._seed_file(assignment), json.dumps({"seed": seed}) + "\n")
        if self.seed(assignment) != seed:
            raise CourseError(f"another grader has just begun {assignment}: run it once more.")

    def _seed_file(self, assignment: str) -> Path:
        return self.root / "records" / f"{assignment}.seed.json"

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
