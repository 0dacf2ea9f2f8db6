"""From a submission to a record: run it in the sandbox, judge what came out here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ..checks.judge import Report, judge, key
from ..notebook import grade_id
from .host import ExerciseRun, Limits, Run, Worker
from .record import CellNote, ExerciseRecord, Record, Verdict
from .spec import Trial
from .submission import Submission

CHECK = "check_"


def points(source: Mapping[str, Any]) -> dict[str, float]:
    """What each exercise is worth: the points of its check cell in the instructor's notebook."""
    return {
        name.removeprefix(CHECK): float(cell["metadata"]["nbgrader"]["points"])
        for cell in source["cells"]
        if (name := grade_id(cell)).startswith(CHECK)
    }


def grade_one(
    submission: Submission,
    trials: Sequence[Trial],
    worth: Mapping[str, float],
    worker: Worker,
    limits: Limits,
) -> Record:
    """Grade one submission. Its code runs in the worker; what is right is decided here.

    Args:
        trials: the exercises with their secret inputs and expected results.
        worth: the points of each exercise.
    """
    if submission.refused:
        return _refused(submission, trials, worth, str(worker.layers))
    calls = {
        trial.plan.exercise: {
            key(case): case for stage in trial.stages for case in (*stage.cases, *stage.instead)
        }
        for trial in trials
    }
    run = worker.run([cell.source for cell in submission.cells], calls, limits)
    code = defaultdict(str, {cell.grade_id: cell.source for cell in submission.cells})
    exercises = tuple(_exercise(trial, worth, run, submission, code) for trial in trials)
    sandbox = str(worker.layers)
    notes = _notes(submission, run)
    return Record(submission.student, submission.assignment, exercises, sandbox, notes)


def score(report: Report, shares: Mapping[str, float], worth: float) -> float:
    """The points of an exercise: the shares of the stages that passed."""
    share = sum(shares.get(stage.name, 0) for stage in report.stages if stage.status == "passed")
    return round(worth * share, 4)


def _exercise(
    trial: Trial,
    worth: Mapping[str, float],
    run: Run,
    submission: Submission,
    code: Mapping[str, str],
) -> ExerciseRecord:
    name = trial.plan.exercise
    ran = run.exercises[name]
    report = judge(trial.plan, trial.stages, trial.expected, ran.outcomes, trial.mistakes)
    verdict, earned = _verdict(report, trial, worth[name], ran)
    message = _message(report, verdict, ran)
    if verdict == "unfilled" and (error := _cell_error(submission, run, name)):
        verdict, message = "error", f"Its cell ended with an error: {error}"
    note = run.notes.get(name, "")
    mistake = report.mistake.id if report.mistake else None
    return ExerciseRecord(
        name, earned, worth[name], verdict, message, mistake, report, code[name], note
    )


def _verdict(report: Report, trial: Trial, worth: float, run: ExerciseRun) -> tuple[Verdict, float]:
    if run.ended == "timeout":
        return "timeout", 0.0
    if run.ended == "died":
        return "error", 0.0
    if report.unfilled:
        return "unfilled", 0.0
    earned = score(report, trial.spec.shares, worth)
    if earned >= worth:
        return "passed", worth
    if earned > 0:
        return "partial", earned
    raised = [o.problem and o.problem.kind == "raised" for o in run.outcomes.values()]
    return ("error" if all(raised) else "failed"), 0.0


def _message(report: Report, verdict: Verdict, run: ExerciseRun) -> str:
    if verdict == "timeout":
        return f"{run.note[0].upper()}{run.note[1:]}: is there a loop that never stops?"
    if run.ended == "died":
        return f"This function could not be graded: {run.note.rstrip('.')}."
    if report.unfilled:
        return report.unfilled
    if report.mistake:
        return report.mistake.sentence
    failed = [stage for stage in report.stages if stage.status == "failed"]
    if not failed:
        return "All hidden tests passed."
    if verdict == "passed":
        return f"All marks, but: {failed[0].sentences[0]}"
    return f"{failed[0].name}: {failed[0].sentences[0]}"


def _cell_error(submission: Submission, run: Run, exercise: str) -> str:
    """The error of the cell that should have defined an exercise's function, if it had one."""
    for note in run.cells:
        if submission.cells[note.index].grade_id == exercise and note.error:
            return note.error
    return ""


def _notes(submission: Submission, run: Run) -> tuple[CellNote, ...]:
    return tuple(
        CellNote(submission.cells[note.index].source, note.output, note.error)
        for note in run.cells
        if note.output or note.error
    )


def _refused(
    submission: Submission, trials: Sequence[Trial], worth: Mapping[str, float], layers: str
) -> Record:
    names = [trial.plan.exercise for trial in trials]
    exercises = tuple(
        ExerciseRecord(name, 0.0, worth[name], "refused", submission.refused) for name in names
    )
    return Record(submission.student, submission.assignment, exercises, layers)
