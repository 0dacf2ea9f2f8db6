"""The grader's side of the sandbox: sends cells and inputs to a worker, gets outcomes back.

Nothing that comes from the worker is evaluated or unpickled, and nothing that is expected of a
learner goes there. A submission that hangs, dies or sends nonsense costs itself, and no other.
"""

from __future__ import annotations

import contextlib
import math
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from ..._tracing import LEFT_OUT
from ...checks.drivers import PROBE, Outcome
from ...checks.plan import Case, Key
from ..worker.operators import NAMES
from ..worker.protocol import (
    END,
    HERE,
    MAX_FIGURES,
    MAX_OUTPUT,
    MAX_STREAM,
    START,
    Form,
    Frame,
    ProtocolError,
    Reader,
    Timeout,
    clean,
    clean_list,
    encode,
    figures_in,
    read_outcome,
    send_encoded,
)
from .deadline import ChildClock, CpuBudget, Deadline, SleptError
from .launch import Launch, Layers, SandboxError

Ended = Literal["done", "timeout", "slept", "died"]

MAX_SKIPPED = 2
"""How many cells that hang or kill their process are left out before a notebook is given up."""
MAX_SOURCE = 80_000
"""Characters of a cell that fit into a frame, whatever they are."""
MAX_FLAGS = 10
"""Reasons for a person to look that are taken from a worker for an exercise."""
MAX_QUOTED = 40
"""Characters of a cell's first line in a message."""
START_SECONDS = 600.0
"""Within which a worker has to be ready: seconds on an idle machine, a minute on a busy one."""
END_SECONDS = 60.0
"""Within which a worker has to bring a child to life, to get rid of it, or to end."""

CRASHES = {
    128 + signal.SIGABRT: "its process crashed",
    128 + signal.SIGSEGV: "its process crashed",
    128 + signal.SIGKILL: "its process was killed, as when memory runs out",
}
"""What is said of a process that ended while it had secret inputs, by exit status."""

_CREDENTIALS = struct.Struct("3i")  # process, user and group
_SCM_CREDENTIALS = 2


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        cells: seconds of computing time for all its cells together.
        exercise: seconds of computing time for all calls of one exercise.
        submission: seconds on the clock for all of it, however often it is tried again.
        memory: bytes.
    """

    cells: float = 60.0
    exercise: float = 10.0
    submission: float = 300.0
    memory: int = 1 << 30

    @property
    def idle(self) -> float:
        """Seconds on the clock after which code ends that has hardly computed meanwhile."""
        return self.submission / 10

    @property
    def cells_on_the_clock(self) -> float:
        """Seconds on the clock for all cells together: the other half is for the exercises."""
        return self.submission / 2


@dataclass(frozen=True, eq=False)
class Calls:
    """Calls of one exercise's function, as they are sent to a child."""

    exercise: str
    cases: Mapping[Key, Case]

    @cached_property
    def encoded(self) -> bytes:
        """The frames that ask for them."""
        calls = [Frame({"driver": case.driver}, case.arrays) for case in self.cases.values()]
        first = Frame({"exercise": self.exercise, "calls": len(calls)})
        return b"".join(encode(frame) for frame in (first, *calls))

    @cached_property
    def forms(self) -> dict[Key, Form]:
        """What complete outcomes look like."""
        return {key: Form.of(case) for key, case in self.cases.items()}

    @cached_property
    def probed(self) -> Calls:
        """Those with a probe in the place of the learner's own functions."""
        probed = {k: case for k, case in self.cases.items() if case.driver.endswith(PROBE)}
        return Calls(self.exercise, probed)

    @cached_property
    def unprobed(self) -> Calls:
        """The others."""
        others = {k: case for k, case in self.cases.items() if k not in self.probed.cases}
        return Calls(self.exercise, others)


Lot = tuple[Calls, dict[Key, Outcome]]
"""Calls that are sent in one go, and where their outcomes are put."""


@dataclass(frozen=True, eq=False)
class ClassCalls:
    """What every submission of a class is asked. It holds no answer.

    Attributes:
        cases: the calls to make on secret inputs, by exercise and key.
        ready_made: what torch has for the same purpose, as dotted names, by exercise.
        public: the calls to make first, before a child has seen any secret input. So what comes of
            them can be told to learners in full.
    """

    cases: Mapping[str, Mapping[Key, Case]] = field(default_factory=dict)
    ready_made: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    public: Mapping[str, Mapping[Key, Case]] = field(default_factory=dict)

    @cached_property
    def hidden_calls(self) -> dict[str, Calls]:
        """The calls on secret inputs, by exercise."""
        return {name: Calls(name, cases) for name, cases in self.cases.items()}

    @cached_property
    def public_calls(self) -> dict[str, Calls]:
        """The calls on public inputs, by exercise."""
        return {name: Calls(name, cases) for name, cases in self.public.items()}


Own = Mapping[str, Mapping[Key, Case]]
"""The calls on inputs that only one hand-in is asked, by exercise and key."""
NO_CALLS: Own = {}

IsRight = Callable[[str, Mapping[Key, Outcome]], bool]
"""Tells whether an exercise's outcomes on the class's inputs are right in all, without a probe:
then nothing is learnt from one."""


def unknown(exercise: str, outcomes: Mapping[Key, Outcome]) -> bool:
    """What is right is not known here: an `IsRight` for where all is asked."""
    return False


@dataclass(frozen=True)
class CellRun:
    """How a cell went.

    Attributes:
        error: what went wrong, "" if nothing did.
        output: the beginning of what it printed and displayed.
        figures: PNG files.
    """

    index: int
    error: str
    output: str
    figures: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class ExerciseRun:
    """How the calls of an exercise went.

    Attributes:
        outcomes: of the calls that came to an end, on the inputs of the class,
        own: on the hand-in's own,
        public: and on public ones.
        ended: "done"; or it ran into its time limit, computing or asleep; or its process ended or
            had to be ended.
        note: what happened if it is not done.
        probed: whether then at least all calls with a probe came to an end, asked anew.
    """

    outcomes: dict[Key, Outcome]
    ended: Ended = "done"
    note: str = ""
    probed: bool = False
    own: dict[Key, Outcome] = field(default_factory=dict)
    public: dict[Key, Outcome] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """How a submission went.

    Attributes:
        cells: those that were reached, in order.
        notes: exercises that were filled in without @fill, with a sentence each.
        flags: reasons for a person to look, by exercise.
        layers: the layers of protection that were active, as one word.
        undefined: a name that an exercise uses and no cell has defined, by exercise: as the child
            says, before it is sent any input.
    """

    cells: tuple[CellRun, ...] = ()
    exercises: dict[str, ExerciseRun] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    flags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    layers: str = "not run"
    undefined: dict[str, str] = field(default_factory=dict)


class Worker:
    """Runs submissions, one after the other, in a worker process.

        with Worker(sandboxed()) as worker:
            run = worker.run(cells, questions, limits)

    Bubblewrap ends with the thread that started it: use a worker in the thread that made it, or
    in one that lives as long. Several threads can have a worker each. A process that has ended is
    replaced at the next run.
    """

    def __init__(self, launch: Launch, start_seconds: float = START_SECONDS) -> None:
        self._launch = launch
        self._start_seconds = start_seconds
        self._process: _Process | None = None
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
        limits: Limits = Limits(),
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
        progress = _Progress(cells, class_calls, limits, only, own, is_right)
        deaths = 0
        while not progress.complete:
            if progress.is_overdue:
                progress.give_up(progress.late, progress.reason_if_late)
                break
            try:
                self._attempt(progress)
            except _WorkerDiedError:
                self._stop()
                deaths += 1
                if deaths > 1:
                    progress.give_up("died", "twice, it brought down the whole worker")
        return progress.run(str(self._layers))

    def _attempt(self, progress: _Progress) -> None:
        """Do what is left in one new child, as far as it goes."""
        process = self._started()
        failure = _ChildSession(process.fork(), progress).hold()
        if failure:
            progress.fail(failure, process.end())
        else:
            process.dismiss()
        if self._launch.sandboxed and "namespaces" not in self._layers.names:
            self._stop()  # only a new sandbox holds nothing of the child's

    def _started(self) -> _Process:
        with self._closing:
            if self._closed:
                raise SandboxError("the grading worker has been closed.")
            if self._process is None:
                self._process = _Process(self._launch, self._start_seconds)
                self._layers = self._process.layers
            return self._process

    def _stop(self) -> None:
        if self._process:
            self._process.stop()
        self._process = None


class _WorkerDiedError(Exception):
    """The worker itself, not only a child, has ended or does not answer."""


class _Process:
    """A running worker and its control socket."""

    def __init__(self, launch: Launch, seconds: float) -> None:
        self._control, theirs = socket.socketpair()
        self._reader = Reader(self._control)
        self._ending = False
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
            ready = self._reader.frame(Deadline(seconds)).header
        except (ProtocolError, EOFError, OSError) as error:
            raise SandboxError(self._why_not_ready(error)) from None
        self.layers = launch.layers(ready.get("namespaces") is True, ready.get("seccomp") is True)

    def fork(self) -> socket.socket:
        """A socket to a new child."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._take_end()
                if sys.platform == "linux":
                    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
                socket.send_fds(self._control, [START], [theirs.fileno()])
            except (ProtocolError, EOFError, OSError):
                ours.close()
                raise _WorkerDiedError from None
        return ours

    def dismiss(self) -> None:
        """Have the child ended; the next thing that is asked of the worker waits for it."""
        try:
            self._control.settimeout(END_SECONDS)
            self._control.sendall(END)
        except OSError:
            raise _WorkerDiedError from None
        self._ending = True

    def end(self) -> int:
        """End the child, whatever it is doing; its exit status."""
        self.dismiss()
        try:
            return self._take_end()
        except (ProtocolError, EOFError, OSError):
            raise _WorkerDiedError from None

    def stop(self) -> None:
        """End the worker, by force if it does not end by itself."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for it as well
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._control.close()
        self._folder.cleanup()

    def _take_end(self) -> int:
        """The exit status of the child that is being ended, if there is one."""
        if not self._ending:
            return 0
        status = self._reader.frame(Deadline(END_SECONDS)).header.get("status")
        if not isinstance(status, int):
            raise ProtocolError("there is no exit status.")
        self._ending = False
        return status

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
        latest: the instant when all is over.
        cells_done: whether a child has run the cells to their end, or none will.
        early: exercises that ended early and are asked again, only with a probe.
        late: how it ends if all is over: the last that took too long computed, or it slept.
        skipped: cells that are left out from now on, with the reason.
        own: the calls that only this submission is asked, by exercise.
        public: outcomes of public calls, by exercise.
        used: seconds of computing time, by exercise.
    """

    def __init__(
        self,
        cells: Sequence[str],
        class_calls: ClassCalls,
        limits: Limits,
        only: Collection[str] | None,
        own: Own,
        is_right: IsRight,
    ) -> None:
        self.cells, self.class_calls, self.limits = cells, class_calls, limits
        self._is_right = is_right
        self.own = {name: Calls(name, cases) for name, cases in own.items()}
        self.public: dict[str, dict[Key, Outcome]] = {}
        self.used: defaultdict[str, float] = defaultdict(float)
        self.names = [name for name in class_calls.cases if only is None or name in only]
        self.latest = time.monotonic() + limits.submission
        self.ran: list[CellRun] = []
        self.notes: dict[str, str] = {}
        self.undefined: dict[str, str] = {}
        self.flags: dict[str, tuple[str, ...]] = {}
        self.exercises: dict[str, ExerciseRun] = {}
        self.early: dict[str, ExerciseRun] = {}
        self.cells_done = False
        self.late: Ended = "timeout"
        too_long = f"the cell is not run: it has over {MAX_SOURCE} characters"
        self.skipped = {k: too_long for k, cell in enumerate(cells) if len(cell) > MAX_SOURCE}
        self._left_out = 0
        self._current: str | None = None
        self._outcomes: dict[Key, Outcome] = {}
        self._own_outcomes: dict[Key, Outcome] = {}

    @property
    def pending(self) -> list[str]:
        return [name for name in self.names if name not in self.exercises]

    @property
    def untried(self) -> list[str]:
        """The exercises whose public calls are still to be made."""
        public = self.class_calls.public
        return [n for n in self.pending if n in public and n not in (*self.public, *self.early)]

    @property
    def complete(self) -> bool:
        return self.cells_done and not self.pending

    @property
    def is_overdue(self) -> bool:
        return time.monotonic() >= self.latest

    @property
    def reason_if_late(self) -> str:
        most = f"all of it took more than {self.limits.submission:g} seconds"
        return f"{most}, in which it waited or slept" if self.late == "slept" else most

    @property
    def share(self) -> float:
        """Seconds on the clock for the next exercise. One share is left for what has to run again
        if this one fails."""
        return (self.latest - time.monotonic()) / (len(self.pending) + 1)

    def run(self, layers: str) -> Run:
        return Run(tuple(self.ran), self.exercises, self.notes, self.flags, layers, self.undefined)

    def start_cells(self) -> None:
        self.ran, self._current = [], None

    def start_public(self, name: str) -> dict[Key, Outcome]:
        """Begin an exercise's public calls; the outcomes go into the result."""
        self._current, self._outcomes, self._own_outcomes = name, {}, {}
        self.public[name] = {}
        return self.public[name]

    def secret_calls(self, name: str) -> Iterator[list[Lot]]:
        """Begin an exercise: its calls on secret inputs, those that can be sent together. Those of
        the class and the submission's own come first, then those of the class with a probe, if
        they are needed."""
        self._current, self._outcomes, self._own_outcomes = name, {}, {}
        calls, own = self.class_calls.hidden_calls[name], self.own.get(name)
        if name in self.early:
            calls, own = calls.probed, own and own.probed
        yield [(calls.unprobed, self._outcomes), *([(own, self._own_outcomes)] if own else [])]
        if calls.probed.cases and not self._is_right(name, self._outcomes):
            yield [(calls.probed, self._outcomes)]

    def flag_used(self, name: str, frame: Frame) -> None:
        """Flag what an exercise has used of torch so far. Only names that are known beforehand are
        taken: in others a process could hide what it has seen."""
        used = clean_list(frame.header.get("used"), MAX_FLAGS)
        if not used:  # as of nearly every frame
            return
        ready_made = self.class_calls.ready_made.get(name, ())
        known = NAMES | {made.removeprefix("torch.") for made in ready_made}
        known_used = [function for function in used if function in known]
        self.flag(name, [f"while it ran it called torch's {function}" for function in known_used])

    def flag(self, name: str, reasons: list[str]) -> None:
        before = self.flags.get(name, ())
        if new := [reason for reason in reasons if reason not in before]:
            self.flags[name] = (*before, *new)

    def finish_exercise(self) -> None:
        """All that was asked came to its end."""
        assert self._current is not None
        name, early = self._current, self.early.get(self._current)
        if early:
            outcomes, own = early.outcomes | self._outcomes, early.own | self._own_outcomes
            self.exercises[name] = replace(early, outcomes=outcomes, own=own, probed=True)
        else:
            self.exercises[name] = self._ran(name)

    def _ran(self, name: str, ended: Ended = "done", note: str = "") -> ExerciseRun:
        public = self.public.get(name, {})
        return ExerciseRun(self._outcomes, ended, note, own=self._own_outcomes, public=public)

    def _fail_exercise(self, name: str, ended: Ended, note: str, honest: bool) -> None:
        if name in self.early:
            self.exercises[name] = self.early[name]
        elif honest and self.class_calls.hidden_calls[name].probed.cases:
            self.early[name] = self._ran(name, ended, note)
        else:
            self.exercises[name] = self._ran(name, ended, note)

    def fail(self, error: Exception, status: int) -> None:
        """Record that the child failed where it was: in a cell, or in an exercise."""
        ended = _ended(error)
        if ended != "died":
            self.late = ended
        honest = not isinstance(error, ProtocolError)
        if self._current:
            self._fail_exercise(self._current, ended, _secret_note(error, status), honest)
            return
        note = _note(error, status)
        index = len(self.ran)
        if honest and index < len(self.cells) and self._left_out < MAX_SKIPPED:
            all_cells = " for all cells together" if ended == "timeout" else ""
            self.skipped[index] = f"{LEFT_OUT}: {note}{all_cells}"
            self._left_out += 1
            return
        self.ran.append(CellRun(index, note, ""))
        self.give_up(ended, f"{self._place(index)}, {note}")

    def give_up(self, ended: Ended, note: str) -> None:
        for name in self.pending:
            public = self.public.get(name, {})
            self.exercises[name] = self.early.get(name) or ExerciseRun(
                {}, ended, note, public=public
            )
        self.cells_done = True

    def _place(self, index: int) -> str:
        """Where a child was that had come to this cell, by the cell's first line."""
        if index >= len(self.cells):
            return "after the last cell"
        first = self.cells[index].strip().partition("\n")[0]
        return f"in the cell “{clean(first, MAX_QUOTED)}”"


def _ended(error: Exception) -> Ended:
    if isinstance(error, SleptError):
        return "slept"
    return "timeout" if isinstance(error, TimeoutError) else "died"


def _note(error: Exception, status: int) -> str:
    if isinstance(error, TimeoutError):
        return str(error)
    if isinstance(error, ProtocolError):
        return f"its process sent what the grader does not take: {error}"
    return f"its process ended with exit status {status}"


def _secret_note(error: Exception, status: int) -> str:
    """What happened while secret inputs were there: nothing that the process could choose."""
    if isinstance(error, TimeoutError):
        return str(error)
    if isinstance(error, ProtocolError):
        return "its process sent what the grader does not take"
    return CRASHES.get(status, "its process ended")


class _ChildSession:
    """What is said with one child: its cells and what comes of them, then exercise by exercise."""

    def __init__(self, link: socket.socket, progress: _Progress) -> None:
        self._link, self._progress = link, progress
        self._reader = Reader(link, ahead=True, limit=MAX_STREAM)
        self._clock = ChildClock()
        self._began = 0.0

    def hold(self) -> Exception | None:
        """Hold it as far as it goes.

        Returns:
            why it ended early; None if it came to its end.
        """
        with self._link:
            try:
                self._run_cells()
                for name in self._progress.untried:
                    self._call_publicly(name)
                for name in self._progress.pending:
                    self._call(name)
            except (ProtocolError, EOFError, OSError) as error:
                return error
        return None

    def _run_cells(self) -> None:
        progress, limits = self._progress, self._progress.limits
        progress.start_cells()
        try:
            self._meet(Deadline(END_SECONDS))
        except TimeoutError:  # none of the learner's code has run yet
            raise _WorkerDiedError from None
        latest = min(progress.latest, time.monotonic() + limits.cells_on_the_clock)
        timeout = CpuBudget(limits.cells, self._clock, 0.0, latest, limits.idle)
        send_encoded(self._link, _job_frames(progress), timeout)
        flags = self._reader.frame(timeout).header.get("flags")
        if not isinstance(flags, dict):
            raise ProtocolError("the flags are missing.")
        figures = 0
        for index in range(len(progress.cells)):
            if index in progress.skipped:
                progress.ran.append(CellRun(index, progress.skipped[index], ""))
                continue
            ran = _cell_run(index, self._reader.frame(timeout))
            figures += len(ran.figures)
            if figures > MAX_FIGURES:
                raise ProtocolError("there are too many figures.")
            progress.ran.append(ran)
        last = self._reader.frame(timeout).header
        notes, undefined = last.get("notes"), last.get("undefined", {})
        if not isinstance(notes, dict) or not isinstance(undefined, dict):
            raise ProtocolError("the notes are missing.")
        names = progress.names
        progress.notes |= {name: clean(notes[name]) for name in names if name in notes}
        progress.undefined |= {n: clean(undefined[n]) for n in names if n in undefined}
        progress.flags |= {n: clean_list(flags[n], MAX_FLAGS) for n in names if n in flags}
        progress.cells_done = True

    def _meet(self, timeout: Timeout) -> None:
        """Take the child's first byte, with which the kernel says which process it is."""
        space = socket.CMSG_SPACE(_CREDENTIALS.size)
        while True:
            self._link.settimeout(timeout())
            try:
                first, told, _, _ = self._link.recvmsg(1, space)
                break
            except TimeoutError:
                continue
        if not first:
            raise EOFError("the child has closed the connection")
        if first != HERE:
            raise ProtocolError("it does not begin as it should.")
        for _, kind, data in told:
            if kind == _SCM_CREDENTIALS and len(data) == _CREDENTIALS.size:
                self._clock.follow(_CREDENTIALS.unpack(data)[0])

    def _call_publicly(self, name: str) -> None:
        progress = self._progress
        lots = [(progress.class_calls.public_calls[name], progress.start_public(name))]
        for _ in self._ask(lots, self._budget(name)):
            pass  # what is used on public inputs is flagged at home
        progress.used[name] += self._clock.read() - self._began

    def _call(self, name: str) -> None:
        progress = self._progress
        budget = self._budget(name)
        for lots in progress.secret_calls(name):
            for frame in self._ask(lots, budget):
                progress.flag_used(name, frame)
        progress.finish_exercise()

    def _budget(self, name: str) -> Timeout:
        """What is left of an exercise's computing time, and its share of the clock."""
        progress, limits = self._progress, self._progress.limits
        self._began = self._clock.read()
        since = self._began - progress.used[name]
        latest = time.monotonic() + progress.share
        return CpuBudget(limits.exercise, self._clock, since, latest, limits.idle)

    def _ask(self, lots: Sequence[Lot], timeout: Timeout) -> Iterator[Frame]:
        """Make calls, take their outcomes, and hand on the frames."""
        lots = [lot for lot in lots if lot[0].cases]
        send_encoded(self._link, b"".join(calls.encoded for calls, _ in lots), timeout)
        for calls, outcomes in lots:
            for key, form in calls.forms.items():
                frame = self._reader.frame(timeout)
                yield frame  # its process may not live to say at the end what it has used
                outcomes[key] = read_outcome(frame, form)
            yield self._reader.frame(timeout)


def _job_frames(progress: _Progress) -> bytes:
    """What a child is told: its limits, the exercises to call, and the cells."""
    limits, pending = progress.limits, progress.pending
    seconds = math.ceil(limits.cells + limits.exercise * len(pending)) + 1
    cells = [cell for k, cell in enumerate(progress.cells) if k not in progress.skipped]
    ready_made = {name: list(progress.class_calls.ready_made.get(name, ())) for name in pending}
    header = {
        "memory": limits.memory,
        "seconds": seconds,
        "ready_made": ready_made,
        "cells": len(cells),
    }
    frames = [Frame(header), *(Frame({"source": cell}) for cell in cells)]
    return b"".join(encode(frame) for frame in frames)


def _cell_run(index: int, frame: Frame) -> CellRun:
    error = clean(frame.header.get("error"))
    output = clean(frame.header.get("output"), MAX_OUTPUT)
    return CellRun(index, error, output, figures_in(frame))
