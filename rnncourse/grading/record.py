"""What grading a submission comes to: one record, for marks, pages and reports alike."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from ..checks.report import Report, report_of

Verdict = Literal["passed", "partial", "failed", "unfilled", "error", "timeout", "slept", "refused"]


@dataclass(frozen=True)
class ExerciseRecord:
    """One exercise of one learner.

    Attributes:
        points: the automatic mark, None where a person has to look.
        message: one sentence for the learner.
        mistake: the id of the named mistake.
        report: stage by stage; None where nothing could be run.
        code: the learner's cell, "" if there is none.
        public: what is wrong on public inputs, in full; "" if nothing is, or all is right.
        note: what the learner should know besides.
        flags: reasons for a person to look.
    """

    exercise: str
    points: float | None
    max_points: float
    verdict: Verdict
    message: str
    mistake: str | None = None
    report: Report | None = None
    code: str = ""
    public: str = ""
    note: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class CellNote:
    """What a learner's cell printed and drew, or the error it ended with.

    Attributes:
        figures: PNG files as base64 text.
    """

    code: str
    output: str
    error: str
    figures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """One submission, graded.

    Attributes:
        sandbox: the layers of protection that were active while the learner's code ran.
        cells: cells that printed or drew something or failed.
        repairs: what was mended in the notebook before it was run, a sentence each.
        submission: SHA-256 of the file that was handed in, "" if there was none.
        graded_by: SHA-256 of all that decides a mark besides: solutions, plans, seed, limits.
    """

    student: str
    assignment: str
    exercises: tuple[ExerciseRecord, ...]
    sandbox: str
    cells: tuple[CellNote, ...] = ()
    repairs: tuple[str, ...] = ()
    submission: str = ""
    graded_by: str = ""

    @property
    def points(self) -> float:
        """The sum of the automatic marks that there are."""
        return sum(e.points or 0 for e in self.exercises)

    @property
    def max_points(self) -> float:
        """The most that can be reached."""
        return sum(e.max_points for e in self.exercises)

    @property
    def refusal(self) -> str:
        """Why it could not be read; "" if it could. It stands in each of its exercises."""
        return next((e.message for e in self.exercises if e.verdict == "refused"), "")

    def brief(self) -> Record:
        """The record without what only its own page shows: small enough to keep a whole class."""
        exercises = (replace(e, report=None, code="", public="", note="") for e in self.exercises)
        return replace(self, exercises=tuple(exercises), cells=())


@dataclass(frozen=True)
class ByHand:
    """What people and deadlines add to a record in nbgrader's gradebook.

    Attributes:
        scores: marks given by a person, in place of the automatic ones, by exercise.
        extra: extra credit, by exercise.
        comments: a person's comments, by exercise.
        penalty: points taken off for handing in late.
    """

    scores: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, float] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)
    penalty: float = 0.0

    def mark(self, exercise: ExerciseRecord) -> float | None:
        """The mark that stands for an exercise: a person's, else the automatic one; None while it
        waits for a person."""
        return self.scores.get(exercise.exercise, exercise.points)

    def points(self, record: Record) -> float:
        """A record's points with all of this."""
        given = sum(self.mark(e) or 0 for e in record.exercises)
        return float(max(0.0, given + sum(self.extra.values()) - self.penalty))


@dataclass(frozen=True)
class Marked:
    """A record with what people and deadlines add to it."""

    record: Record
    by_hand: ByHand = field(default_factory=ByHand)

    @property
    def points(self) -> float:
        """The mark that the gradebook has."""
        return self.by_hand.points(self.record)

    @property
    def waits(self) -> bool:
        """Whether a person has to give a mark."""
        return any(self.by_hand.mark(e) is None for e in self.record.exercises)

    @property
    def refused(self) -> str:
        """Why the submission could not be read; "" if it could, or a person has marked it."""
        open_ones = (e for e in self.record.exercises if e.exercise not in self.by_hand.scores)
        return next((e.message for e in open_ones if e.verdict == "refused"), "")


def to_json(record: Record) -> str:
    """A record as a line of JSON, which `from_json` reads."""
    return json.dumps(asdict(record), ensure_ascii=False) + "\n"


def from_json(text: str) -> Record:
    """The record that `to_json` wrote.

    Raises:
        ValueError, KeyError, TypeError: the text is something else.
    """
    content = json.loads(text)
    exercises = tuple(_exercise(e) for e in content.pop("exercises"))
    cells = tuple(
        CellNote(**{**cell, "figures": tuple(cell["figures"])}) for cell in content.pop("cells")
    )
    repairs = tuple(content.pop("repairs"))
    return Record(exercises=exercises, cells=cells, repairs=repairs, **content)


def report_rows(results: Iterable[Marked]) -> list[dict[str, Any]]:
    """The rows of `--report`: one object an exercise and learner, with the mark that stands."""
    return [
        {
            "student": one.record.student,
            "assignment": one.record.assignment,
            "exercise": e.exercise,
            "points": one.by_hand.mark(e),
            "max_points": e.max_points,
            # The report's verdicts are fixed; its message says that the time was slept away.
            "verdict": "timeout" if e.verdict == "slept" else e.verdict,
            "mistake": e.mistake,
            "message": e.message,
            "flags": list(e.flags),
            "sandbox": one.record.sandbox,
        }
        for one in results
        for e in one.record.exercises
    ]


def _exercise(content: dict[str, Any]) -> ExerciseRecord:
    report = content.pop("report")
    flags = tuple(content.pop("flags"))
    return ExerciseRecord(report=report_of(report) if report else None, flags=flags, **content)
