"""From what a learning platform hands out to the folders that nbgrader and this grader read.

Whose a file is, is in its name or in its folder's. Each learner's files come to
submitted/<learner>/<assignment>/, all together or not at all.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal, get_args

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...errors import CourseError
from ...exercise import CHAPTERS
from ..course import Course
from .archive import MAX_FILES_INSIDE, Archive, Budget, Member, Unusable, opened, unzipped
from .choosing import NO_NOTEBOOK, Found, Left, choose
from .finding import is_named_after, is_notebook
from .learners import Learners
from .owners import HandIn, empty, latest, safe, sort

INNERMOST = "(?P<student>[^/]+)/[^/]+$"
"""A pattern: the folder that a file lies in is the learner's."""
NO_FILE = "the folder is empty"
MAX_ROWS = 40
"""Up to how many learners are all listed."""
OTHER_FILE = "it is no notebook"
Outcome = Literal["new", "replaced", "there already", "kept", "not collected"]


@dataclass(frozen=True)
class Row:
    """What happened to one learner's files.

    Attributes:
        student: the learner's folder in submitted/.
        files: where they were in the archive.
        why: more about it, "" if there is nothing to say.
        left: the learner's other files.
        in_doubt: whether the grader may refuse what was taken.
    """

    student: str
    files: tuple[str, ...]
    outcome: Outcome
    why: str = ""
    left: tuple[Left, ...] = ()
    in_doubt: bool = False


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


def collect_archive(
    archive: Path,
    assignment: str,
    folder: Path,
    console: Console,
    pattern: str | None = None,
    replace: bool = False,
    everybody: bool = False,
) -> None:
    """What `rnncourse collect` does: collect into a course folder, and print what happened.

    Args:
        everybody: list all learners, also where there are many and nothing is to be said.

    Raises:
        CourseError: an input is wrong, and nothing was collected; or some learners' files could not
            be, and all others were.
    """
    if assignment not in CHAPTERS:
        raise CourseError(f"there is no assignment called {assignment}: {', '.join(CHAPTERS)}.")
    if not folder.is_dir():
        raise CourseError(f"there is no folder {folder}.")
    course = Course.open(folder)
    with course.lock():
        submitted = course.submitted_folder
        done = collect(archive, submitted, course.learners, assignment, pattern, replace)
    listed = done.rows if everybody or len(done.rows) <= MAX_ROWS else list(filter(_odd, done.rows))
    if listed:
        console.print(_table(listed))
    if len(listed) < len(done.rows):
        console.print(f"Not listed: {len(done.rows) - len(listed)} that are plain; --all lists all")
    for sentence in done.ignored:
        console.print(Text(f"Not looked at: {sentence}."))
    if done.unmatched:
        console.print(Text(f"Belongs to no learner: {_some(done.unmatched, 20)}."))
    console.print(_summary(done.rows))
    console.print(Text(f"Submissions: {course.submitted_folder}"))
    if reasons := list(_wrong(done)):
        reasons[0] = reasons[0][0].lower() + reasons[0][1:]
        raise CourseError(" ".join(reasons))


def _odd(row: Row) -> bool:
    """Whether there is more to say than that a learner's notebook is there."""
    others = any(left.why != OTHER_FILE for left in row.left)
    return row.outcome not in ("new", "there already") or bool(row.why) or others


def _table(rows: Iterable[Row]) -> Table:
    table = Table("learner", "file", "what happened")
    for row in rows:
        happened = f"{row.outcome}: {row.why}" if row.why else row.outcome
        table.add_row(Text(row.student), Text(_some(row.files)), Text(happened))
        for left in row.left:
            table.add_row(Text(row.student), Text(left.file), Text(f"not taken: {left.why}"))
    return table


def _summary(rows: Iterable[Row]) -> str:
    """How many learners there were of each outcome."""
    times = Counter(row.outcome for row in rows)
    return ", ".join(f"{times[name]} {name}" for name in get_args(Outcome) if times[name]) + "."


def _wrong(done: Collected) -> Iterator[str]:
    """What somebody has to look at, a sentence each."""
    failed = [row for row in done.rows if row.outcome == "not collected"]
    without = [row.student for row in failed if row.why in (NO_NOTEBOOK, NO_FILE)]
    if others := [row.student for row in failed if row.why not in (NO_NOTEBOOK, NO_FILE)]:
        yield f"Not collected: {_some(others, 20)}; the table says why."
    if without:
        yield f"{_learners(len(without))} handed in no notebook: {', '.join(without)}."
    if doubtful := [row.student for row in done.rows if row.in_doubt]:
        yield f"Several notebooks, which the grader may refuse: {_some(doubtful, 20)}."
    if done.ignored:
        yield f"Not looked at, as said above: {_files(len(done.ignored))}."


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def _learners(number: int) -> str:
    return "1 learner" if number == 1 else f"{number} learners"


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
    except Unusable as reason:
        raise CourseError(f"{archive} {reason}.") from reason


def _some(names: Sequence[str], limit: int = 3) -> str:
    """Names, or the first of many."""
    more = [f"and {len(names) - limit} more"] if len(names) > limit else []
    return ", ".join([*names[:limit], *more])


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
    hand_ins, unmatched = sort(files.members, assignment, whose)
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
        desk = _Desk(Path(scratch), submitted, assignment, replace)
        for student, theirs in sorted(told.learners.items()):
            done.rows.append(desk.take(student, theirs))
    for theirs, why in told.unclear:
        done.rows.append(Row(safe(theirs[0].student), _paths(theirs), "not collected", why))
    for student, path in empty(files.folders, files.members, assignment):
        done.rows.append(Row(student, (path,), "not collected", NO_FILE))
    return done


class _Desk:
    """Takes learners' files, one learner after the other."""

    def __init__(self, scratch: Path, submitted: Path, assignment: str, replace: bool) -> None:
        self._scratch, self._submitted = scratch, submitted
        self._assignment, self._replace = assignment, replace
        self._budget = Budget()

    def take(self, student: str, hand_ins: Sequence[HandIn]) -> Row:
        new = Path(tempfile.mkdtemp(dir=self._scratch)) / self._assignment
        new.mkdir()
        kept, older = latest(hand_ins)
        try:
            self._check_folders(hand_ins)
            with ExitStack() as stack:
                choice = choose(list(self._notebooks(kept, stack)), self._assignment)
                for name, found in choice.taken.items():
                    with (new / name).open("wb") as file:
                        _copy(found.member, file, self._budget)
            outcome, why = self._put(student, new)
        except Unusable as reason:
            return Row(student, _paths(hand_ins), "not collected", str(reason))
        except OSError as error:
            return Row(student, _paths(hand_ins), "not collected", f"{error.strerror}")
        files = dict.fromkeys(_paths(found.source for found in choice.taken.values()))
        left = [Left(path, "it was handed in again later") for path in _paths(older)]
        left += choice.left
        left += [Left(path, OTHER_FILE) for path in _paths(h for h in kept if not _may_be_one(h))]
        whole_why = "; ".join(said for said in (why, choice.why) if said)
        return Row(student, tuple(files), outcome, whole_why, tuple(left), choice.in_doubt)

    def _check_folders(self, hand_ins: Sequence[HandIn]) -> None:
        """Where no platform says whose files are, those of different folders may be different
        learners'.

        Raises:
            Unusable: there are notebooks in different folders.
        """
        unsure = [h for h in hand_ins if not h.platform and self._may_be_meant(h)]
        first = {h.member.path[:-1]: h.member.shown for h in reversed(unsure)}
        if len(first) > 1:
            raise Unusable(
                f"{' and '.join(sorted(first.values())[:2])} may be from different learners: say "
                f"where the names are with --pattern, such as '{INNERMOST}'"
            )

    def _may_be_meant(self, hand_in: HandIn) -> bool:
        """Whether a file may be a notebook of this assignment."""
        others = (name for name in CHAPTERS if name != self._assignment)
        of_this = is_named_after(hand_in.name, self._assignment)
        of_another = any(is_named_after(hand_in.name, name) for name in others)
        return _may_be_one(hand_in) and (of_this or not of_another)

    def _notebooks(self, hand_ins: Iterable[HandIn], stack: ExitStack) -> Iterator[Found]:
        """The notebooks among a learner's files, also those in archives."""
        for hand_in in hand_ins:
            if hand_in.member.is_archive:
                inside = self._inside(hand_in.member, stack)
                yield from (Found(m.name, m, hand_in) for m in inside if is_notebook(m.name))
            elif is_notebook(hand_in.name):
                yield Found(hand_in.name, hand_in.member, hand_in)

    def _inside(self, member: Member, stack: ExitStack) -> list[Member]:
        handle, _ = tempfile.mkstemp(dir=self._scratch)
        file = stack.enter_context(os.fdopen(handle, "w+b"))
        _copy(member, file, self._budget)
        try:
            return stack.enter_context(unzipped(file, MAX_FILES_INSIDE)).members
        except Unusable as reason:
            raise Unusable(f"{member.shown} {reason}") from reason

    def _put(self, student: str, new: Path) -> tuple[Outcome, str]:
        """Move a learner's files to their place."""
        place = self._submitted / student / self._assignment
        if place.is_symlink() or place.parent.is_symlink():
            raise Unusable("the folder is a link")
        place.parent.mkdir(exist_ok=True)
        if not place.is_dir() or not any(place.iterdir()):
            new.rename(place)
            return "new", ""
        if _notebooks(place) == _notebooks(new):
            return "there already", ""
        if not self._replace:
            return "kept", "another version is there; --replace takes this one instead"
        self._exchange(place, new)
        return "replaced", ""

    def _exchange(self, place: Path, new: Path) -> None:
        old = Path(tempfile.mkdtemp(dir=self._scratch)) / self._assignment
        place.rename(old)
        try:
            new.rename(place)
        except BaseException:
            old.rename(place)
            raise


def _copy(member: Member, target: IO[bytes], budget: Budget) -> None:
    try:
        member.copy(target, budget)
    except Unusable as reason:
        raise Unusable(f"{member.shown} {reason}") from reason


def _paths(hand_ins: Iterable[HandIn]) -> tuple[str, ...]:
    return tuple(hand_in.member.shown for hand_in in hand_ins)


def _may_be_one(hand_in: HandIn) -> bool:
    """Whether a file may be, or hold, a notebook."""
    return hand_in.member.is_archive or is_notebook(hand_in.name)


def _notebooks(folder: Path) -> dict[str, str]:
    """The notebooks in a folder, with SHA-256 of what is in them."""
    files = (path for path in folder.iterdir() if is_notebook(path.name))
    found = {}
    for path in files:
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
