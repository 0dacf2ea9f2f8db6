"""From what a learning platform hands out to the folders that nbgrader and this grader read.

Whose a file is, is in its name or in its folder's. Each learner's files come to
submitted/<learner>/<assignment>/, all together or not at all.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from ..._errors import CourseError
from ..._exercise import CHAPTERS
from ..course import Course
from .archive import Archive, UnusableError, opened
from .importer import INNERMOST, Importer, Row, paths
from .learners import Learners
from .owners import empty, identify_owners, safe

NO_FILE = "the folder is empty"


@dataclass
class Collected:
    """What happened to an archive.

    Attributes:
        unmatched: files that belong to no learner.
        ignored: what was not looked at, and why.
    """

    rows: list[Row] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def collect_into(
    course: Course,
    archive: Path,
    assignment: str,
    pattern: str | None = None,
    replace: bool = False,
) -> Collected:
    """Put the notebooks of an LMS' archive, or of a folder of such files, into a course folder.

    Args:
        pattern: a regular expression with a group (?P<student>...), searched in each file's path.
        replace: take them also where a learner has handed in before.

    Returns:
        A row for each learner, and what was not looked at or belongs to nobody.

    Raises:
        CourseError: nothing was collected; the message says why.

    Example:
        >>> from pathlib import Path
        >>> from rnncourse.grading import Course, collect
        >>> Path("moodle/ada").mkdir(parents=True)
        >>> _ = Path("moodle/ada/lstm.ipynb").write_text("{}")
        >>> done = collect(Course.open(Path()), Path("moodle"), "lstm")
        >>> [(row.student, row.outcome) for row in done.rows]
        [('ada', 'new')]
    """
    if assignment not in CHAPTERS:
        raise CourseError(f"there is no assignment called {assignment}: {', '.join(CHAPTERS)}.")
    with course.lock():
        submitted, numbers = course.submitted_folder, course.learners
        return collect(archive, submitted, numbers, assignment, pattern, replace)


def collect(
    archive: Path,
    submitted: Path,
    numbers: Path,
    assignment: str,
    pattern: str | None = None,
    replace: bool = False,
) -> Collected:
    """Put the notebooks of an archive, or of a folder of such files, where the grader finds them.

    What is there already is kept, unless `replace` is set.

    Args:
        submitted: the course's folder of submissions.
        numbers: the course's file of platforms' numbers for learners.
        pattern: a regular expression with a group (?P<student>...), searched in each file's path.

    Raises:
        CourseError: the archive or the file of numbers cannot be read, or nothing in the archive
            belongs to a learner.
    """
    whose = _compiled(pattern)
    try:
        with opened(archive) as files:
            return _collect(files, submitted, numbers, assignment, whose, replace)
    except UnusableError as reason:
        raise CourseError(f"{archive} {reason}.") from reason


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise CourseError(f"--pattern is no regular expression: {error}.") from error
    if "student" not in compiled.groupindex:
        raise CourseError("--pattern needs a group (?P<student>...) that holds the learner's name.")
    return compiled


def _collect(
    files: Archive,
    submitted: Path,
    numbers: Path,
    assignment: str,
    whose: re.Pattern[str] | None,
    replace: bool,
) -> Collected:
    hand_ins, unmatched = identify_owners(files.members, assignment, whose)
    if not hand_ins:
        there = f"there is {', '.join(unmatched[:3])}" if unmatched else "it holds no files"
        raise CourseError(
            f"nothing could be matched to a learner ({there}): "
            f"say where the names are with --pattern, such as '{INNERMOST}'."
        )
    done = Collected(unmatched=unmatched, ignored=files.ignored)
    submitted.mkdir(parents=True, exist_ok=True)
    told = Learners(numbers, submitted, assignment).tell_apart(hand_ins)
    with tempfile.TemporaryDirectory(dir=submitted, prefix=".collect-") as scratch:
        importer = Importer(Path(scratch), submitted, assignment, replace)
        for student, theirs in sorted(told.learners.items()):
            done.rows.append(importer.take(student, theirs))
    for theirs, why in told.unclear:
        done.rows.append(Row(safe(theirs[0].student), paths(theirs), "not collected", why))
    for student, path in empty(files.folders, files.members, assignment):
        done.rows.append(Row(student, (path,), "not collected", NO_FILE))
    return done
