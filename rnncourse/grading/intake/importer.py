"""One learner's files become a submission: all of them or none, and at that learner's own cost."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from ..._exercise import CHAPTERS
from ..kernel import name_missing_kernel, with_missing_kernel
from ..submissions.budget import Budget, SpentError
from ..submissions.finding import is_named_after, is_notebook
from .archive import MAX_FILES_INSIDE, Member, UnusableError, unzipped
from .choosing import Found, Skipped, choose
from .owners import HandIn, latest

INNERMOST = "(?P<student>[^/]+)/[^/]+$"
"""A pattern: the folder that a file lies in is the learner's."""
OTHER_FILE = "it is no notebook"
MAX_BYTES = 512 * 1024 * 1024
MAX_FILES = 20_000
MAX_SECONDS = 60.0
"""What each learner's files may cost, packed and unpacked. Only who has more is left out."""
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
    left: tuple[Skipped, ...] = ()
    in_doubt: bool = False


class Importer:
    """Takes learners' files, one learner after the other."""

    def __init__(self, scratch: Path, submitted: Path, assignment: str, replace: bool) -> None:
        self._scratch, self._submitted = scratch, submitted
        self._assignment, self._replace = assignment, replace

    def take(self, student: str, hand_ins: Sequence[HandIn]) -> Row:
        """Put a learner's notebooks into their place. Whatever it takes up meanwhile is given back
        before the next learner's turn."""
        try:
            with tempfile.TemporaryDirectory(dir=self._scratch) as place:
                return self._take(student, hand_ins, Path(place))
        except (UnusableError, SpentError) as reason:
            why = str(reason)
        except OSError as error:
            why = f"{error.strerror}"
        return Row(student, paths(hand_ins), "not collected", why)

    def _take(self, student: str, hand_ins: Sequence[HandIn], place: Path) -> Row:
        new = place / self._assignment
        new.mkdir()
        budget = Budget(MAX_BYTES, MAX_FILES, MAX_SECONDS)
        budget.spend(files=len(hand_ins))
        kept, older = latest(hand_ins)
        self._check_folders(hand_ins)
        with ExitStack() as stack:
            notebooks = list(self._notebooks(kept, place, budget, stack))
            choice = choose(notebooks, self._assignment)
            for name, found in choice.taken.items():
                with (new / name).open("wb") as file:
                    _copy(found.member, file, budget)
                name_missing_kernel(new / name, budget)
        outcome, why = self._put(student, new, place, budget)
        files = dict.fromkeys(paths(found.source for found in choice.taken.values()))
        left = [Skipped(path, "it was handed in again later") for path in paths(older)]
        left += choice.left
        left += [Skipped(path, OTHER_FILE) for path in paths(h for h in kept if not _may_be_one(h))]
        whole_why = "; ".join(said for said in (why, choice.why) if said)
        return Row(student, tuple(files), outcome, whole_why, tuple(left), choice.in_doubt)

    def _check_folders(self, hand_ins: Sequence[HandIn]) -> None:
        """Where no platform says whose files are, those of different folders may be different
        learners'.

        Raises:
            UnusableError: there are notebooks in different folders.
        """
        unsure = [h for h in hand_ins if not h.platform and self._may_be_meant(h)]
        first = {h.member.path[:-1]: h.member.shown for h in reversed(unsure)}
        if len(first) > 1:
            raise UnusableError(
                f"{' and '.join(sorted(first.values())[:2])} may be from different learners: say "
                f"where the names are with --pattern, such as '{INNERMOST}'"
            )

    def _may_be_meant(self, hand_in: HandIn) -> bool:
        """Whether a file may be a notebook of this assignment."""
        others = (name for name in CHAPTERS if name != self._assignment)
        of_this = is_named_after(hand_in.name, self._assignment)
        of_another = any(is_named_after(hand_in.name, name) for name in others)
        return _may_be_one(hand_in) and (of_this or not of_another)

    def _notebooks(
        self, hand_ins: Iterable[HandIn], place: Path, budget: Budget, stack: ExitStack
    ) -> Iterator[Found]:
        """The notebooks among a learner's files, also those in archives.

        Args:
            place: where archives are copied to.
            stack: what keeps them open.
        """
        for hand_in in hand_ins:
            if hand_in.member.is_archive:
                inside = self._inside(hand_in.member, place, budget, stack)
                yield from (Found(m.name, m, hand_in) for m in inside if is_notebook(m.name))
            elif is_notebook(hand_in.name):
                yield Found(hand_in.name, hand_in.member, hand_in)

    def _inside(
        self, member: Member, place: Path, budget: Budget, stack: ExitStack
    ) -> list[Member]:
        handle, _ = tempfile.mkstemp(dir=place)
        file = stack.enter_context(os.fdopen(handle, "w+b"))
        _copy(member, file, budget)
        try:
            members = stack.enter_context(unzipped(file, MAX_FILES_INSIDE)).members
        except UnusableError as reason:
            raise UnusableError(f"{member.shown} {reason}") from reason
        budget.spend(files=len(members))
        return members

    def _put(self, student: str, new: Path, scratch: Path, budget: Budget) -> tuple[Outcome, str]:
        """Move a learner's files to their place; what was there goes to a folder that is removed.

        Args:
            new: the files.
        """
        place = self._submitted / student / self._assignment
        if place.is_symlink() or place.parent.is_symlink():
            raise UnusableError("the folder is a link")
        place.parent.mkdir(exist_ok=True)
        if not place.is_dir() or not any(place.iterdir()):
            new.rename(place)
            return "new", ""
        if _notebooks(place, budget) == _notebooks(new, budget):
            return "there already", ""
        if not self._replace:
            return "kept", "another version is there; --replace takes this one instead"
        self._exchange(place, new, scratch)
        return "replaced", ""

    def _exchange(self, place: Path, new: Path, scratch: Path) -> None:
        old = Path(tempfile.mkdtemp(dir=scratch)) / self._assignment
        place.rename(old)
        try:
            new.rename(place)
        except BaseException:
            old.rename(place)
            raise


def _copy(member: Member, target: IO[bytes], budget: Budget) -> None:
    try:
        member.copy(target, budget)
    except UnusableError as reason:
        raise UnusableError(f"{member.shown} {reason}") from reason


def paths(hand_ins: Iterable[HandIn]) -> tuple[str, ...]:
    """Where files were found, in messages."""
    return tuple(hand_in.member.shown for hand_in in hand_ins)


def _may_be_one(hand_in: HandIn) -> bool:
    """Whether a file may be, or hold, a notebook."""
    return hand_in.member.is_archive or is_notebook(hand_in.name)


def _notebooks(folder: Path, budget: Budget) -> dict[str, str]:
    """The notebooks in a folder, with SHA-256 of what they are when they are taken in: those that
    were copied by hand name kernels of their own."""
    files = (path for path in folder.iterdir() if is_notebook(path.name))
    found = {}
    for path in files:
        if path.is_file() and not path.is_symlink():
            data = with_missing_kernel(path.read_bytes(), budget)
            found[path.name] = hashlib.sha256(data).hexdigest()
    return found
