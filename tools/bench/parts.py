"""Where the time of a submission goes: each part of grading it, one after the other, measured."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import TypeVar

from rnncourse.checks.plan import cases_of
from rnncourse.grading.checkout import Checkout
from rnncourse.grading.course import Course
from rnncourse.grading.files import write
from rnncourse.grading.marking import judge_submission
from rnncourse.grading.pages.autograded import autograded
from rnncourse.grading.record import ByHand, to_json
from rnncourse.grading.results import write_feedback
from rnncourse.grading.run import Exam
from rnncourse.grading.sandbox.host import Worker
from rnncourse.grading.sandbox.job import ClassCalls
from rnncourse.grading.sandbox.launch import Launch
from rnncourse.grading.sandbox.limits import USUAL_LIMITS
from rnncourse.grading.submissions.submission import read
from tools.bench.courses import EngineCourse
from tools.bench.learners import Learner
from tools.demonstration.learners import ASSIGNMENT, ROOT

Result = TypeVar("Result")

LOADED = "import rnncourse.grading.commands, rnncourse.grading.sandbox.pools"
"""What a run loads before it does anything."""


class Parts:
    """Parts of grading, and how many milliseconds of wall time they took in all."""

    def __init__(self) -> None:
        self.milliseconds: Counter[str] = Counter()

    def timed(self, part: str, work: Callable[[], Result]) -> Result:
        """What some work gives; its time counts as this part's."""
        begun = time.perf_counter()
        result = work()
        self.milliseconds[part] += 1000 * (time.perf_counter() - begun)  # type: ignore[assignment]
        return result

    def average(self, times: int) -> dict[str, float]:
        """Milliseconds of one of so many times; of the runs in the worker, each holds the one
        before, which is taken away."""
        found = {part: taken / times for part, taken in self.milliseconds.items()}
        for part, held in (("calls", "cells"), ("cells", "fork")):
            found[part] -= found[held]
        return found


def parts_of(course: EngineCourse, learners: Sequence[Learner], launch: Launch) -> str:
    """A table: the parts of a run's start, and those of a submission on average.

    Args:
        course: an empty one.
        learners: whose submissions are graded; the first few once more before, so that all is
            loaded.
    """
    course.hand_in(learners)
    start = Parts()
    start.timed("load", lambda: subprocess.run([sys.executable, "-c", LOADED], check=True))
    checkout, opened = Checkout(ROOT), Course.open(course.root)
    exam = start.timed(
        "draw inputs", lambda: Exam.prepare(checkout, opened, ASSIGNMENT, USUAL_LIMITS)
    )
    launch = launch.warming_up(exam.job.class_calls.cases)
    with closing(exam.book), Worker(launch) as worker:
        start.timed("start a worker", lambda: _started(launch))
        for learner in learners[:3]:
            _grade(exam, worker, learner.name, Parts())
        each = Parts()
        for learner in learners:
            _grade(exam, worker, learner.name, each)
    whole = each.average(len(learners))
    return "\n".join(
        [
            f"A start, {sum(start.milliseconds.values()) / 1000:.1f} s: "
            + _listed(start.milliseconds, " ms", 0),
            f"A submission, {sum(whole.values()):.1f} ms one after the other: "
            + _listed(whole, " ms", 1),
        ]
    )


def _started(launch: Launch) -> None:
    with Worker(launch):
        pass


def _grade(exam: Exam, worker: Worker, student: str, parts: Parts) -> None:
    """Grade a submission as `rnncourse.grading.run` does, but for what it does at the same time."""
    known, course, job = exam.assignment, exam.course, exam.job
    folder = course.folder(student, exam.name)
    submission = parts.timed("read", lambda: read(folder, student, exam.name, known.source))
    own = parts.timed("own inputs", lambda: exam.own_stages(submission))
    cells = [cell.source for cell in submission.cells]
    parts.timed("fork", lambda: worker.run([], ClassCalls()))
    parts.timed("cells", lambda: worker.run(cells, ClassCalls()))
    asked = {name: cases_of(stages) for name, stages in own.items()}
    run = parts.timed(
        "calls",
        lambda: worker.run(cells, job.class_calls, job.limits, None, asked, job.is_right),
    )
    record = parts.timed(
        "compare",
        lambda: judge_submission(submission, known.hidden_tests, known.source.points, run, own),
    )

    def write_pages() -> None:
        notebook = autograded(record, submission.notebook or known.source.released)
        write(course.autograded(student, exam.name), json.dumps(notebook, ensure_ascii=False))
        write_feedback(course, record, ByHand())
        write(course.record(student, exam.name), to_json(record))

    parts.timed("gradebook", lambda: exam.book.commit(record, submission.timestamp))
    parts.timed("page", write_pages)


def _listed(parts: Mapping[str, float], unit: str, digits: int) -> str:
    return ", ".join(f"{part} {taken:.{digits}f}{unit}" for part, taken in parts.items())
