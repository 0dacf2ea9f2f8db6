"""The grader's side of the sandbox: sends cells and inputs to a worker, gets outcomes back.

Nothing that comes from the worker is evaluated or unpickled, and nothing that is expected of a
learner goes there. A submission that hangs, dies or sends nonsense costs itself, and no other.
"""

from __future__ import annotations

import math
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from ..checks.drivers import Outcome
from ..checks.judge import Key
from ..checks.plan import Case
from .protocol import (
    END,
    MAX_OUTPUT,
    START,
    Frame,
    ProtocolError,
    clean,
    read_outcome,
    receive,
    send,
)
from .sandbox import Launch, Layers, SandboxError

Ended = Literal["done", "timeout", "died"]
Calls = Mapping[str, Mapping[Key, Case]]
"""What to call: for each exercise its cases by key."""

MAX_SKIPPED = 2
"""How many cells that hang or kill their process are left out before a notebook is given up."""
MAX_SOURCE = 80_000
"""Characters of a cell that fit into a frame, whatever they are."""
END_SECONDS = 15.0
"""Within which a worker has to get rid of a child."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        cells: seconds for all its cells together.
        exercise: seconds for all calls of one exercise.
        memory: bytes.
    """

    cells: float = 60.0
    exercise: float = 10.0
    memory: int = 1 << 30


@dataclass(frozen=True)
class CellRun:
    """How a cell went: what went wrong ("" if nothing did) and the beginning of its output."""

    index: int
    error: str
    output: str


@dataclass(frozen=True)
class ExerciseRun:
    """How the calls of an exercise went.

    Attributes:
        outcomes: of the calls that came to an end.
        ended: "done"; or it ran into its time limit; or its process ended or had to be ended.
        note: what happened if it is not done.
    """

    outcomes: dict[Key, Outcome]
    ended: Ended = "done"
    note: str = ""


@dataclass(frozen=True)
class Run:
    """How a submission went.

    Attributes:
        cells: those that were reached, in order.
        notes: exercises that were filled in without @fill, with a sentence each.
    """

    cells: tuple[CellRun, ...]
    exercises: dict[str, ExerciseRun]
    notes: dict[str, str]


class Worker:
    """Runs submissions, one after the other, in a worker process.

        with Worker(sandboxed()) as worker:
            run = worker.run(cells, calls)

    Bubblewrap ends with the thread that started it: use a worker in the thread that made it, or
    in one that lives as long. A process that has ended is replaced at the next run.
    """

    def __init__(self, launch: Launch, start_seconds: float = 120.0) -> None:
        self._launch = launch
        self._start_seconds = start_seconds
        self._process: _Process | None = None
        self._layers = Layers()

    def __enter__(self) -> Self:
        self._started()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    @property
    def layers(self) -> Layers:
        """What stands between a learner's code and the grader, once the worker has started."""
        return self._layers

    def run(self, cells: Sequence[str], calls: Calls, limits: Limits = Limits()) -> Run:
        """Run the cells in order, then call the exercises.

        After a call that hangs or kills its process, the cells run again in a new one for the
        exercises that are left. A cell that does so is left out of the next try.

        Raises:
            SandboxError: the worker does not start.
        """
        progress = _Progress(cells, calls, limits)
        deaths = 0
        while not progress.complete:
            try:
                self._attempt(progress)
            except _WorkerDied:
                self._stop()
                deaths += 1
                if deaths > 1:
                    progress.give_up("died", "twice, it brought down the whole worker")
        return Run(tuple(progress.ran), progress.exercises, progress.notes)

    def _attempt(self, progress: _Progress) -> None:
        """Do what is left in one new child, as far as it goes."""
        process = self._started()
        failure: Exception | None = None
        with process.fork() as link:
            try:
                _converse(link, progress)
            except (ProtocolError, EOFError, OSError) as error:
                failure = error
        status = process.end()
        if failure:
            progress.fail(failure, status)
        if self._launch.sandboxed and "namespaces" not in self._layers.names:
            self._stop()  # only a new sandbox holds nothing of the child's

    def _started(self) -> _Process:
        if self._process is None:
            self._process = _Process(self._launch, self._start_seconds)
            self._layers = self._process.layers
        return self._process

    def _stop(self) -> None:
        if self._process:
            self._process.stop()
        self._process = None


class _WorkerDied(Exception):
    """The worker itself, not only a child, has ended or does not answer."""


class _Process:
    """A running worker and its control socket."""

    def __init__(self, launch: Launch, seconds: float) -> None:
        self._control, theirs = socket.socketpair()
        self._folder = tempfile.TemporaryDirectory()
        self._log = Path(self._folder.name, "stderr")
        home = {} if launch.sandboxed else {"HOME": self._folder.name, "TMPDIR": self._folder.name}
        with theirs, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                launch.command,
                env=launch.environment | home,
                cwd=self._folder.name,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,  # an interrupt from the keyboard is the host's to handle
            )
        try:
            ready = receive(self._control, time.monotonic() + seconds).header
        except (ProtocolError, EOFError, OSError) as error:
            raise SandboxError(self._why_not_ready(error)) from None
        self.layers = launch.layers(namespaces=ready.get("namespaces") is True)

    def fork(self) -> socket.socket:
        """A socket to a new child."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._control, [START], [theirs.fileno()])
            except OSError:
                ours.close()
                raise _WorkerDied from None
        return ours

    def end(self) -> int:
        """End the child, whatever it is doing; its exit status."""
        try:
            self._control.settimeout(END_SECONDS)
            self._control.sendall(END)
            return int(receive(self._control, time.monotonic() + END_SECONDS).header["status"])
        except (ProtocolError, EOFError, OSError, KeyError, TypeError, ValueError):
            raise _WorkerDied from None

    def stop(self) -> None:
        """End the worker, by force if it does not end by itself."""
        self._control.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def _why_not_ready(self, error: Exception) -> str:
        self._process.kill()
        self._process.wait()
        said = self._log.read_text(errors="replace").strip()[-MAX_OUTPUT:]
        self.stop()
        late = isinstance(error, TimeoutError)
        reason = "was not ready in time" if late else "ended before it was ready"
        return f"the grading worker {reason}. " + (f"It said:\n{said}" if said else "")


class _Progress:
    """What is known so far of one submission.

    Attributes:
        cells_done: whether a child has run the cells to their end, or none will.
        skipped: cells that are left out from now on, with the reason.
    """

    def __init__(self, cells: Sequence[str], calls: Calls, limits: Limits) -> None:
        self.cells, self.calls, self.limits = cells, calls, limits
        self.ran: list[CellRun] = []
        self.notes: dict[str, str] = {}
        self.exercises: dict[str, ExerciseRun] = {}
        self.cells_done = False
        self.skipped: dict[int, str] = {}
        self._current: str | None = None
        self._outcomes: dict[Key, Outcome] = {}

    @property
    def pending(self) -> list[str]:
        return [name for name in self.calls if name not in self.exercises]

    @property
    def complete(self) -> bool:
        return self.cells_done and not self.pending

    def start_cells(self) -> None:
        self.ran, self._current = [], None

    def start_exercise(self, name: str) -> dict[Key, Outcome]:
        """Begin an exercise; the outcomes go into the result."""
        self._current, self._outcomes = name, {}
        return self._outcomes

    def finish_exercise(self, ended: Ended = "done", note: str = "") -> None:
        assert self._current is not None
        self.exercises[self._current] = ExerciseRun(self._outcomes, ended, note)

    def fail(self, error: Exception, status: int) -> None:
        """Record that the child failed where it was: in a cell, or in an exercise."""
        ended: Ended = "timeout" if isinstance(error, TimeoutError) else "died"
        if self._current:
            self.finish_exercise(ended, _note(error, status, self.limits.exercise))
            return
        note = _note(error, status, self.limits.cells)
        index = len(self.ran)
        honest = not isinstance(error, ProtocolError)
        if honest and index < len(self.cells) and len(self.skipped) < MAX_SKIPPED:
            all_cells = " for all cells together" if ended == "timeout" else ""
            self.skipped[index] = f"this cell is left out: {note}{all_cells}"
            return
        self.ran.append(CellRun(index, note, ""))
        self.give_up(ended, f"while the cells ran, {note}")

    def give_up(self, ended: Ended, note: str) -> None:
        for name in self.pending:
            self.exercises[name] = ExerciseRun({}, ended, note)
        self.cells_done = True


def _note(error: Exception, status: int, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"it did not end within {seconds:g} seconds"
    if isinstance(error, ProtocolError):
        return f"its process sent what the grader does not take: {error}"
    return f"its process ended with exit status {status}"


def _converse(link: socket.socket, progress: _Progress) -> None:
    """Let a new child run the cells, then the exercises that are left.

    Raises:
        ProtocolError, TimeoutError, EOFError, OSError: the child failed.
    """
    limits = progress.limits
    progress.start_cells()
    deadline = time.monotonic() + limits.cells
    seconds = math.ceil(limits.cells + limits.exercise * len(progress.pending)) + 1
    send(link, Frame({"memory": limits.memory, "seconds": seconds}), deadline)
    for index, source in enumerate(progress.cells):
        reason = progress.skipped.get(index)
        ran = CellRun(index, reason, "") if reason else _run_cell(link, index, source, deadline)
        progress.ran.append(ran)
    progress.notes = _fill_forgotten(link, progress, deadline)
    progress.cells_done = True
    for name in progress.pending:
        outcomes = progress.start_exercise(name)
        deadline = time.monotonic() + limits.exercise
        for key, case in progress.calls[name].items():
            outcomes[key] = _call(link, name, case, deadline)
        progress.finish_exercise()


def _run_cell(link: socket.socket, index: int, source: str, deadline: float) -> CellRun:
    if len(source) > MAX_SOURCE:
        return CellRun(index, f"the cell is not run: it has over {MAX_SOURCE} characters", "")
    answer = _ask(link, Frame({"cell": source}), deadline).header
    return CellRun(index, clean(answer.get("error")), clean(answer.get("output"), MAX_OUTPUT))


def _fill_forgotten(link: socket.socket, progress: _Progress, deadline: float) -> dict[str, str]:
    notes = _ask(link, Frame({"forgotten": True}), deadline).header.get("notes")
    if not isinstance(notes, dict):
        raise ProtocolError("the notes are missing.")
    return {name: clean(note) for name, note in notes.items() if name in progress.calls}


def _call(link: socket.socket, exercise: str, case: Case, deadline: float) -> Outcome:
    request = Frame({"exercise": exercise, "driver": case.driver}, case.arrays)
    return read_outcome(_ask(link, request, deadline), case)


def _ask(link: socket.socket, request: Frame, deadline: float) -> Frame:
    send(link, request, deadline)
    return receive(link, deadline)
