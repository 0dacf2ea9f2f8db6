"""Which learner of the course somebody in an archive is, the same in every archive.

Canvas' number belongs to a person. Moodle's belongs to what a person handed in for one assignment,
so from one assignment to the next only the name is left.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ..._errors import CourseError
from ..files import write
from .owners import HandIn, safe

_SAME_FOLDER = "another learner's folder would have the same name"


@dataclass(frozen=True)
class Person:
    """Somebody as an archive has them.

    Attributes:
        student: the name in the archive.
        number: the platform's, "" if there is none.
    """

    student: str
    platform: str
    number: str

    @property
    def name(self) -> str:
        """The name of the learner's folder."""
        return safe(self.student)

    @property
    def numbered(self) -> str:
        """That name with the LMS' number, for two learners of one name."""
        return safe(self.student, room=len(self.number) + 1) + f"_{self.number}"


@dataclass(frozen=True)
class Note:
    """Whose a platform's number is.

    Attributes:
        name: the person's name on the platform.
        learner: the folder in submitted/.
    """

    name: str
    learner: str


@dataclass
class MatchedStudents:
    """The files of an archive.

    Attributes:
        learners: by the learner's folder.
        unclear: those of people who may be one learner or another, and why.
    """

    learners: dict[str, list[HandIn]]
    unclear: list[tuple[list[HandIn], str]]


class _UnclearError(ValueError):
    """Somebody may be one learner or another. The message says what to do."""


class Learners:
    """The learners of a course, by their folders and by what was noted about platforms' numbers."""

    def __init__(self, file: Path, submitted: Path, assignment: str) -> None:
        """
        Args:
            file: where the numbers are noted.

        Raises:
            CourseError: the file is damaged.
        """
        self._file, self._assignment = file, assignment
        self._place = f"{submitted.name}/<learner>/{assignment}/"
        self._notes = _read(file)
        there = submitted.iterdir() if submitted.is_dir() else ()
        self._folders = {path.name for path in there if path.is_dir()}

    def tell_apart(self, hand_ins: Iterable[HandIn]) -> MatchedStudents:
        """Find out which learners of the course people are, and note their numbers."""
        people: dict[Person, list[HandIn]] = defaultdict(list)
        for hand_in in hand_ins:
            people[Person(hand_in.student, hand_in.platform, hand_in.number)].append(hand_in)
        known = {person: learner for person in people if (learner := self._noted(person))}
        same = Counter(person.name.casefold() for person in people)
        chosen, unclear = dict(known), []
        for person in people.keys() - known.keys():
            try:
                alone = same[person.name.casefold()] == 1
                chosen[person] = self._unnoted(person, alone, set(known.values()))
            except _UnclearError as reason:
                unclear.append((people[person], str(reason)))
        times = Counter(learner.casefold() for learner in chosen.values())
        clear = {p: learner for p, learner in chosen.items() if times[learner.casefold()] == 1}
        unclear += [(people[p], _SAME_FOLDER) for p in chosen.keys() - clear.keys()]
        self._note(clear)
        unclear.sort(key=lambda one: one[0][0].member.path)
        return MatchedStudents({learner: people[p] for p, learner in clear.items()}, unclear)

    def _key(self, person: Person) -> str:
        """What a number is noted under."""
        if person.platform == "moodle":
            return f"moodle {self._assignment} {person.number}"
        return f"{person.platform} {person.number}"

    def _noted(self, person: Person) -> str:
        """The learner whose number it is, "" if nobody's."""
        if not person.number:
            return ""
        if note := self._notes.get(self._key(person)):
            return note.learner
        return person.numbered if person.numbered in self._folders else ""

    def _unnoted(self, person: Person, alone: bool, others: set[str]) -> str:
        """The learner that somebody is whose number is new.

        Args:
            alone: nobody else in the archive has the name.
            others: the learners that other people in the archive are for sure.

        Raises:
            _UnclearError: it could be one or another.
        """
        known = self._of_name(person.name)
        if not person.number:
            if len(known) > 1 and person.name not in known:
                raise _UnclearError(self._several(known))
            return person.name
        if person.platform == "canvas":
            others = others | self._with_number("canvas ")
        if known <= others:
            return person.numbered if known or not alone else person.name
        if len(known) > 1 or not alone:
            raise _UnclearError(self._several(known))
        if known & self._with_number(f"moodle {self._assignment} "):
            raise _UnclearError(self._other_number(known))
        return known.pop()

    def _of_name(self, name: str) -> set[str]:
        """The learners of this name."""
        noted = {n.learner for n in self._notes.values() if n.name.casefold() == name.casefold()}
        return noted | {f for f in self._folders if f.casefold() == name.casefold()}

    def _with_number(self, start: str) -> set[str]:
        """The learners for whom a number is noted under a key that begins so."""
        return {note.learner for key, note in self._notes.items() if key.startswith(start)}

    def _several(self, known: set[str]) -> str:
        return (
            f"several learners have this name, and the course knows {', '.join(sorted(known))}: "
            f"copy the file to {self._place} by hand"
        )

    def _other_number(self, known: set[str]) -> str:
        return (
            f"{', '.join(known)} has another number in {self._assignment}: copy the file to "
            f"{self._place} by hand, or, if nobody shares a name, use --pattern "
            "'(?P<student>[^/]+)_[0-9]+_assignsubmission'"
        )

    def _note(self, people: Mapping[Person, str]) -> None:
        new = {self._key(p): Note(p.name, learner) for p, learner in people.items() if p.number}
        notes = self._notes | new
        if notes != self._notes:
            content = {key: asdict(note) for key, note in sorted(notes.items())}
            write(self._file, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
            self._notes = notes


def _read(file: Path) -> dict[str, Note]:
    try:
        notes = {key: Note(**note) for key, note in json.loads(file.read_bytes()).items()}
        if not all(_is_folder(note.learner) for note in notes.values()):
            raise ValueError(file)
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise CourseError(
            f"{file} is damaged: put it back from a copy. Only if there is none, delete it; "
            "learners of one name are then told apart anew."
        ) from error
    return notes


def _is_folder(name: object) -> bool:
    return isinstance(name, str) and name not in ("", ".", "..") and Path(name).name == name
