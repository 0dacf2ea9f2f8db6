"""The grader's side of the sandbox: sends cells and inputs to a worker, gets outcomes back.

Nothing that comes from the worker is evaluated or unpickled, and nothing that is expected of a
learner goes there. A submission that hangs, dies or sends nonsense costs itself, and no other.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from typing import Self

from .child_session import ChildSession
from .job import NO_CALLS, ClassCalls, IsRight, Own, Run, unknown
from .launch import Launch, Layers, SandboxError
from .limits import USUAL_LIMITS, Limits
from .process import START_SECONDS, WorkerDiedError, WorkerProcess
from .run_state import RunState


class Worker:
    """Runs submissions, one after the other, in a worker process.

        with Worker(sandboxed()) as worker:
            run = worker.run(cells, class_calls, limits)

    Bubblewrap ends with the thread that started it: use a worker in the thread that made it, or
    in one that lives as long. Several threads can have a worker each. A process that has ended is
    replaced at the next run.
    """

    def __init__(self, launch: Launch, start_seconds: float = START_SECONDS) -> None:
        self._launch = launch
        self._start_seconds = start_seconds
        self._process: WorkerProcess | None = None
        self._layers = Layers()
        self._closing = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        self._started()
        return self

    def __exit__(self, *error: object) -> None:
        """End the process, and with it what it is running; any thread may do it."""
        with self._closing:
            self._closed = True
            self._stop()

    @property
    def layers(self) -> Layers:
        """What stands between a learner's code and the grader, once the worker has started."""
        return self._layers

    def run(
        self,
        cells: Sequence[str],
        class_calls: ClassCalls,
        limits: Limits = USUAL_LIMITS,
        only: Collection[str] | None = None,
        own: Own = NO_CALLS,
        is_right: IsRight = unknown,
    ) -> Run:
        """Run the cells in order, then make the calls: the public ones of all exercises, then the
        secret ones of each.

        After a call that hangs or kills its process, the cells run again in a new one for the
        exercises that are left, and first for the calls of the same one with a probe: they tell
        whether only another function is to blame. A cell that does so is left out of the next try.

        Args:
            only: the exercises to call; None for all.
            own: the calls that only this submission is asked.
            is_right: after whose yes the class's inputs are not asked with a probe.

        Raises:
            SandboxError: the worker does not start, or has been closed.
        """
        state = RunState(cells, class_calls, limits, only, own, is_right)
        deaths = 0
        while not state.complete:
            if state.is_overdue:
                state.give_up(state.late, state.reason_if_late)
                break
            try:
                self._attempt(state)
            except WorkerDiedError:
                self._stop()
                deaths += 1
                if deaths > 1:
                    state.give_up("died", "twice, it brought down the whole worker")
        return state.run(str(self._layers))

    def _attempt(self, state: RunState) -> None:
        """Do what is left in one new child, as far as it goes."""
        process = self._started()
        failure = ChildSession(process.fork(), state).hold()
        if failure:
            state.fail(failure, process.end())
        else:
            process.dismiss()
        if self._launch.sandboxed and "namespaces" not in self._layers.names:
            self._stop()  # only a new sandbox holds nothing of the child's

    def _started(self) -> WorkerProcess:
        with self._closing:
            if self._closed:
                raise SandboxError("the grading worker has been closed.")
            if self._process is None:
                self._process = WorkerProcess(self._launch, self._start_seconds)
                self._layers = self._process.layers
            return self._process

    def _stop(self) -> None:
        if self._process:
            self._process.stop()
        self._process = None
