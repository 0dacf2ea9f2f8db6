"""From what the instructor edits to what the learner opens: nbgrader's own release, undisturbed."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from ..errors import CourseError


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
        _convert(checkout, assignment, scratch)
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(scratch / assignment, target)
    return target


def _convert(checkout: Path, assignment: str, output: Path) -> None:
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
        with programs_of_this_python():
            converter.start()
    except (Exception, SystemExit) as error:
        reason = reasons.first or str(error)
        raise CourseError(f"{assignment} could not be released: {reason}") from error
    finally:
        converter.log.removeHandler(reasons)


@contextmanager
def programs_of_this_python() -> Iterator[None]:
    """nbgrader starts `alembic` by name; it lies beside this Python, activated or not."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


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
