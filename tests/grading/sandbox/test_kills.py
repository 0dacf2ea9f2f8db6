"""A grader that is killed at any moment loses nothing: the next run finishes the class.

Most kills hit a grader whose pool gives answers that were prepared, so that hundreds fit into a
minute; what is read, judged, written and committed is real. Some hit the whole command.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil
import pytest

from rnncourse.checks.plan import cases_of
from rnncourse.grading.checkout import Checkout
from rnncourse.grading.course import Course
from rnncourse.grading.gradebook.gradebook import Book
from rnncourse.grading.run import Exam, grade_class
from rnncourse.grading.sandbox.job import NO_CALLS, Own, Run
from rnncourse.grading.sandbox.launch import obstacle, sandboxed
from rnncourse.grading.sandbox.limits import Limits
from rnncourse.grading.sandbox.pools import LocalPool
from rnncourse.grading.submissions.submission import read
from tests.grading.class_dump import dump
from tests.strength import share
from tools.demonstration.learners import ROOT, write_class

NO_SANDBOX = obstacle()
pytestmark = pytest.mark.skipif(NO_SANDBOX is not None, reason=str(NO_SANDBOX))

SEED = 20
ROUNDS, KILLS_A_ROUND = 19, 10
REAL_KILLS = 10
PATIENCE = 300.0
"""Seconds after which what is waited for is a failure."""
HONEST = ("ada", "bilal", "chen", "dora", "emre", "goran")
COPIES = 3
"""How many learners hand in each notebook."""

Answers = dict[tuple[str, ...], Run]


class PreparedPool:
    """A pool that answers from what real workers gave before."""

    size = 2

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._threads = ThreadPoolExecutor(self.size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._threads.shutdown()

    def submit(
        self, cells: Sequence[str], only: Collection[str] | None = None, own: Own = NO_CALLS
    ) -> Future[Run]:
        return self._threads.submit(self._answer, tuple(cells))

    def _answer(self, cells: tuple[str, ...]) -> Run:
        time.sleep(0.002)
        return self._answers[cells]


@dataclass(frozen=True)
class Prepared:
    """A class with a gradebook in which nobody has a mark yet, and what grading it comes to."""

    template: Path
    exam: Exam
    answers: Answers
    expected: dict[str, list[tuple[Any, ...]]]

    def grade(self, folder: Path) -> int:
        """Grade what is left in a copy of the class; how many that were."""
        course = Course.open(folder)
        book = Book.open(course, Checkout(ROOT), "lstm")
        exam = Exam(course, self.exam.assignment, book, Limits())
        graded = grade_class(exam, course.students("lstm"), lambda _: PreparedPool(self.answers))
        return sum(one.fresh for one in graded)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    template = tmp_path_factory.mktemp("template")
    write_honest_class(template, COPIES)
    course = Course.open(template)
    exam = Exam.prepare(Checkout(ROOT), course, "lstm", Limits())
    whole = tmp_path_factory.mktemp("whole") / "class"
    shutil.copytree(template, whole)
    answers: Answers = {}
    with LocalPool(sandboxed(), 2, exam.job) as pool:
        for student in course.students("lstm"):
            submission = read(
                course.folder(student, "lstm"), student, "lstm", exam.assignment.source
            )
            cells = tuple(cell.source for cell in submission.cells)
            if not submission.refused and cells not in answers:
                own = {n: cases_of(s) for n, s in exam.own_stages(submission).items()}
                answers[cells] = pool.submit(cells, None, own).result()
    ready = Prepared(template, exam, answers, {})
    assert ready.grade(whole) == len(HONEST) * COPIES
    yield Prepared(template, exam, answers, dump(Course.open(whole).gradebook))


def write_honest_class(course: Path, copies: int = 1) -> None:
    """The demonstration's learners but for the one who never ends, each several times."""
    write_class(course)
    for folder in list((course / "submitted").iterdir()):
        if folder.name in HONEST:
            for copy in range(1, copies):
                shutil.copytree(folder, folder.with_name(f"{folder.name}-{copy}"))
        else:
            shutil.rmtree(folder)


@pytest.mark.long
@pytest.mark.parametrize("number", range(share(ROUNDS)))
def test_kills_at_any_moment_leave_the_same_gradebook(
    prepared: Prepared, tmp_path: Path, number: int
) -> None:
    moments = random.Random(SEED + number)
    folder = tmp_path / "class"
    shutil.copytree(prepared.template, folder)
    kills = 0
    while kills < KILLS_A_ROUND:
        hit = killed_after(moments.uniform(0, 0.15), lambda: prepared.grade(folder))
        kills += hit
        is_sound(folder)
        if not hit:  # it came to its end: begin again
            shutil.rmtree(folder)
            shutil.copytree(prepared.template, folder)
    prepared.grade(folder)
    assert dump(Course.open(folder).gradebook) == prepared.expected
    assert prepared.grade(folder) == 0


def killed_after(seconds: float, work: Any) -> bool:
    """Do some work in a forked process and kill it after a while; whether it was still at work."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def is_sound(folder: Path) -> None:
    """No half-written file, and a gradebook without a damaged page."""
    connection = sqlite3.connect(folder / "gradebook.db")
    assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
    connection.close()
    for page in folder.glob("feedback/*/*/*.html"):
        assert page.read_text("utf-8").rstrip().endswith("</html>")


@pytest.mark.only_long
def test_the_real_grader_killed_at_random_moments(prepared: Prepared, tmp_path: Path) -> None:
    folder = tmp_path / "class"
    shutil.copytree(prepared.template, folder)
    moments = random.Random(SEED)
    kills = 0
    while kills < share(REAL_KILLS):
        process = grade(folder)
        hit = killed_after_records(process, folder, moments.randrange(1, 4))
        kills += hit
        is_sound(folder)
        if not hit:
            shutil.rmtree(folder)
            shutil.copytree(prepared.template, folder)
    assert grade(folder).wait() == 1  # one file cannot be read
    assert dump(Course.open(folder).gradebook) == prepared.expected


def killed_after_records(process: subprocess.Popen[bytes], course: Path, number: int) -> bool:
    """Kill a grader when it has graded so many submissions; whether it was still at work. Its
    workers end with it."""

    def records() -> int:
        return len(list((course / "records" / "lstm").glob("*.json")))

    enough = records() + number
    while records() < enough and process.poll() is None:
        time.sleep(0.005)
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        _, alive = psutil.wait_procs(family, timeout=PATIENCE)
        assert not alive
    return process.wait() == -signal.SIGKILL


def grade(course: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "rnncourse", "grade", "lstm", "--course", str(course)]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=ROOT, stdout=quiet, stderr=quiet)
