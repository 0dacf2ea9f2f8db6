"""Who is tried again when all others are done, and who waits for whom."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self
from unittest.mock import Mock

import pytest

from rnncourse.grading import run
from rnncourse.grading.course import Course
from rnncourse.grading.record import Record
from rnncourse.grading.sandbox.job import NO_CALLS, Ended, ExerciseRun, Own, Run
from rnncourse.grading.submissions import readers
from rnncourse.grading.submissions.submission import Submission


class Pool:
    """Gives the same run each time, and keeps what it was asked."""

    size = 1

    def __init__(self, **ended: Ended) -> None:
        self.run = Run(exercises={name: ExerciseRun({}, how) for name, how in ended.items()})
        self.asked: list[Collection[str] | None] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def submit(
        self, cells: Sequence[str], only: Collection[str] | None = None, own: Own = NO_CALLS
    ) -> Future[Run]:
        self.asked.append(only)
        future: Future[Run] = Future()
        future.set_result(self.run)
        return future


@pytest.mark.parametrize(
    ("pool", "again"),
    [
        (Pool(a="done", b="died"), []),
        (Pool(a="slept", b="slept"), []),
        (Pool(a="timeout", b="slept"), [["a"]]),
    ],
)
def test_only_who_computed_too_long_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, pool: Pool, again: list[list[str]]
) -> None:
    record = Record("ada", "lstm", (), "none")
    monkeypatch.setattr(run, "_keep", Mock(return_value=record))
    exam: Any = Mock(**{"own_stages.return_value": {}})
    lane = run._Lane(exam, lambda: pool)
    graded = [*lane.take(Submission("ada", "lstm")), *lane.finish()]
    assert len(graded) == 1
    assert pool.asked == [None, *again]


def test_what_takes_long_to_read_holds_nobody_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two hand-ins that end only when all others are kept: those before them and those after."""
    bad = ("bad_1", "bad_2")
    students = ("ada", *bad, "ben", "cem", "dan", "zoe")
    for student in students:
        folder = tmp_path / "submitted" / student / "lstm"
        folder.mkdir(parents=True)
        if student != "bad_2":  # where there is no lstm.ipynb, the others are looked through
            (folder / "lstm.ipynb").write_bytes(b"x" * 100 if student in bad else b"x")
    monkeypatch.setattr("rnncourse.grading.submissions.reader.LARGE", 50)
    others_are_kept, waited = threading.Event(), []

    def read(folder: Path, student: str, assignment: str, source: object) -> Submission:
        if student in bad:
            waited.append(others_are_kept.wait(30))
        return Submission(student, assignment, refused="." if student == "bad_1" else "")

    def keep(_: object, submission: Submission, *more: object) -> Record:
        return Record(submission.student, "lstm", (), "none")

    monkeypatch.setattr(readers, "read", read)
    monkeypatch.setattr(run, "_keep", keep)
    monkeypatch.setattr(run, "_done", lambda *_: None)
    exam: Any = Mock(course=Course.open(tmp_path))
    exam.name = "lstm"
    exam.own_stages.return_value = {}
    kept = []
    for graded in run.grade_class(exam, students, lambda _: Pool(a="done")):
        kept.append(graded.record.student)
        if set(kept) == set(students) - set(bad):
            others_are_kept.set()
    assert waited == [True, True]
    assert sorted(kept) == sorted(students) and set(kept[-2:]) == set(bad)
