"""Whose the files are that a learning platform hands out: it is in their names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..names import UNSEEN
from ..submissions.reader import shown
from .archive import Member

_MOODLE = re.compile(
    r"^(?P<student>.+?)_(?P<number>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?$"
)
"""A folder, or the beginning of a file's name: Ada Lovelace_123456_assignsubmission_file_"""

_CANVAS = re.compile(
    r"^(?P<student>[^_]+)_(?:LATE_)?(?P<number>\d{2,})_(?P<turn>\d{3,})_(?P<file>.+)$",
    re.IGNORECASE,
)
"""A file: lovelaceada_LATE_12345_67890_lstm-1.ipynb"""

_ATTEMPT = re.compile(r"-(\d{1,4})(?=\.[^.]+$)")
"""What Canvas adds to the name of a file that is handed in again."""

_COPY = re.compile(r"\W*(copy\W*)?(\d{1,2}\W*)?", re.IGNORECASE)
"""What systems add to the name of a second file."""

_MAX_NAME = 100
_MAX_BYTES = 200


@dataclass(frozen=True)
class HandIn:
    """A file and whose it is.

    Attributes:
        student: the learner as the archive has it.
        platform: "moodle", "canvas", or "" for any other.
        number: the platform's number for the learner or the submission, "" if there is none.
        name: the file's name as the learner gave it.
        attempt: of several files of this name the one with the largest counts.
    """

    student: str
    platform: str
    number: str
    name: str
    member: Member
    attempt: tuple[int, int] = (0, 0)


def identify_owners(
    members: Sequence[Member], assignment: str, pattern: re.Pattern[str] | None
) -> tuple[list[HandIn], list[str]]:
    """Find out whose the files are.

    Known are what Moodle and Canvas hand out, a folder for each learner, and notebooks named after
    their learners.

    Args:
        pattern: where the learner is in a file's path, if nothing of this is meant.

    Returns:
        The files, and the paths of those that belong to nobody.
    """
    found, rest = [], []
    outer = _common_folders([member.path for member in members], assignment)
    for member in members:
        if pattern:
            match = pattern.search("/".join(member.path))
            student = match["student"] if match else None
            hand_in = HandIn(student, "", "", member.name, member) if student else None
        else:
            hand_in = _of_moodle(member, outer) or _of_canvas(member, outer)
        if hand_in and safe(hand_in.student):
            found.append(hand_in)
        else:
            rest.append(member)
    unmatched = []
    top = _common_folders([member.path for member in rest], assignment)
    for member in rest:
        hand_in = None if pattern else _of_folder(member, top, assignment)
        if hand_in and safe(hand_in.student):
            found.append(hand_in)
        else:
            unmatched.append(member.shown)
    return found, unmatched


def empty(
    folders: Iterable[tuple[str, ...]], members: Sequence[Member], assignment: str
) -> list[tuple[str, str]]:
    """Learners whose folder from Moodle holds no file: their names and the folders' paths."""
    outer = _common_folders([member.path for member in members], assignment)
    deep = outer + 2  # no folder that lies deeper is asked for
    full = {m.path[:n] for m in members for n in range(min(len(m.path), deep))}
    found = []
    for path in folders:
        match = _MOODLE.match(path[-1]) if len(path) <= outer + 1 and path not in full else None
        if match and safe(match["student"]):
            found.append((safe(match["student"]), shown("/".join(path))))
    return found


def latest(hand_ins: Iterable[HandIn]) -> tuple[list[HandIn], list[HandIn]]:
    """Files without those that were handed in again under the same name, and the latter."""
    last: dict[tuple[str, ...], HandIn] = {}
    older = []
    for hand_in in sorted(hand_ins, key=lambda h: h.attempt):
        name = (hand_in.name,) if any(hand_in.attempt) else hand_in.member.path
        if name in last:
            older.append(last[name])
        last[name] = hand_in
    return list(last.values()), older


def safe(name: str, room: int = 0) -> str:
    """A name that a file or folder can have everywhere, and that the grader takes for a learner's;
    "" if nothing is left of it.

    Args:
        room: for how many characters more there must be room.
    """
    text = unicodedata.normalize("NFC", name)
    text = UNSEEN.sub("", text)
    text = "".join(c if unicodedata.category(c)[0] in "LMN" or c in ".@+-" else " " for c in text)
    text = "_".join(text.split()).strip("._-+@")[: _MAX_NAME - room]
    return text.encode()[: _MAX_BYTES - room].decode(errors="ignore")


def _of_moodle(member: Member, outer: int) -> HandIn | None:
    """A file that the platform named. What lies further inside, learners have named: whoever looks
    there lets one hand in for another.

    Args:
        outer: how many folders are around all files.
    """
    for part in member.path[: outer + 1]:
        if match := _MOODLE.match(part):
            name = member.name if part is not member.path[-1] else match["file"] or ""
            return HandIn(match["student"], "moodle", match["number"], name, member)
    return None


def _of_canvas(member: Member, outer: int) -> HandIn | None:
    match = _CANVAS.match(member.name)
    if not match or len(member.path) > outer + 1:
        return None
    again = _ATTEMPT.search(match["file"])
    name = _ATTEMPT.sub("", match["file"])
    attempt = (int(match["turn"]), int(again[1]) if again else 0)
    return HandIn(match["student"], "canvas", match["number"], name, member, attempt)


def _of_folder(member: Member, top: int, assignment: str) -> HandIn | None:
    """A file in a learner's folder, or a notebook with a learner's name.

    Args:
        top: how many folders are around all of them.
    """
    path = member.path[top:]
    if len(path) > 1:
        return HandIn(path[0], "", "", member.name, member)
    stem = re.sub(r"(\.ipynb(\.\w+)?|\.json|\.zip)$", "", member.name, flags=re.IGNORECASE)
    if stem == member.name:
        return None
    word = rf"(?<![a-z]){re.escape(assignment)}(?![a-z])"
    before, *after = re.split(word, stem, maxsplit=1, flags=re.IGNORECASE)
    student = before.rstrip("-_ ") + after[0].lstrip("-_ ") if after else stem
    if student != stem and _COPY.fullmatch(student):
        return None
    return HandIn(student, "", "", f"{assignment}.ipynb", member)


def _common_folders(paths: Sequence[tuple[str, ...]], assignment: str) -> int:
    """How many folders are around all files, without the learners' own."""
    top = 0
    while (
        paths
        and all(len(path) > top + 2 for path in paths)
        and len({path[top] for path in paths}) == 1
        and all(path[top + 1] != assignment for path in paths)
    ):
        top += 1
    return top
