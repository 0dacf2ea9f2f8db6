"""Where submissions run: several at a time, each in a worker's sandbox.

A pool is told what to ask once, and then takes submissions and gives futures of runs: workers of
this machine here, other machines in `cluster`. What is right is decided elsewhere.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol, Self

from ...errors import CourseError
from .host import NO_CALLS, IsRight, Limits, Own, Questions, Run, Worker, unknown
from .launch import Launch, obstacle, sandboxed, unsafe

MAX_WORKERS = 8
"""Workers that are started when nobody says how many: each takes some 300 MB of memory."""


@dataclass(frozen=True)
class Errand:
    """What every submission of a class is asked, and what it may use.

    Attributes:
        is_right: after whose yes less is asked. It knows what is right, and stays on the machine
            where that is known.
    """

    questions: Questions
    limits: Limits
    is_right: IsRight = unknown


class Pool(Protocol):
    """Runs submissions.

    Attributes:
        size: how many run at a time.
    """

    @property
    def size(self) -> int: ...

    def submit(
        self, cells: Sequence[str], only: Collection[str] | None = None, own: Own = NO_CALLS
    ) -> Future[Run]:
        """Run a notebook's cells, then call its exercises, or only some of them.

        Args:
            own: the calls that only this notebook is asked.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


class LocalPool:
    """Workers on this machine, each held by a thread of its own: bubblewrap ends with the thread
    that started it."""

    def __init__(self, launch: Launch, size: int, errand: Errand) -> None:
        self._launch, self._size, self._errand = launch, size, errand
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="grading")
        self._mine = threading.local()
        self._workers: list[Worker] = []

    @property
    def size(self) -> int:
        return self._size

    def __enter__(self) -> Self:
        """Start all workers at once.

        Raises:
            SandboxError: one does not start.
        """
        together = threading.Barrier(self._size)
        started = [self._threads.submit(self._start, together) for _ in range(self._size)]
        try:
            for future in started:
                future.result()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.__exit__()
        self._threads.shutdown()

    def submit(
        self, cells: Sequence[str], only: Collection[str] | None = None, own: Own = NO_CALLS
    ) -> Future[Run]:
        return self._threads.submit(self._run, cells, only, own)

    def _start(self, together: threading.Barrier) -> None:
        together.wait()  # so that no thread takes the start of another
        worker = Worker(self._launch.rehearsing(self._errand.questions.cases))
        self._workers.append(worker)
        worker.__enter__()
        self._mine.worker = worker

    def _run(self, cells: Sequence[str], only: Collection[str] | None, own: Own) -> Run:
        worker: Worker = self._mine.worker
        errand = self._errand
        run = worker.run(cells, errand.questions, errand.limits, only, own, errand.is_right)
        return replace(run, layers=str(worker.layers))


OpenPool = Callable[[Errand], Pool]
"""Starts what runs a class's submissions."""


def pool_opener(workers: int | None, scheduler: str | None, protected: bool) -> OpenPool:
    """What starts the workers, once it is sure that it can.

    Raises:
        CourseError: there is no sandbox, or no scheduler.
    """
    if scheduler:
        from .cluster import ClusterPool

        return lambda errand: ClusterPool(scheduler, errand, protected)
    launch = _launch(protected)
    size = workers or min(MAX_WORKERS, _cores())
    return lambda errand: LocalPool(launch, size, errand)


def _launch(protected: bool) -> Launch:
    if not protected:
        return unsafe()
    if reason := obstacle():
        raise CourseError(f"{reason} To grade without it all the same: --no-sandbox.")
    return sandboxed()


def _cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
