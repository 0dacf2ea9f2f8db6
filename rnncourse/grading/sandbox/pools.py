"""Where submissions run: several at a time, each in a worker's sandbox.

A pool is told what to ask once, and then takes submissions and gives futures of runs: workers of
this machine here, other machines in `cluster`. What is right is decided elsewhere.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol, Self

from ..._errors import CourseError
from .host import Worker
from .job import NO_CALLS, Job, Own, Run
from .launch import Launch, SandboxError, obstacle, sandboxed, unsafe

MAX_WORKERS = 8
"""Workers that are started when nobody says how many: each takes some 300 MB of memory."""


class Pool(Protocol):
    """Runs submissions.

    Attributes:
        size: how many run at a time.
    """

    @property
    def size(self) -> int:
        """How many run at a time."""

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
    """Workers on this machine. A start takes seconds of computing, so that one is started only for
    a submission for which no other is free. Bubblewrap ends with the thread that started it: these
    threads live until the pool is closed."""

    def __init__(self, launch: Launch, size: int, job: Job) -> None:
        self._launch, self._size, self._job = launch, size, job
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="grading")
        self._changing = threading.Lock()
        self._workers: list[Worker] = []
        self._free: list[Worker] = []
        self._closed = False

    @property
    def size(self) -> int:
        """How many run at a time."""
        return self._size

    def start_all(self) -> None:
        """Start all workers at once, before any submission comes.

        Raises:
            SandboxError: one does not start.
        """
        started = [self._threads.submit(self._take) for _ in range(self._size)]
        self._free += [future.result() for future in started]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._changing:
            self._closed = True
        for worker in self._workers:
            worker.__exit__()
        self._threads.shutdown()

    def submit(
        self, cells: Sequence[str], only: Collection[str] | None = None, own: Own = NO_CALLS
    ) -> Future[Run]:
        """See `Pool.submit`. The run raises SandboxError if its worker does not start."""
        return self._threads.submit(self._run, cells, only, own)

    def _take(self) -> Worker:
        """A worker that is free, else a new one."""
        with self._changing:
            if self._free:
                return self._free.pop()
            if self._closed:
                raise SandboxError("the grading workers have been closed.")
            worker = Worker(self._launch.warming_up(self._job.class_calls.cases))
            self._workers.append(worker)
        return worker.__enter__()

    def _run(self, cells: Sequence[str], only: Collection[str] | None, own: Own) -> Run:
        worker, job = self._take(), self._job
        run = worker.run(cells, job.class_calls, job.limits, only, own, job.is_right)
        self._free.append(worker)
        return replace(run, layers=str(worker.layers))


OpenPool = Callable[[Job], Pool]
"""Starts what runs a class's submissions."""


def pool_opener(workers: int | None, scheduler: str | None, protected: bool) -> OpenPool:
    """What starts the workers, once it is sure that it can.

    Raises:
        CourseError: there is no sandbox, or no scheduler.
    """
    if scheduler:
        from .cluster import ClusterPool

        return lambda job: ClusterPool(scheduler, job, protected)
    launch = _launch(protected)
    size = workers or min(MAX_WORKERS, _cores())
    return lambda job: LocalPool(launch, size, job)


def _launch(protected: bool) -> Launch:
    if not protected:
        return unsafe()
    if reason := obstacle():
        raise CourseError(f"{reason} To grade without it all the same: --no-sandbox.")
    return sandboxed()


def _cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
