"""How many workers are started, and that none is left."""

from __future__ import annotations

from typing import Self

import pytest

from rnncourse.grading.sandbox import pools
from rnncourse.grading.sandbox.job import ClassCalls, Job, Run
from rnncourse.grading.sandbox.launch import SandboxError, unsafe
from rnncourse.grading.sandbox.limits import Limits
from rnncourse.grading.sandbox.pools import LocalPool

SIZE = 3


class FakeWorker:
    """A worker that runs nothing, or does not start."""

    layers = "none"
    starts = True
    all: list[FakeWorker]

    def __init__(self, launch: object) -> None:
        self.running = False
        self.all.append(self)

    def __enter__(self) -> Self:
        if not self.starts:
            raise SandboxError("it does not start.")
        self.running = True
        return self

    def __exit__(self, *error: object) -> None:
        self.running = False

    def run(self, *asked: object) -> Run:
        return Run()


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[FakeWorker]:
    """Those that a pool makes."""
    monkeypatch.setattr(FakeWorker, "all", [], raising=False)
    monkeypatch.setattr(pools, "Worker", FakeWorker)
    return FakeWorker.all


def pool() -> LocalPool:
    return LocalPool(unsafe(), SIZE, Job(ClassCalls(), Limits()))


def test_a_worker_is_started_when_it_is_needed(workers: list[FakeWorker]) -> None:
    with pool() as opened:
        assert workers == []
        for _ in range(SIZE):  # one after the other: the first is free each time
            assert opened.submit([]).result().layers == "none"
        assert [worker.running for worker in workers] == [True]
    assert [worker.running for worker in workers] == [False]


def test_all_workers_can_be_started_at_once(workers: list[FakeWorker]) -> None:
    with pool() as opened:
        opened.start_all()
        assert [worker.running for worker in workers] == SIZE * [True]
        opened.submit([]).result()
    assert [worker.running for worker in workers] == SIZE * [False]


def test_a_worker_that_does_not_start_is_said(
    workers: list[FakeWorker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeWorker, "starts", False)
    with pool() as opened, pytest.raises(SandboxError, match="it does not start"):
        opened.submit([]).result()
    with pool() as opened, pytest.raises(SandboxError, match="it does not start"):
        opened.start_all()
