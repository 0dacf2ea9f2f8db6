"""A whole class: what is new or has changed is graded, several at a time, and kept one by one.

One thread judges and writes; the pool only runs learners' code, and another thread reads what takes
long to read. A record is the last thing that is written of a submission, so whoever stops in the
middle finds the rest still to do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import Any

import torch

from ..checks.plan import cases_of
from .checkout import Assignment, Checkout
from .course import Course
from .files import write
from .gradebook.gradebook import Book
from .marking import NO_STAGES, OwnStages, judge_submission
from .pages.autograded import autograded
from .record import Record, to_json
from .results import read_record, write_feedback
from .sandbox.job import ClassCalls, Job, Run
from .sandbox.limits import Limits
from .sandbox.pools import OpenPool, Pool
from .submissions.readers import Readers
from .submissions.submission import Submission


@dataclass(frozen=True)
class Exam:
    """An assignment in a course, ready to be graded."""

    course: Course
    assignment: Assignment
    book: Book
    limits: Limits

    @staticmethod
    def prepare(
        checkout: Checkout, course: Course, assignment: str, limits: Limits, protected: bool = True
    ) -> Exam:
        """Draw the secret inputs and open the gradebook.

        Raises:
            CourseError: something is missing; then nothing has been written.
        """
        torch.set_num_threads(1)  # what is computed here is small, and the cores are the workers'
        seed = course.seed(assignment)
        known = checkout.assignment(assignment, seed, f"{limits} {protected}")
        with ExitStack() as stack:
            book = stack.enter_context(closing(Book.open(course, checkout, assignment)))
            course.keep_seed(assignment, seed)
            stack.pop_all()
        return Exam(course, known, book, limits)

    @property
    def name(self) -> str:
        """The assignment's name."""
        return self.assignment.name

    @property
    def job(self) -> Job:
        """What is asked of each submission, for the pool."""
        tests = {one.plan.exercise: one for one in self.assignment.hidden_tests}
        class_calls = ClassCalls(
            cases={name: one.hidden.cases for name, one in tests.items()},
            forbidden_calls={name: one.plan.forbidden_calls for name, one in tests.items()},
            public={name: one.public.cases for name, one in tests.items()},
        )
        return Job(class_calls, self.limits, lambda name, found: tests[name].is_right(found))

    def own_stages(self, submission: Submission) -> OwnStages:
        """What only this submission is asked, by exercise."""
        digest = submission.code_digest
        tests = self.assignment.hidden_tests
        return {one.plan.exercise: one.own_stages(digest) for one in tests}


@dataclass(frozen=True)
class Graded:
    """One submission of a class that is done.

    Attributes:
        fresh: whether it was graded now; else it was found done.
        running: whose submissions are being run at the moment.
    """

    record: Record
    fresh: bool
    running: tuple[str, ...] = ()


def grade_class(
    exam: Exam, students: Iterable[str], open_pool: OpenPool, again: bool = False
) -> Iterator[Graded]:
    """Grade submissions, keep each result as soon as it is there, and hand on the records.

    Args:
        open_pool: starts what runs them; called only if there is something to run.
        again: grade also what is done and has not changed.

    Raises:
        CourseError: no worker can be started, or a result cannot be kept.
    """
    scores = {} if again else exam.book.scores()
    with ExitStack() as stack:
        lane = _Lane(exam, lambda: stack.enter_context(open_pool(exam.job)))
        readers = stack.enter_context(Readers(exam.course, exam.name, exam.assignment.source))

        def take(submission: Submission) -> Iterator[Graded]:
            if record := _done(exam, submission, scores.get(submission.student)):
                yield Graded(record, fresh=False, running=lane.names)
            elif submission.refused:
                yield Graded(_keep(exam, submission, None), fresh=True, running=lane.names)
            else:
                yield from lane.take(submission)

        for student in students:
            for submission in readers.read(student):
                yield from take(submission)
        while readers.reading:
            yield from lane.meanwhile(readers.reading)
            for submission in readers.finished():
                yield from take(submission)
        yield from lane.finish()


@dataclass(frozen=True)
class _Running:
    """A submission that is run, and what only it is asked."""

    submission: Submission
    own: OwnStages


class _Lane:
    """Submissions on their way through a pool.

    A submission that ran into a time limit runs once more when all others are done, alone: only
    then is it too slow. One that slept would sleep again.
    """

    def __init__(self, exam: Exam, open_pool: Callable[[], Pool]) -> None:
        self._exam = exam
        self._open_pool = open_pool
        self._pool: Pool | None = None
        self._running: dict[Future[Run], _Running] = {}
        self._late: list[tuple[_Running, Run]] = []

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(job.submission.student for job in self._running.values())

    def take(self, submission: Submission) -> Iterator[Graded]:
        """Start a submission, and hand on what is done while there is no room for another."""
        self._pool = self._pool or self._open_pool()
        self._start(_Running(submission, self._exam.own_stages(submission)))
        while len(self._running) > 2 * self._pool.size:
            yield from self._finished()

    def meanwhile(self, others: Iterable[Future[Submission]]) -> Iterator[Graded]:
        """Wait until something is done, here or among others, and hand on what is done here."""
        yield from self._finished(others)

    def finish(self) -> Iterator[Graded]:
        while self._running:
            yield from self._finished()
        for job, run in self._late:
            future = self._start(job, _timed_out(run))
            second = future.result()
            del self._running[future]
            whole = replace(run, exercises=run.exercises | second.exercises)
            yield self._kept(job, whole)

    def _start(self, job: _Running, only: Sequence[str] | None = None) -> Future[Run]:
        assert self._pool is not None
        own = {name: cases_of(stages) for name, stages in job.own.items()}
        future = self._pool.submit([cell.source for cell in job.submission.cells], only, own)
        self._running[future] = job
        return future

    def _finished(self, others: Iterable[Future[Submission]] = ()) -> Iterator[Graded]:
        waited_for: list[Future[Any]] = [*self._running, *others]
        wait(waited_for, return_when=FIRST_COMPLETED)
        for future in [future for future in self._running if future.done()]:
            job = self._running.pop(future)
            run = future.result()
            if _timed_out(run):
                self._late.append((job, run))
            else:
                yield self._kept(job, run)

    def _kept(self, job: _Running, run: Run) -> Graded:
        record = _keep(self._exam, job.submission, run, job.own)
        return Graded(record, fresh=True, running=self.names)


def _timed_out(run: Run) -> list[str]:
    return [name for name, exercise in run.exercises.items() if exercise.ended == "timeout"]


def _keep(
    exam: Exam, submission: Submission, run: Run | None, own: OwnStages = NO_STAGES
) -> Record:
    """Judge a submission and write all of it down; the record, which says that it is done, last."""
    known = exam.assignment
    record = judge_submission(submission, known.hidden_tests, known.source.points, run, own)
    record = replace(record, graded_by=known.inputs_digest)
    course, where = exam.course, (record.student, record.assignment)
    notebook = autograded(record, submission.notebook or known.source.released)
    write(course.autograded(*where), json.dumps(notebook, ensure_ascii=False) + "\n")
    by_hand = exam.book.commit(record, submission.timestamp)
    write_feedback(course, record, by_hand)
    write(course.record(*where), to_json(record))
    return record


def _done(
    exam: Exam, submission: Submission, scores: Mapping[str, float | None] | None
) -> Record | None:
    """The record of a submission that was graded as it is now, and is in the gradebook."""
    where = submission.student, submission.assignment
    record = read_record(exam.course.record(*where))
    if record is None or not exam.course.feedback(*where).exists():
        return None
    made_from = record.submission, record.repairs, record.graded_by, record.refusal
    now = submission.digest, submission.repairs, exam.assignment.inputs_digest, submission.refused
    in_gradebook = scores == {e.exercise: e.points for e in record.exercises}
    return record if made_from == now and in_gradebook else None
