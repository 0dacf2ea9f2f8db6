"""The page for whoever teaches: how a class did, who needs a look, what went wrong most often."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from ..names import distinct
from ..record import ByHand, ExerciseRecord, Record
from ..sandbox.bubblewrap import caution
from . import rendering
from .rendering import LOOKS, Look

SHOWN_MISTAKES = 8
"""How many of the most frequent mistakes are shown at once."""
SHOWN_NAMES = 12
"""Longer lists are folded."""

_REASONS = {
    "waits": "Waits for a person",
    "refused": "Could not be read",
    "error": "Ended with an error",
    "timeout": "Did not end",
    "slept": "Waited or slept too long",
}
"""Why somebody needs a look, the most urgent first."""
_KNOWN = {
    "repaired": "Was mended before it ran",
    "late": "Was handed in late",
}
"""What was settled without anybody."""

_NAMELESS = "Wrong in a way that has no name."


@dataclass(frozen=True)
class _Learner:
    """A learner's name and the address of the feedback page."""

    name: str
    link: str


@dataclass(frozen=True)
class _Case:
    """What to look at in one learner's work: reasons, each with the exercises that it is about,
    none where it is about the whole notebook."""

    learner: _Learner
    reasons: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class _Mistake:
    exercise: str
    sentence: str
    learners: tuple[_Learner, ...]


@dataclass(frozen=True)
class _Share:
    """How many had an exercise how; the median is of all who have a mark for it."""

    exercise: str
    median: float | None
    counts: tuple[tuple[Look, int], ...]


@dataclass(frozen=True)
class _Mark:
    """One exercise of one learner in the table; points are None while it waits for a person."""

    look: Look
    points: float | None
    by_hand: bool


@dataclass(frozen=True)
class _Row:
    """A learner in the table. An exercise that the record does not know has no mark."""

    learner: _Learner
    total: float
    marks: tuple[_Mark | None, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Submission:
    """A record with what a person has decided about it."""

    learner: _Learner
    record: Record
    by_hand: ByHand

    @cached_property
    def total(self) -> float:
        return self.by_hand.points(self.record)

    @cached_property
    def marks(self) -> dict[str, _Mark]:
        """By exercise."""
        return {e.exercise: self._mark(e) for e in self.record.exercises}

    def _mark(self, e: ExerciseRecord) -> _Mark:
        points = self.by_hand.mark(e)
        look = LOOKS["waits" if points is None else e.verdict]
        return _Mark(look, points, e.exercise in self.by_hand.scores)


def overview(
    assignment: str,
    records: Sequence[Record],
    by_hand: Mapping[str, ByHand],
    nothing: Sequence[str],
    feedback: str = "../feedback",
) -> str:
    """The page on a class: one HTML file that needs nothing, and links to the feedback pages.

    Args:
        records: of all who handed in; brief ones are enough.
        by_hand: what people have decided, by learner.
        nothing: who handed in nothing.
        feedback: the address of the folder of feedback pages, as seen from this page.
    """
    found = [
        _Submission(_learner(r, feedback), r, by_hand.get(r.student, ByHand())) for r in records
    ]
    worth = {e.exercise: e.max_points for r in records for e in r.exercises}
    totals = [one.total for one in found]
    look, known, mistakes = _look(found), _known(found), _mistakes(found)
    need_a_look = _learners(look.values())
    return rendering.render(
        "overview",
        assignment=assignment,
        handed_in=len(records),
        nothing=[distinct(name) for name in nothing],
        max_points=max((r.max_points for r in records), default=0),
        median=statistics.median(totals) if totals else None,
        quartiles=_quartiles(totals),
        layers=_layers(records),
        cautions=sorted({caution(record.sandbox) for record in records} - {""}),
        look=look,
        need_a_look=len(need_a_look),
        known=known,
        only_mended=len(_learners([known.get(_KNOWN["repaired"], [])]) - need_a_look),
        mistakes=mistakes[:SHOWN_MISTAKES],
        more_mistakes=mistakes[SHOWN_MISTAKES:],
        shares=[_share(exercise, found) for exercise in worth],
        worth=worth,
        rows=[_row(one, list(worth)) for one in found],
        looks=LOOKS,
        shown_names=SHOWN_NAMES,
    )


def _learner(record: Record, feedback: str) -> _Learner:
    student, name = (
        quote(text, safe="", errors="surrogateescape")
        for text in (record.student, record.assignment)
    )
    return _Learner(distinct(record.student), f"{feedback}/{student}/{name}/{name}.html")


def _quartiles(totals: Sequence[float]) -> tuple[float, float] | None:
    """Between which marks the middle half of a class lies; None for fewer than four learners."""
    if len(totals) < 4:
        return None
    low, _, high = statistics.quantiles(totals, n=4, method="inclusive")
    return low, high


def _layers(records: Sequence[Record]) -> list[tuple[str, int]]:
    """What protected the grader while learners' code ran, and for how many submissions."""
    ran = (r for r in records if any(e.verdict != "refused" for e in r.exercises))
    return Counter(record.sandbox for record in ran).most_common()


def _look(found: Sequence[_Submission]) -> dict[str, list[_Case]]:
    """Who needs a look, by reason. A mark by hand settles an exercise."""
    cases: dict[str, list[_Case]] = {reason: [] for reason in _REASONS.values()}
    for one in found:
        for kind, reason in _REASONS.items():
            if why := _why(one, kind):
                cases[reason].append(_Case(one.learner, why))
    return {reason: those for reason, those in cases.items() if those}


def _why(one: _Submission, kind: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What was found of one kind, each sentence once with the exercises where it was found."""
    exercises: dict[str, list[str]] = defaultdict(list)
    for e in one.record.exercises:
        mark = one.marks[e.exercise]
        if mark.look.kind == kind and not mark.by_hand:
            # A refusal stands in every exercise of a record, and is about the whole notebook.
            named = [] if kind == "refused" else [e.exercise]
            exercises["; ".join(e.flags) or e.message] += named
    return tuple((why, tuple(names)) for why, names in exercises.items())


def _known(found: Sequence[_Submission]) -> dict[str, list[_Case]]:
    """What is worth knowing and needs nobody."""
    mended = [
        _Case(one.learner, tuple((repair, ()) for repair in one.record.repairs))
        for one in found
        if one.record.repairs
    ]
    late = [
        _Case(one.learner, ((f"the mark is lower by {rendering.points(lower)}.", ()),))
        for one in found
        if (lower := one.by_hand.penalty)
    ]
    cases = {_KNOWN["repaired"]: mended, _KNOWN["late"]: late}
    return {what: those for what, those in cases.items() if those}


def _learners(lists: Iterable[Sequence[_Case]]) -> set[_Learner]:
    return {case.learner for cases in lists for case in cases}


def _mistakes(found: Sequence[_Submission]) -> list[_Mistake]:
    """What went wrong and for whom: the most frequent first, what has no name last."""
    learners: dict[tuple[str, str], list[_Learner]] = defaultdict(list)
    for one in found:
        for e in one.record.exercises:
            if sentence := _what_went_wrong(e):
                learners[e.exercise, sentence].append(one.learner)
    mistakes = (_Mistake(*what, tuple(who)) for what, who in learners.items())
    return sorted(mistakes, key=lambda m: (m.sentence == _NAMELESS, -len(m.learners)))


def _what_went_wrong(e: ExerciseRecord) -> str:
    """A sentence that learners with the same mistake share; "" for none."""
    if e.flags or e.verdict in ("passed", "unfilled", "refused"):
        return ""
    return e.message if e.mistake or e.verdict in ("error", "timeout", "slept") else _NAMELESS


def _share(exercise: str, found: Sequence[_Submission]) -> _Share:
    marks = [one.marks[exercise] for one in found if exercise in one.marks]
    given = [mark.points for mark in marks if mark.points is not None]
    counts = Counter(mark.look for mark in marks)
    return _Share(
        exercise,
        statistics.median(given) if given else None,
        tuple((look, counts[look]) for look in LOOKS.values() if counts[look]),
    )


def _row(one: _Submission, exercises: Sequence[str]) -> _Row:
    notes = []
    if one.by_hand.penalty:
        notes.append(f"late −{rendering.points(one.by_hand.penalty)}")
    if extra := sum(one.by_hand.extra.values()):
        notes.append(f"extra +{rendering.points(extra)}")
    if one.record.repairs:
        notes.append("mended")
    return _Row(one.learner, one.total, tuple(map(one.marks.get, exercises)), tuple(notes))
