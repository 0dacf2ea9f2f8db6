"""From what a submission's code gave to a record: judged here, where its code cannot reach."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from .._tracing import Failures
from ..checks.judge import judge
from ..checks.plan import Stage
from ..checks.report import Report, StageReport
from .hidden_test import HiddenTest
from .record import CellNote, ExerciseRecord, Record, Verdict
from .sandbox.job import ExerciseRun, Run
from .submissions.submission import Submission

_EARLY: dict[str, Verdict] = {"timeout": "timeout", "slept": "slept", "died": "error"}
"""The verdict on whoever ended early, by how; unless the function is right with a probe."""
_WHY_SO_LONG: dict[Verdict, str] = {
    "timeout": "is there a loop that never stops?",
    "slept": "is there a time.sleep, or something that never comes?",
}
"""What to ask whoever took too long."""
CLASS_ONLY = "answers the class's inputs only"
"""The flag of an answer that is right on inputs that others know, and wrong on others."""

OwnStages = Mapping[str, Sequence[Stage]]
"""The stages on inputs that only one submission is asked, by exercise."""
NO_STAGES: OwnStages = {}


def judge_submission(
    submission: Submission,
    hidden_tests: Sequence[HiddenTest],
    worth: Mapping[str, float],
    run: Run | None,
    own: OwnStages = NO_STAGES,
) -> Record:
    """Judge one submission.

    Args:
        hidden_tests: the exercises with their secret inputs and expected results.
        worth: the points of each exercise.
        run: how it went in the sandbox; None for a submission that was refused.
        own: the stages on inputs that only this submission was asked.
    """
    names = submission.student, submission.assignment
    layers = Run().layers
    if run is None:
        exercises = [
            _refused(hidden_test.plan.exercise, worth, submission.refused)
            for hidden_test in hidden_tests
        ]
        notes: tuple[CellNote, ...] = ()
    else:
        code = defaultdict(
            str, {name: cell.source for cell in submission.cells for name in cell.exercises}
        )
        failures = Failures(submission.cells, {ran.index: ran.error for ran in run.cells})
        exercises = [
            _exercise(
                hidden_test, worth, run, failures, code, own.get(hidden_test.plan.exercise, ())
            )
            for hidden_test in hidden_tests
        ]
        notes = _notes(submission, run, failures)
        layers = run.layers
    return Record(*names, tuple(exercises), layers, notes, submission.repairs, submission.digest)


def score(report: Report, shares: Mapping[str, float], worth: float) -> float:
    """The points of an exercise: the shares of the stages that passed."""
    share = sum(shares.get(stage.name, 0) for stage in report.stages if stage.status == "passed")
    return round(worth * share, 4)


def _exercise(
    hidden_test: HiddenTest,
    worth: Mapping[str, float],
    run: Run,
    failures: Failures,
    code: Mapping[str, str],
    own: Sequence[Stage],
) -> ExerciseRecord:
    name = hidden_test.plan.exercise
    ran = run.exercises[name]
    try:
        hidden, public = hidden_test.hidden, hidden_test.public
        report = judge(hidden_test.plan, hidden.stages, hidden.expected, ran.outcomes, ())
        shown = Report(name, ())
        if not report.complete:
            shown = judge(
                hidden_test.plan,
                public.stages,
                public.expected,
                ran.public,
                hidden_test.mistakes,
                reveal=True,
            )
        alike = hidden_test.is_right_elsewhere(report, own, ran.own)
    except Exception as unexpected:  # results nobody has thought of must not stop the class
        return _not_judged(name, worth[name], code[name], unexpected)
    if not report.complete:
        report = replace(report, mistake=shown.mistake)
    verdict, earned = _verdict(report, hidden_test, worth[name], ran)
    message = _message(report, shown, verdict, ran)
    if verdict == "unfilled" and (error := failures.error_of(name)):
        verdict, message = "error", f"Its cell ended with an error: {error}"
    elif not report.mistake and _raised(ran):
        message = failures.why_undefined(run.undefined.get(name, "")) or message
    graded = ExerciseRecord(
        exercise=name,
        points=earned,
        max_points=worth[name],
        verdict=verdict,
        message=message,
        mistake=report.mistake.id if report.mistake else None,
        report=report,
        code=code[name],
        public="" if report.complete else _in_public(shown),
        note=run.notes.get(name, ""),
    )
    flags = run.flags.get(name, ())
    return _for_a_person(graded, flags if alike else (*flags, CLASS_ONLY))


def _not_judged(exercise: str, worth: float, code: str, error: Exception) -> ExerciseRecord:
    reason = f"its results could not be judged ({type(error).__name__})"
    message = "This function's results could not be judged: a person will look at it."
    return ExerciseRecord(exercise, None, worth, "error", message, code=code, flags=(reason,))


def _for_a_person(graded: ExerciseRecord, flags: tuple[str, ...]) -> ExerciseRecord:
    """An exercise with flags has no automatic mark, unless there is none to give anyway."""
    if not flags or not graded.points:
        return graded
    return replace(graded, points=None, flags=flags)


def _verdict(
    report: Report, hidden_test: HiddenTest, worth: float, run: ExerciseRun
) -> tuple[Verdict, float]:
    early = _EARLY.get(run.ended)
    if early and not run.probed:
        return early, 0.0
    if report.unfilled:
        return "unfilled", 0.0
    earned = score(report, hidden_test.shares, worth)
    if earned >= worth:
        return "passed", worth
    if earned > 0:
        return "partial", earned
    if early:
        return early, 0.0
    raised = [o.problem and o.problem.kind == "raised" for o in run.outcomes.values()]
    return ("error" if all(raised) else "failed"), 0.0


def _message(report: Report, shown: Report, verdict: Verdict, run: ExerciseRun) -> str:
    """One sentence for the learner.

    Args:
        report, shown: on secret inputs, and on public ones.
    """
    if verdict in _WHY_SO_LONG:
        return f"{run.note[0].upper()}{run.note[1:]}: {_WHY_SO_LONG[verdict]}"
    if verdict == "error" and run.ended == "died":
        return f"This function could not be graded: {run.note.rstrip('.')}."
    if report.unfilled:
        return shown.unfilled or report.unfilled
    if report.mistake:
        return report.mistake.sentence
    failed = [stage for stage in report.stages if stage.status == "failed"]
    if not failed:
        return "All hidden tests passed."
    if verdict == "passed":
        return f"All marks, but: {failed[0].sentences[0]}"
    if shown.failed:
        return _in_public(shown)
    return f"{failed[0].name}: {failed[0].sentences[0]}"


def _first_failed(report: Report) -> StageReport | None:
    return next((stage for stage in report.stages if stage.status == "failed"), None)


def _in_public(shown: Report) -> str:
    """What is wrong on public inputs: it holds numbers, the learner's and the right ones."""
    stage = _first_failed(shown)
    return f"On public inputs, in “{stage.name}”: {' '.join(stage.sentences)}" if stage else ""


def _raised(run: ExerciseRun) -> bool:
    """Whether a call of an exercise ended with an error."""
    outcomes = (*run.public.values(), *run.outcomes.values())
    problems = (o.problem or o.gradient_problem for o in outcomes)
    return any(problem and problem.kind == "raised" for problem in problems)


def _notes(submission: Submission, run: Run, failures: Failures) -> tuple[CellNote, ...]:
    return tuple(
        CellNote(
            submission.cells[ran.index].source,
            ran.output,
            failures.errors.get(ran.index, ""),
            tuple(base64.b64encode(figure).decode() for figure in ran.figures),
        )
        for ran in run.cells
        if ran.output or ran.error or ran.figures
    )


def _refused(exercise: str, worth: Mapping[str, float], reason: str) -> ExerciseRecord:
    return ExerciseRecord(exercise, 0.0, worth[exercise], "refused", reason)
