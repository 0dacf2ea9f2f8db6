"""Collecting and grading from a script: what the commands do, without what they print."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from .._errors import CourseError
from .checkout import Checkout
from .course import Course
from .intake.collect import collect_into as collect
from .record import Record
from .results import write_overview
from .run import Exam, grade_class
from .sandbox.limits import USUAL_LIMITS, Limits
from .sandbox.pools import pool_opener

__all__ = ["collect", "grade"]


def grade(
    course: Course,
    assignment: str,
    checkout: Path | None = None,
    workers: int | None = None,
    limits: Limits = USUAL_LIMITS,
    again: bool = False,
) -> list[Record]:
    """Grade what is new or has changed of an assignment, in the sandbox, and write gradebook, pages
    and the page on the class.

    Args:
        checkout: the folder with the solutions; None for this one.
        workers: how many submissions run at a time; None for one a core.
        limits: what a submission may use.
        again: grade also what is done and has not changed.

    Returns:
        The record of every learner who has handed in.

    Raises:
        CourseError: nothing was graded; the message says why.

    Example:
        >>> from pathlib import Path
        >>> from rnncourse.grading import Course, grade
        >>> for record in grade(Course.open(Path("class-2026")), "lstm"):  # doctest: +SKIP
        ...     print(record.student, record.points, record.max_points)
        ada 16.0 20.0
    """
    found = Checkout.find(checkout)
    name = found.known(assignment)
    students = course.students(name)
    if not students:
        raise CourseError(f"nobody has handed in {name} in {course.submitted_folder}.")
    open_pool = pool_opener(workers, None, protected=True)
    with course.lock():
        exam = Exam.prepare(found, course, name, limits)
        with closing(exam.book) as book:
            records = [one.record for one in grade_class(exam, students, open_pool, again)]
            write_overview(course, name, book)
    return records
