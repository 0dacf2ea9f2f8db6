"""From what the instructor edits to what the learner opens: nbgrader's own release, undisturbed."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from .._errors import CourseError
from .gradebook.schema import making_tables


def release(checkout: Path, assignment: str) -> Path:
    """Make exercises/<assignment> from solutions/<assignment>, all of it or nothing.

    Returns:
        The folder of the released assignment.

    Raises:
        CourseError: nbgrader could not convert it; the message holds its reason.
    """
    target = checkout / "exercises" / assignment
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        convert(checkout, assignment, scratch)
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(scratch / assignment, target)
    return target


def convert(checkout: Path, assignment: str, output: Path) -> None:
    """Run nbgrader's generate_assignment: the released notebook goes to `output`/<assignment>. The
    gradebook that it wants to have lies beside it.

    Raises:
        CourseError: nbgrader refused; the message holds its reason.
    """
    config = Config()
    config.CourseDirectory.root = str(checkout)
    config.CourseDirectory.source_directory = "solutions"
    config.CourseDirectory.release_directory = str(output)
    config.CourseDirectory.assignment_id = assignment
    config.CourseDirectory.db_url = f"sqlite:///{output / 'gradebook.db'}"
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    reasons = _Reasons()
    converter.log = logging.getLogger("rnncourse.release")
    converter.log.propagate = False
    converter.log.addHandler(reasons)
    try:
        with making_tables():
            converter.start()
    except (Exception, SystemExit) as error:
        reason = reasons.first or str(error)
        raise CourseError(f"{assignment} could not be released: {reason}") from error
    finally:
        converter.log.removeHandler(reasons)


class _Reasons(logging.Handler):
    """Keeps what nbgrader logs as errors: its exceptions only point to the log."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

    @property
    def first(self) -> str:
        """The last line of the first traceback, else of the first message."""
        traced = [m for m in self.messages if m.startswith("Traceback")] or self.messages
        return traced[0].strip().splitlines()[-1] if traced else ""
