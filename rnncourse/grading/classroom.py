"""A whole class, one submission after the other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from .course import Checkout, Course
from .grade import grade_one, points
from .gradebook import commit, register
from .host import Limits, Worker
from .record import Record
from .sandbox import Launch
from .submission import read


def grade_class(
    checkout: Checkout,
    course: Course,
    assignment: str,
    students: Sequence[str],
    limits: Limits,
    launch: Launch,
) -> Iterator[Record]:
    """Grade submissions, keep each result as soon as it is there, and hand on the records.

    Args:
        launch: how the worker is started that runs the learners' code.

    Raises:
        CourseError: something is missing; then nothing has been written.
    """
    source = checkout.source(assignment)
    worth = points(source)
    with Worker(launch) as worker, tempfile.TemporaryDirectory() as scratch:
        trials = checkout.trials(assignment, course.seed(assignment))
        register(checkout, course, assignment, Path(scratch))
        for student in students:
            submission = read(course.submitted(student, assignment), student, assignment)
            record = grade_one(submission, trials, worth, worker, limits)
            commit(record, submission, source, course)
            yield record
