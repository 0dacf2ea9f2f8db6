"""Which of the notebooks that one learner handed in are taken, and under which names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..submissions.finding import MAX_CANDIDATES, is_named_after
from .archive import Member, UnusableError
from .owners import HandIn, safe

NO_NOTEBOOK = "there is no notebook"


@dataclass(frozen=True)
class Found:
    """A notebook.

    Attributes:
        name: as the learner gave it.
        source: the file that it is, or the archive that it lies in.
    """

    name: str
    member: Member
    source: HandIn

    @property
    def shown(self) -> str:
        """Where it was found, in messages."""
        outer = self.source.member
        return outer.shown if outer is self.member else f"{outer.shown}: {self.member.shown}"


@dataclass(frozen=True)
class Skipped:
    """A file that is not taken, and why."""

    file: str
    why: str


@dataclass
class Choice:
    """What becomes of a learner's notebooks.

    Attributes:
        taken: by the names that they get.
        in_doubt: whether the grader may refuse them, as it cannot tell which one is meant.
    """

    taken: dict[str, Found]
    left: list[Skipped] = field(default_factory=list)
    why: str = ""
    in_doubt: bool = False


def choose(found: Sequence[Found], assignment: str) -> Choice:
    """Of copies of one name the last is taken, and gets the assignment's name. Where there is no
    telling, all are kept, and the grader decides.

    Raises:
        UnusableError: there is no notebook, or too many.
    """
    if not found:
        raise UnusableError(NO_NOTEBOOK)
    whole = f"{assignment}.ipynb"
    named: list[Found] = []
    others: list[Found] = []
    for one in found:
        (named if is_named_after(one.name, assignment) else others).append(one)
    if not named:
        return _kept(found, whole)
    left = [Skipped(one.shown, f"its name does not say {assignment}") for one in others]
    last, older = _last(named, assignment)
    if last is None:
        choice = Choice({whole: named[0]}) if len(named) == 1 else _kept(named, whole)
        return Choice(choice.taken, left, choice.why, choice.in_doubt)
    left += [Skipped(one.shown, f"{last.shown} counts as later") for one in older]
    ranked = {id(one) for one in (last, *older)}
    beside = [one for one in named if id(one) not in ranked]
    left += [Skipped(one.shown, "enough others lie beside it") for one in beside[MAX_CANDIDATES:]]
    beside = beside[:MAX_CANDIDATES]
    names = {f"{n} {_file_name(one.name)}": one for n, one in enumerate(beside, 2)}
    why = f"the grader takes {last.shown}, and the others lie beside it" if beside else ""
    return Choice({whole: last} | names, left, why)


def _kept(found: Sequence[Found], wanted: str) -> Choice:
    """All of them, by their own names, with numbers if there are several.

    Raises:
        UnusableError: they are more than the grader looks through.
    """
    if len(found) > MAX_CANDIDATES:
        raise UnusableError(
            f"there are {len(found)} notebooks, and it does not say which is {wanted}"
        )
    if len(found) == 1:
        return Choice({_file_name(found[0].name): found[0]})
    names = {f"{n} {_file_name(one.name)}": one for n, one in enumerate(found, 1)}
    why = "several could be meant, and the grader takes one only if what is in them tells which"
    return Choice(names, why=why, in_doubt=True)


def _last(named: Sequence[Found], assignment: str) -> tuple[Found | None, list[Found]]:
    """The last of the copies of the assignment's own name, if there is one, and the others.

    A browser puts a number behind what is saved again. What a person has copied may be the version
    that was gone on with, or the one that was put aside.
    """
    together = len({one.source.attempt for one in named}) == 1
    if together and len(named) > 1 and any("copy" in one.name.lower() for one in named):
        return None, []
    ranks = {
        n: (one.source.attempt, number)
        for n, one in enumerate(named)
        if (number := _copy_number(one.name, assignment)) is not None
    }
    last = [n for n, rank in ranks.items() if rank == max(ranks.values())]
    if len(last) != 1:
        return None, []
    return named[last[0]], [named[n] for n in ranks if n != last[0]]


def _copy_number(name: str, assignment: str) -> int | None:
    """0 for lstm.ipynb, 1 for lstm (1).ipynb and lstm-Copy1.ipynb; None if the name says more."""
    copy = r"(?P<copy>[ _-]*(copy[ _-]*)?\(?(?P<number>\d{0,4})\)?)"
    pattern = rf"{re.escape(assignment)}{copy}\.(ipynb(\.\w+)?|json)"
    match = re.fullmatch(pattern, name, re.IGNORECASE | re.ASCII)
    if match is None:
        return None
    return int(match["number"] or bool(match["copy"]))


def _file_name(name: str) -> str:
    return safe(name) or "notebook.ipynb"
