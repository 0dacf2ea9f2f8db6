"""The page a learner gets back: each exercise's verdict beside the learner's own code."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from ...checks.display import SIGNS as STAGE_SIGNS
from ...checks.display import remarks
from ...checks.report import Report, StageReport
from ..record import ByHand, CellNote, ExerciseRecord, Record, Verdict
from . import rendering
from .rendering import LOOKS, Look, Picture

_COMPARE = "run check({}) in your notebook. It shows your numbers beside the right ones."
_NEXT: dict[Verdict, str] = {
    "partial": _COMPARE,
    "failed": _COMPARE,
    "unfilled": "write it in its cell of your notebook, then run check({}).",
    "error": "restart the kernel of your notebook, run its cells in order, then check({}). "
    "The last line of the error says what is wrong.",
    "timeout": "go through the first two steps of {} with pencil and paper. What should make it "
    "end?",
    "slept": "look for what waits in your notebook, such as time.sleep or a download, and take it "
    "out.",
    "refused": "open your file in Jupyter, see that it is the right one and save it again. Hand in "
    "that file, if you still can.",
}
"""What to do about an exercise that is not right, by verdict."""


_REMARK = LOOKS["passed"]._replace(words="all points, one remark")
"""An exercise with all its points of which a test that costs nothing has failed."""


MAX_SHOWN = 400_000
"""Bytes of HTML that all of a learner's cells together take on the page, without their figures, of
which a notebook has six at most."""


@dataclass(frozen=True)
class _Cell:
    """A cell as the page shows it: figures as pictures, None for one that cannot be shown."""

    code: Markup
    output: str
    error: str
    figures: tuple[Picture | None, ...]


@dataclass(frozen=True)
class _Part:
    """One exercise as the page shows it.

    Attributes:
        right: whether there is nothing left to do.
        spotless: whether the tests have found nothing at all.
        points: the mark that counts, None while it waits for a person.
        says: what is wrong, the most important sentence first.
        then: what to do about it.
        tests: how many hidden tests went how, "" if there were none.
        stages: the tests that were reached.
        later: the names of the others.
        code: its own cell; empty if there is none or the page has no room.
        cells: what its own cell printed and drew.
    """

    record: ExerciseRecord
    look: Look
    right: bool
    spotless: bool
    points: float | None
    extra: float
    comment: str
    says: tuple[str, ...]
    then: str
    tests: str
    stages: tuple[StageReport, ...]
    later: str
    code: Markup
    cells: tuple[_Cell, ...]


class _Room:
    """What a page has room for.

    Attributes:
        left_out: how many cells it had none for.
    """

    def __init__(self) -> None:
        self._left = MAX_SHOWN
        self.left_out = 0

    def code(self, source: str) -> Markup:
        """A cell's code, if there is room for it."""
        shown = rendering.code(source) if source and self._left else Markup()
        if source and not self._take(shown):
            self.left_out += 1
            return Markup()
        return shown

    def cells(self, notes: Iterable[CellNote], with_code: bool) -> tuple[_Cell, ...]:
        """What cells printed and drew, as far as there is room for it."""
        return tuple(cell for note in notes if (cell := self._cell(note, with_code)))

    def _cell(self, note: CellNote, with_code: bool) -> _Cell | None:
        if self._left:
            code = rendering.code(note.code) if with_code else Markup()
            output, error = map(rendering.shortened, (note.output, note.error))
            if self._take(code, *(escape(rendering.visible(text)) for text in (output, error))):
                return _Cell(code, output, error, tuple(map(rendering.picture, note.figures)))
        self.left_out += 1
        return None

    def _take(self, *texts: str) -> bool:
        """Whether there is room for texts; when there is none for something, there is none for all
        that comes after it."""
        size = sum(len(text.encode()) for text in texts)
        self._left = self._left - size if size < self._left else 0
        return self._left > 0


def page(record: Record, by_hand: ByHand | None = None) -> str:
    """The feedback page of a record, one HTML file that needs nothing else.

    Whatever comes from the learner is escaped, and the page's policy forbids scripts and requests.

    Args:
        by_hand: what a person has decided. A mark by hand replaces the automatic one.
    """
    by_hand = by_hand or ByHand()
    notes = defaultdict(list)
    for note in record.cells:
        notes[note.code].append(note)
    room = _Room()
    codes = [room.code(e.code) for e in record.exercises]
    parts = [
        _part(e, by_hand, code, room.cells(notes.pop(e.code, []) if e.code else [], False))
        for e, code in zip(record.exercises, codes, strict=True)
    ]
    others = room.cells((note for left in notes.values() for note in left), True)
    return rendering.render(
        "feedback",
        record=record,
        by_hand=by_hand,
        refused=_refused(record.exercises),
        parts=parts,
        others=others,
        left_out=room.left_out,
        total=by_hand.points(record),
        given=sum(part.points or 0 for part in parts),
        extra=sum(by_hand.extra.values()),
        waiting=sum(part.look.kind == "waits" for part in parts),
        right=sum(part.right for part in parts),
        spotless=all(part.spotless for part in parts),
        remarks=[part for part in parts if part.right and part.look == _REMARK],
        first=next((p for p in parts if not p.right and p.look.kind != "waits"), None),
        next_if_refused=_NEXT["refused"],
        stage_signs=STAGE_SIGNS,
    )


def _part(e: ExerciseRecord, by_hand: ByHand, code: Markup, cells: tuple[_Cell, ...]) -> _Part:
    earned = by_hand.mark(e)
    right = earned is not None and earned >= e.max_points
    look = _look(e, e.exercise in by_hand.scores)
    to_do = not right and look.kind != "waits"
    report = _judged(e)
    stages = report.stages if report else ()
    return _Part(
        record=e,
        look=look,
        right=right,
        spotless=look == LOOKS["passed"],
        points=earned,
        extra=by_hand.extra.get(e.exercise, 0),
        comment=by_hand.comments.get(e.exercise, ""),
        says=_says(e, report),
        then=_NEXT[e.verdict].format(e.exercise) if to_do and e.verdict in _NEXT else "",
        tests=_tests(report),
        stages=tuple(stage for stage in stages if stage.status != "not reached"),
        later=", ".join(stage.name for stage in stages if stage.status == "not reached"),
        code=code if look.kind != "unfilled" else Markup(),
        cells=cells,
    )


def _look(e: ExerciseRecord, by_hand: bool) -> Look:
    if by_hand:
        return LOOKS["by-hand"]
    if e.points is None:
        return LOOKS["waits"]
    return LOOKS[e.verdict] if not _has_a_remark(e) else _REMARK


def _has_a_remark(e: ExerciseRecord) -> bool:
    return e.verdict == "passed" and e.report is not None and not e.report.complete


def _judged(e: ExerciseRecord) -> Report | None:
    """The report, if its stages say something about the learner's function."""
    skip = e.report is None or e.report.unfilled or e.verdict in ("timeout", "slept", "refused")
    return None if skip else e.report


def _says(e: ExerciseRecord, report: Report | None) -> tuple[str, ...]:
    """What is wrong, the mistake that has a name before the numbers."""
    message = "" if e.flags or _sign_says_all(e, report) else e.message
    failed, first = _first_failure(report)
    if _has_a_remark(e) and not e.flags:  # the message tells the failure, and what it costs
        first = ""
    elif e.public:
        first = e.public
    elif failed.startswith(message):
        message = ""
    found = dict.fromkeys([message, *(remarks(report) if report else []), first, e.note])
    return tuple(sentence for sentence in found if sentence)


def _sign_says_all(e: ExerciseRecord, report: Report | None) -> bool:
    return e.verdict == "unfilled" or (
        e.verdict == "passed" and (report is None or report.complete)
    )


def _first_failure(report: Report | None) -> tuple[str, str]:
    """The first test that failed with what was wrong in it, as messages name it and as a sentence
    of its own; both are "" if none did."""
    for stage in report.stages if report else ():
        if stage.status == "failed":
            wrong = " ".join(stage.sentences)
            return f"{stage.name}: {wrong}", f"In the test “{stage.name}”: {wrong}"
    return "", ""


def _tests(report: Report | None) -> str:
    """How many tests went how."""
    if report is None:
        return ""
    counts = Counter(stage.status for stage in report.stages)
    if counts["passed"] == len(report.stages):
        return f"All {len(report.stages)} hidden tests passed"
    return "Hidden tests: " + ", ".join(f"{n} {status}" for status, n in counts.items())


def _refused(exercises: Sequence[ExerciseRecord]) -> str:
    """Why nothing could be graded at all, "" if something could."""
    refused = all(e.verdict == "refused" for e in exercises)
    return exercises[0].message if exercises and refused else ""
