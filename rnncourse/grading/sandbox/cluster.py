"""Submissions run on the workers of a Dask cluster, each with sandboxes of its own.

A task is a notebook's cells, and its result what they gave; the inputs go to each worker once.
What is expected of a learner, the comparison and the gradebook stay with the instructor. Dask
pickles between its nodes, which are trusted; what comes out of a sandbox is still only frames.

Needs the extra `rnncourse[cluster]`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from typing import Any, Self

import torch
from distributed import Client, KilledWorker, WorkerPlugin, get_worker

from ... import __version__
from ..._errors import CourseError
from .job import NO_CALLS, ExerciseRun, Job, Own, Run, unknown
from .launch import obstacle, sandboxed, unsafe
from .pools import LocalPool

NAME = "rnncourse"
CONNECT_SECONDS = 10
WORKERS_SECONDS = 120
"""How long to wait for the first worker to join: a batch system may take its time."""
COUNT_SECONDS = 5.0
"""How old the number of threads may be: workers come and go."""


class Site(WorkerPlugin):
    """The sandboxes of one Dask worker, as many as it has threads."""

    name = NAME

    def __init__(self, job: Job, protected: bool) -> None:
        self._job, self._protected = job, protected
        self._versions = _versions()
        self._pool: LocalPool | None = None

    async def setup(self, worker: Any) -> None:
        """Start them, in threads: a Dask worker that does not answer is taken for dead.

        Raises:
            CourseError: this node is not fit for it.
        """
        if self._versions != _versions():
            raise CourseError(f"it has {_versions()}, and the grader {self._versions}.")
        if self._protected and (reason := obstacle()):
            raise CourseError(reason)
        launch = sandboxed() if self._protected else unsafe()
        self._pool = LocalPool(launch, worker.state.nthreads, self._job)
        try:
            await asyncio.to_thread(self._pool.start_all)
        except BaseException:
            await asyncio.to_thread(self._pool.__exit__)
            raise

    async def teardown(self, worker: Any) -> None:
        """End the sandboxes of this node."""
        if self._pool:
            await asyncio.to_thread(self._pool.__exit__)

    def run(self, cells: Sequence[str], only: Collection[str] | None, own: Own) -> Run:
        """Run one submission, in one of them."""
        assert self._pool is not None
        return self._pool.submit(cells, only, own).result()


class ClusterPool:
    """The workers that a Dask scheduler knows, now and later."""

    def __init__(self, address: str, job: Job, protected: bool) -> None:
        self._address, self._protected = address, protected
        self._job = replace(job, is_right=unknown)
        self._counted = 0.0
        self._size = 1

    @property
    def size(self) -> int:
        """How many submissions run at a time: the workers' threads."""
        if time.monotonic() > self._counted + COUNT_SECONDS:
            self._size = sum(self._client.nthreads().values()) or 1
            self._counted = time.monotonic()
        return self._size

    def __enter__(self) -> Self:
        """Connect, and prepare every worker.

        Raises:
            CourseError: nothing answers at the address, no worker joins, or one is not fit.
        """
        # A worker that is lost is no news to the instructor: its task runs again elsewhere.
        logging.getLogger("distributed.client").setLevel(logging.ERROR)
        try:
            self._client = Client(self._address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise CourseError(f"no Dask scheduler answers at {self._address}: {error}.") from error
        try:
            self._client.wait_for_workers(1, timeout=WORKERS_SECONDS)
            self._client.register_plugin(Site(self._job, self._protected), name=NAME)
        except TimeoutError:
            self.__exit__()
            raise CourseError(f"no worker has joined the scheduler {self._address}.") from None
        except Exception as error:
            self.__exit__()
            raise CourseError(f"a worker of {self._address} cannot be used: {error}") from error
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def submit(
        self, cells: Sequence[str], only: Collection[str] | None = None, own: Own = NO_CALLS
    ) -> Future[Run]:
        """See `Pool.submit`."""
        # Equal notebooks must run twice: a second try may not be answered from the first.
        task = self._client.submit(_run, tuple(cells), only, own, pure=False)
        result: Future[Run] = Future()
        task.add_done_callback(lambda done: self._hand_on(done, result, only))
        return result

    def _hand_on(self, task: Any, result: Future[Run], only: Collection[str] | None) -> None:
        """A task that brought down one Dask worker after the other is its submission's error.

        A result is asked for here, and not before: it may lie on a worker that is lost meanwhile,
        and then the task runs again.
        """
        try:
            result.set_result(task.result())
        except KilledWorker:
            names = only or self._job.class_calls.cases
            note = "each worker that ran it ended"
            result.set_result(Run(exercises={n: ExerciseRun({}, "died", note) for n in names}))
        except CancelledError:
            result.set_exception(CourseError(f"the scheduler {self._address} dropped a task."))
        except Exception as error:  # whatever the task has raised
            result.set_exception(error)


def _run(cells: Sequence[str], only: Collection[str] | None, own: Own) -> Run:
    """What a task does, on a Dask worker."""
    site = get_worker().plugins[NAME]
    assert isinstance(site, Site)
    return site.run(cells, only, own)


def _versions() -> str:
    """What has to be the same on every node."""
    return f"rnncourse {__version__} and torch {torch.__version__}"
