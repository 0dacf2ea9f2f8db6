"""Who is tried again when all others are done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import Future
from typing import Any, Self
from unittest.mock import Mock

import pytest

from rnncourse.grading import classroom
from rnncourse.grading.record import Record
from rnncourse.grading.sandbox.host import NO_CALLS, Ended, ExerciseRun, Own, Run
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
    monkeypatch.setattr(classroom, "_keep", Mock(return_value=record))
    exam: Any = Mock(**{"own_stages.return_value": {}})
    lane = classroom._Lane(exam, lambda: pool)
    graded = [*lane.take(Submission("ada", "lstm")), *lane.finish()]
    assert len(graded) == 1
    assert pool.asked == [None, *again]
