"""What grading a submission comes to: one record, for marks, pages and reports alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from ..checks.judge import Report

Verdict = Literal["passed", "partial", "failed", "unfilled", "error", "timeout", "refused"]


@dataclass(frozen=True)
class ExerciseRecord:
    """One exercise of one learner.

    Attributes:
        points: the automatic mark, None where a person has to look.
        message: one sentence for the learner.
        report: stage by stage; None where nothing could be run.
        code: the learner's cell, "" if there is none.
        note: what the learner should know besides.
        flags: reasons for a person to look.
    """

    exercise: str
    points: float | None
    max_points: float
    verdict: Verdict
    message: str
    report: Report | None = None
    code: str = ""
    note: str = ""
    flags: tuple[str, ...] = ()

    @property
    def mistake(self) -> str | None:
        """The id of the named mistake."""
        return self.report.mistake.id if self.report and self.report.mistake else None


@dataclass(frozen=True)
class CellNote:
    """What a learner's cell printed, or the error it ended with."""

    code: str
    output: str
    error: str


@dataclass(frozen=True)
class Record:
    """One submission, graded.

    Attributes:
        sandbox: the layers of protection that were active while the learner's code ran.
        cells: cells that printed something or failed.
    """

    student: str
    assignment: str
    exercises: tuple[ExerciseRecord, ...]
    sandbox: str
    cells: tuple[CellNote, ...] = ()

    @property
    def points(self) -> float:
        return sum(e.points or 0 for e in self.exercises)

    @property
    def max_points(self) -> float:
        return sum(e.max_points for e in self.exercises)


def report_rows(records: Iterable[Record]) -> list[dict[str, Any]]:
    """The rows of `--report`: one object an exercise and learner."""
    return [
        {
            "student": record.student,
            "assignment": record.assignment,
            "exercise": e.exercise,
            "points": e.points,
            "max_points": e.max_points,
            "verdict": e.verdict,
            "mistake": e.mistake,
            "message": e.message,
            "flags": list(e.flags),
            "sandbox": record.sandbox,
        }
        for record in records
        for e in record.exercises
    ]
