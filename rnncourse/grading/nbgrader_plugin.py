"""nbgrader's own doors to this grader: `nbgrader autograde` and `nbgrader generate_feedback`,
formgrader's buttons and `nbgrader.apps`.

A course's nbgrader_config.py says `install(c, checkout)`. Assignments with hidden tests are then
graded as `rnncourse grade` grades them. Others, such as an essay, nbgrader grades as it always
does, without the sandbox, and so only those that `CourseGrader.unsandboxed` names. nbgrader's
options for preprocessors and hooks have a meaning only for these. Validate runs no learner's
notebook, see `validation`.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from logging import INFO, WARNING
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbgrader.apps.api
import nbgrader.apps.autogradeapp
import nbgrader.apps.generatefeedbackapp
import nbgrader.converters
from nbconvert.exporters import Exporter
from nbgrader.converters import Autograde, GenerateFeedback, NbGraderException
from nbgrader.converters.base import BaseConverter
from traitlets import Float, Integer, List, Unicode, default

from .._errors import CourseError
from .._notebook import UnreadableError
from . import validation
from .checkout import Checkout
from .course import LAYOUT, Course
from .gradebook.gradebook import Book
from .intake import exchange
from .names import RULES, distinct, is_name
from .record import ByHand
from .results import kept_records, write_feedback, write_overview
from .sandbox.limits import Limits
from .sanitize.html import HarmlessExporter
from .submissions.reader import opened

if TYPE_CHECKING:  # with torch, which only grading needs
    from .run import Graded

FOR_RELEASE = ("timestamp.txt", "submission_secret.txt")
"""What nbgrader's exchange left beside a submission, and needs beside its feedback page."""
MAX_BYTES = 1000
FORMGRADER = "nbgrader.server_extensions.formgrader.base"
EXPORTER = "rnncourse_exporter"


def install(c: Any, checkout: Path) -> None:
    """Put this grader behind nbgrader's doors, in this process, for the course that is configured.

    Args:
        c: the configuration of the course, in its nbgrader_config.py.
        checkout: the course's own repository, with solutions.
    """
    c.CourseGrader.checkout = str(checkout)
    for module in (nbgrader.converters, nbgrader.apps.api, nbgrader.apps.autogradeapp):
        module.Autograde = CourseAutograde
    for module in (nbgrader.converters, nbgrader.apps.api, nbgrader.apps.generatefeedbackapp):
        module.GenerateFeedback = CourseFeedback
    validation.install()
    exchange.install()
    if formgrader := sys.modules.get(FORMGRADER):  # only in a Jupyter server
        formgrader.BaseHandler.exporter = property(_harmless)


class CourseGrader(BaseConverter):  # type: ignore[misc]
    """What both doors share."""

    checkout = Unicode(
        "",
        help="The course's repository, with solutions; install() in nbgrader_config.py sets it.",
    ).tag(config=True)
    seconds = Float(Limits.exercise, help="Computing time for each exercise.").tag(config=True)
    cell_seconds = Float(Limits.cells, help="Computing time for all cells together.").tag(
        config=True
    )
    submission_seconds = Float(
        Limits.submission, help="Time on the clock for all of a submission."
    ).tag(config=True)
    workers = Integer(
        None, allow_none=True, help="Submissions that run at a time; else one a core, at most 8."
    ).tag(config=True)

    unsandboxed = List(
        Unicode(),
        help="Assignments without hidden tests that nbgrader may run itself, without the sandbox.",
    ).tag(config=True)

    def start(self) -> None:
        """Do what the command or button is for.

        Raises:
            NbGraderException: it could not be done, or not for all; the log says why.
        """
        try:
            checkout = self._checkout()
            if checkout:
                with _no_debugging(self.log):
                    self._do(checkout)
        except (CourseError, OSError) as error:
            reason = _sentence(error)
            self.log.error("%s", reason)
            raise NbGraderException(reason) from None
        if checkout is None:
            super().start()

    def _do(self, checkout: Checkout) -> None:
        raise NotImplementedError

    def _checkout(self) -> Checkout | None:
        """The checkout that grades the assignment; None if that is nbgrader's own task."""
        if not self.checkout:
            return None
        checkout = Checkout.find(Path(self.checkout))
        return checkout if self._assignment in checkout.assignments() else None

    @property
    def _assignment(self) -> str:
        return str(self.coursedir.assignment_id)

    def _course(self) -> Course:
        return Course.open(Path(self.coursedir.root), self.coursedir.db_url)

    def _chosen(self, students: Sequence[str]) -> list[str]:
        """Those of some learners that the command is for.

        Raises:
            CourseError: it is for none.
        """
        notebooks, wanted = self.coursedir.notebook_id, self.coursedir.student_id
        if not fnmatchcase(self._assignment, notebooks):
            raise CourseError(f"{self._assignment} has no notebook {notebooks}.ipynb.")
        excluded = self.coursedir.student_id_exclude.split(",")
        named = [wanted] if wanted in students else [s for s in students if fnmatchcase(s, wanted)]
        chosen = [student for student in named if student not in excluded]
        if not chosen:
            raise CourseError(
                f"nothing of {wanted} is there for {self._assignment}, or not chosen."
            )
        return chosen


class CourseAutograde(CourseGrader, Autograde):  # type: ignore[misc]
    """`nbgrader autograde`: grades what is new or has changed, with --force everything."""

    def _checkout(self) -> Checkout | None:
        if not self.checkout:
            raise CourseError(
                "CourseGrader.checkout is empty, and without it submissions would run without the "
                "sandbox: name the course's repository there."
            )
        checkout = super()._checkout()
        if checkout is None and self._assignment not in self.unsandboxed:
            raise CourseError(
                f"{self._assignment} has no hidden tests, and nbgrader would run what was handed "
                "in without the sandbox: if you trust it all, write c.CourseGrader.unsandboxed = "
                f"['{self._assignment}'] into nbgrader_config.py."
            )
        return checkout

    def convert_notebooks(self) -> None:
        """Grade as nbgrader does, for an assignment without hidden tests."""
        self.log.warning(
            "%s has no hidden tests: nbgrader grades it itself, without a sandbox.",
            self._assignment,
        )
        self._leave_misnamed()
        super().convert_notebooks()

    def _leave_misnamed(self) -> None:
        """Grade nobody whose name would be a formula or another column in a table of marks."""
        if self.coursedir.directory_structure != LAYOUT:
            return
        folders = {path: Path(path).parent.name for path in self.assignments}
        misnamed = {path: name for path, name in folders.items() if not is_name(name)}
        for path in misnamed:
            del self.assignments[path]
        if misnamed:
            self.log.error("%s: %s.", RULES, ", ".join(map(ascii, sorted(misnamed.values()))))

    def _do(self, checkout: Checkout) -> None:
        if self.config.Execute.get("enabled") is False:
            self.log.warning("--no-execute has no meaning for %s: it is run.", self._assignment)
        from .run import Exam, grade_class
        from .sandbox.pools import pool_opener

        course = self._course()
        students = self._chosen(course.students(self._assignment))
        open_pool = pool_opener(self.workers, None, protected=True)
        limits = Limits(self.cell_seconds, self.seconds, self.submission_seconds)
        refused = []
        with course.lock():
            exam = Exam.prepare(checkout, course, self._assignment, limits)
            with contextlib.closing(exam.book):
                for graded in grade_class(exam, students, open_pool, again=self.force):
                    reason = graded.record.refusal
                    self.log.log(WARNING if reason else INFO, "%s", _line(graded, reason))
                    if reason:
                        refused.append(graded.record.student)
                write_overview(course, self._assignment, exam.book)
        if misnamed := course.misnamed():
            self.log.error("%s: %s.", RULES, ", ".join(misnamed))
        if refused:
            names = ", ".join(map(distinct, refused))
            raise CourseError(f"refused, and marked 0: {names}; the lines above say why.")


class CourseFeedback(CourseGrader, GenerateFeedback):  # type: ignore[misc]
    """`nbgrader generate_feedback`: writes the feedback pages again, with the marks and comments
    that people have given since."""

    @default("exporter_class")
    def _exporter_class_default(self) -> type[Exporter]:
        return HarmlessExporter

    def _do(self, checkout: Checkout) -> None:
        course = self._course()
        kept = [path.stem for path in course.records(self._assignment).glob("*.json")]
        if not kept:
            raise CourseError(f"no submission of {self._assignment} has been graded yet.")
        missing = set(self._chosen(sorted(kept)))
        with (
            course.lock(),
            contextlib.closing(Book.open(course, checkout, self._assignment)) as book,
        ):
            by_hand = book.everyone()
            for record in kept_records(course, self._assignment):
                if record.student in missing:
                    missing.remove(record.student)
                    page = write_feedback(course, record, by_hand.get(record.student, ByHand()))
                    _copy_for_release(course.folder(record.student, self._assignment), page.parent)
                    self.log.info("Wrote %s", page)
            write_overview(course, self._assignment, book)
        if missing:
            names = ", ".join(sorted(missing))
            raise CourseError(f"the records of {names} cannot be read: grade them again.")


@contextlib.contextmanager
def _no_debugging(log: Any) -> Iterator[None]:
    """Keep what nbgrader's preprocessors note about each cell out of formgrader's dialogs."""
    level = log.level
    log.setLevel(max(level, INFO))
    try:
        yield
    finally:
        log.setLevel(level)


def _sentence(error: CourseError | OSError) -> str:
    if isinstance(error, CourseError):
        return str(error)
    return f"{error.filename or 'the system'}: {error.strerror or error}"


def _line(graded: Graded, refusal: str) -> str:
    """A submission in the log."""
    record = graded.record
    mark = f"{distinct(record.student)}: {record.points:g} of {record.max_points:g}"
    if refusal:
        return f"{mark}, refused: {refusal}"
    return mark if graded.fresh else f"{mark}, as before: nothing has changed"


def _copy_for_release(submission: Path, feedback: Path) -> None:
    """Put what `nbgrader release_feedback` asks for beside a page: a line of text in each file."""
    for name in FOR_RELEASE:
        with contextlib.suppress(OSError, UnreadableError):
            with opened(submission) as folder, folder.file(name) as file:
                line = file.read(MAX_BYTES)
            (feedback / name).write_bytes(line)


def _harmless(handler: Any) -> Exporter:
    """The exporter of formgrader's pages, in the place of one that lets scripts through."""
    settings: dict[str, Any] = handler.settings
    if EXPORTER not in settings:
        config = settings["nbgrader_exporter"].config
        settings[EXPORTER] = HarmlessExporter(config=config)  # type: ignore[no-untyped-call]
    exporter: Exporter = settings[EXPORTER]
    return exporter
