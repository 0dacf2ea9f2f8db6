"""Runs notebooks in a process of their own, which it stops when it does not end.

Torch is loaded in that process alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from .._errors import CancelledError
from .._limits import CELL_SECONDS, EXERCISE_SECONDS, computed_too_long, ran_too_long
from .._notebook import Cell
from .._tracing import LEFT_OUT, Failures, label
from ..checks.report import Report, StageReport, report_of

CLOCK_FACTOR = 30
"""How many times its limit of computing time code may run on the clock. The process counts its own
computing time and ends itself; this is for what lets nothing else in the process run."""
MAX_STARTS = 10
"""How often a notebook is begun anew, each time without what stopped it."""
POLL_SECONDS = 0.2
"""How often Ctrl-C is looked for on Windows."""
END_SECONDS = 10
"""How long a process may live on when it has closed its end of the pipe."""

_START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from rnncourse._terminal.child import main
main()
"""


@dataclass(frozen=True)
class Limits:
    """Seconds of computing time for each exercise's function and for each cell."""

    exercise: float = EXERCISE_SECONDS
    cell: float = CELL_SECONDS


@dataclass
class Checked:
    """A notebook's exercises as they stand.

    Attributes:
        errors: what went wrong in the notebook's own cells, by the cell's place.
        notes: sentences on what was done otherwise than in Jupyter, and on functions without @fill.
        printed: what each exercise's function printed.
    """

    reports: list[Report] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    printed: dict[str, str] = field(default_factory=dict)

    @property
    def right(self) -> bool:
        """Whether nothing failed and every exercise is complete."""
        return not self.errors and all(report.complete for report in self.reports)


class Runner:
    """Runs notebooks one after another, in one process as long as all goes well.

    Args:
        limits: how long a cell or function may take.
        tell: is called with what is run now, such as "lstm_cell", whenever that changes.
    """

    def __init__(self, limits: Limits, tell: Callable[[str], None]) -> None:
        self._limits, self._tell = limits, tell
        self._process: _Process | None = None

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *error: object) -> None:
        self._end_process()

    def run(self, path: Path, cells: Sequence[Cell], exercises: Sequence[str]) -> Checked:
        """Run a notebook's cells and try exercises.

        Args:
            path: where the notebook is.
            exercises: names, in the order in which they are tried.

        Raises:
            CancelledError: somebody pressed Ctrl-C.
        """
        job = _Job(path, cells, exercises, self._limits)
        try:
            for _ in range(MAX_STARTS):
                self._try(job)
                if job.done:
                    break
            else:
                job.give_up()
        except KeyboardInterrupt:
            self._note_the_rest(job)
            raise CancelledError(job.current or path.name) from None
        return job.checked

    def _try(self, job: _Job) -> None:
        """Go on with a job until it is done, or the process ends or has to be ended."""
        is_new = self._process is None
        self._process = self._process or _Process()
        try:
            self._process.send(job.request())
            while not job.done:
                job.take(self._process.event(job.seconds_on_the_clock()))
                self._tell(job.current)
        except TimeoutError:
            job.fail(ran_too_long(CLOCK_FACTOR * job.seconds))
        except (EOFError, OSError):
            if job.began or is_new:  # else the notebook before this one has ended the process
                job.fail(job.stuck or _cause(self._process.status(), job.seconds))
        if not job.done or job.stopped_something:  # what was stopped may leave anything behind
            self._end_process()

    def _note_the_rest(self, job: _Job) -> None:
        """End the process, and note what it has told by then: what runs is named after that."""
        if process := self._process:
            self._end_process()
            for event in process.rest():
                job.take(event)

    def _end_process(self) -> None:
        if self._process:
            self._process.end()
            self._process = None


class _Job:
    """A notebook on its way: what has come of it, and what is left to do."""

    def __init__(
        self, path: Path, cells: Sequence[Cell], exercises: Sequence[str], limits: Limits
    ) -> None:
        self.checked = Checked()
        self.current = ""
        self.done = False
        self.stopped_something = False
        self.stuck = ""
        self._path, self._cells, self._limits = path, cells, limits
        self._pending = list(exercises)
        self._left_out: dict[int, str] = {}
        self._reasons: dict[int, str] = {}
        self._failures: dict[int, str] = {}
        self._stages: dict[str, list[str]] = {}
        self._cell: int | None = None
        self._exercise = ""
        self.began = False

    @property
    def seconds(self) -> float:
        """The limit of what runs now."""
        return self._limits.exercise if self._exercise else self._limits.cell

    def seconds_on_the_clock(self) -> float | None:
        """How long to wait for the next event; for ever while the process is still loading what it
        needs, which is nothing of the learner's."""
        return CLOCK_FACTOR * self.seconds if self.began else None

    def request(self) -> dict[str, Any]:
        """What is left to do, in the form that the process takes."""
        self.checked.errors, self.checked.notes = dict(self._left_out), []
        self._failures = {n: f"{LEFT_OUT}: it {reason}" for n, reason in self._reasons.items()}
        self._cell, self._exercise, self.began, self.stuck = None, "", False, ""
        return {
            "path": str(self._path.absolute()),
            "cells": [
                {"index": index, "source": cell.source, "seconds": self._limits.cell}
                for index, cell in enumerate(self._cells)
                if index not in self._left_out
            ],
            "exercises": self._pending,
            "seconds": self._limits.exercise,
        }

    def take(self, event: dict[str, Any]) -> None:
        """Note what the process tells."""
        kind = event["event"]
        if kind == "begun":
            self.began, self._stages = True, event["stages"]
        elif kind == "cell":
            self._cell, self.current = event["index"], self._name(event["index"])
        elif kind == "cell ended":
            self._end_cell(event["error"], event["stopped"], event["refused"])
        elif kind == "filled":
            self.checked.notes += event["notes"]
        elif kind == "exercise":
            self._exercise = self.current = event["name"]
        elif kind == "exercise ended":
            self._end_exercise(report_of(event["report"]), event["printed"])
        elif kind == "stuck":
            self.stuck = event["reason"]
        elif kind == "done":
            self.done = True

    def fail(self, reason: str) -> None:
        """Note that the process has ended, or must be ended, where it is.

        Args:
            reason: what it did, such as "ended its process".
        """
        self.stopped_something = True
        if self._exercise:
            self._stop_exercise(self._exercise, f"{self._exercise} {reason}")
            self.done = not self._pending
        elif self._cell is not None:
            self._leave_out(self._cell, reason)
        else:
            self.give_up()

    def give_up(self) -> None:
        """Report on what is left as on what could not be tried."""
        for name in list(self._pending):
            said = f"{name} could not be tried: the process of its notebook ended."
            self._stop_exercise(name, said)
        self.done = True

    def _stop_exercise(self, name: str, said: str) -> None:
        stages = tuple(StageReport(stage, "not reached") for stage in self._stages.get(name, ()))
        self._end_exercise(Report(name, stages, stopped=said), "")

    def _end_cell(self, error: str, stopped: str, refused: list[str]) -> None:
        assert self._cell is not None, "a cell ends that has not begun"
        name = self._name(self._cell)
        if error:
            explained = Failures(self._cells, self._failures).explained(error)
            self._failures[self._cell] = error
            self.checked.errors[self._cell] = f"{name}: {explained}"
        if stopped:
            self._leave_out(self._cell, stopped)
        self.checked.notes += [f"{name}: “{cmd}” is not run in a terminal." for cmd in refused]
        self._cell = None

    def _leave_out(self, index: int, reason: str) -> None:
        """Run a cell no more if the notebook has to be begun anew."""
        self.stopped_something = True
        self._reasons[index] = reason
        self._left_out[index] = self.checked.errors[index] = f"{self._name(index)} {reason}"

    def _end_exercise(self, report: Report, printed: str) -> None:
        self.checked.reports.append(report)
        failures = Failures(self._cells, self._failures)
        sentences = (said for stage in report.stages for said in stage.sentences)
        for why in dict.fromkeys(filter(None, map(failures.why, sentences))):
            self.checked.notes.append(f"{report.exercise}: {why}")
        self.checked.printed[report.exercise] = printed
        self.stopped_something |= bool(report.stopped)
        self._pending.remove(report.exercise)
        self._exercise = ""

    def _name(self, index: int) -> str:
        """A cell by its id, or by its first line."""
        return label(self._cells[index])


class _Process:
    """A process that runs notebooks. See `child` for what is said with it."""

    def __init__(self) -> None:
        path = [str(Path(place).absolute()) for place in sys.path]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START, json.dumps(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"MPLBACKEND": "Agg"},
            start_new_session=True,  # Ctrl-C is for this process, which then ends that one
        )
        self._events: queue.Queue[bytes] = queue.Queue()
        self._reader = threading.Thread(
            target=self._read, args=(self._process.stdout,), daemon=True
        )
        self._reader.start()

    def send(self, request: dict[str, Any]) -> None:
        """Raises: OSError: the process is no more."""
        assert self._process.stdin is not None, "it was started with a pipe"
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()

    def event(self, seconds: float | None) -> dict[str, Any]:
        """The next event.

        Raises:
            TimeoutError: there is none within `seconds`.
            EOFError: the process is no more.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            with contextlib.suppress(queue.Empty):
                line = self._events.get(timeout=POLL_SECONDS)
                if not line:
                    raise EOFError
                event: dict[str, Any] = json.loads(line)
                return event
            if end is not None and time.monotonic() > end:
                raise TimeoutError

    def rest(self) -> Iterator[dict[str, Any]]:
        """The events that came before the end and were not taken."""
        while not self._events.empty():
            if (line := self._events.get()).endswith(b"\n"):
                yield json.loads(line)

    def status(self) -> int:
        """The exit status of the process, which has ended or is about to."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(END_SECONDS)
        self.end()
        return self._process.wait()

    def end(self) -> None:
        """End the process and those that it has started."""
        if sys.platform == "win32":
            self._process.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(END_SECONDS)
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe and pipe.close()

    def _read(self, events: IO[bytes]) -> None:
        with contextlib.suppress(ValueError):  # closed while it is read
            for line in events:
                self._events.put(line)
        self._events.put(b"")


def _cause(status: int, seconds: float) -> str:
    """Why a process ended, by its exit status.

    Args:
        seconds: the limit of computing time of what it ran.
    """
    if status >= 0:
        return f"ended the whole process, with exit status {status}."
    if -status == getattr(signal, "SIGXCPU", None):
        return computed_too_long(seconds)
    with contextlib.suppress(ValueError):
        return f"ended the whole process, by the signal {signal.Signals(-status).name}."
    return f"ended the whole process, by the signal {-status}."
