"""Keeps nbgrader's Validate from running learners' notebooks where a class is graded.

`nbgrader validate`, and the Validate button of JupyterLab, run a notebook with all that the caller
can do. In a course folder that is the instructor. So only the instructor's own notebooks are run
there, those in source/ and release/. Learners validate in folders of their own, where this is not
installed. Started in another folder, Validate does not find the kernel that a submission names: see
`kernel`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory
from nbgrader.validator import Validator
from traitlets.config import Config

from .._errors import CourseError

HANDLERS = "nbgrader.server_extensions.validate_assignment.handlers"
LEARNERS = ("submitted", "autograded", "feedback")
_validate = Validator.validate
_validate_and_print = Validator.validate_and_print


class NotValidatedError(CourseError):
    """The notebook is not run. The message says why and what to do."""


def install() -> None:
    """Put it in the way of Validate, in this process. The button's answer to a refusal is a
    sentence only if the server has loaded what answers, as it has beside formgrader."""
    Validator.validate = _validated
    Validator.validate_and_print = _validated_and_printed
    if handlers := sys.modules.get(HANDLERS):
        kind = handlers.ValidateAssignmentHandler
        if not hasattr(kind, "validate_any"):
            kind.validate_any = kind.validate_notebook
            kind.validate_notebook = _answered


def refusal(path: Path, config: Config) -> str:
    """Why a notebook is not run in the course folder that is configured; "" if it is the
    instructor's own, or if nobody hands in there."""
    course = CourseDirectory(config=config)
    root = Path(course.root)
    rooms = [(root / getattr(course, f"{name}_directory")).resolve() for name in LEARNERS]
    file = path.resolve()
    is_learners = any(file.is_relative_to(room) for room in rooms)
    is_class = rooms[0].is_dir()
    if not is_learners and (not is_class or _is_own(file, root, course, config)):
        return ""
    return (
        f"{path} is not run: Validate has no sandbox, and in this course folder it runs only what "
        "is in source/ and release/; for a submission use rnncourse grade or nbgrader autograde."
    )


def _is_own(file: Path, root: Path, course: CourseDirectory, config: Config) -> bool:
    """Whether a file is in source/ or release/, or where these lead: source/ has links to the
    checkout's assignments."""
    checkout = Path(str(config.CourseGrader.get("checkout", "")) or root)
    places = [checkout / "solutions", checkout / "exercises"]
    for name in (course.source_directory, course.release_directory):
        place = root / name
        places += [place, *(place.iterdir() if place.is_dir() else ())]
    return any(file.is_relative_to(place.resolve()) for place in places)


def _validated(self: Any, filename: str) -> Any:
    """In the place of Validator.validate."""
    if reason := refusal(Path(filename), self.config):
        raise NotValidatedError(reason)
    return _validate(self, filename)


def _validated_and_printed(self: Any, filename: str) -> None:
    """In the place of Validator.validate_and_print, which the command calls."""
    try:
        _validate_and_print(self, filename)
    except NotValidatedError as error:
        sys.exit(f"nbgrader validate: {error}")


def _answered(self: Any, path: str) -> dict[str, Any]:
    """In the place of what the button's handler answers."""
    file = (Path(self.root_dir) / path).resolve()
    if reason := refusal(file, self.load_config()):
        return {"success": False, "value": reason}
    answer: dict[str, Any] = self.validate_any(path)
    return answer
