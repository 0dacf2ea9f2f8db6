"""What is said with one child: its cells and what comes of them, then exercise by exercise."""

from __future__ import annotations

import math
import socket
import struct
import time
from collections.abc import Iterator, Sequence

from ..worker.messages import MAX_FIGURES, figures_in, read_outcome
from ..worker.protocol import (
    HERE,
    MAX_OUTPUT,
    MAX_STREAM,
    Frame,
    ProtocolError,
    Reader,
    Timeout,
    clean,
    clean_list,
    encode,
    send_encoded,
)
from .deadline import ChildClock, CpuBudget, Deadline
from .job import CellRun, Lot
from .process import END_SECONDS, WorkerDiedError
from .run_state import MAX_FLAGS, RunState

_CREDENTIALS = struct.Struct("3i")  # process, user and group
_SCM_CREDENTIALS = 2


class ChildSession:
    """What is said with one child: its cells and what comes of them, then exercise by exercise."""

    def __init__(self, link: socket.socket, state: RunState) -> None:
        self._link, self._state = link, state
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
                for name in self._state.untried:
                    self._call_publicly(name)
                for name in self._state.pending:
                    self._call(name)
            except (ProtocolError, EOFError, OSError) as error:
                return error
        return None

    def _run_cells(self) -> None:
        state, limits = self._state, self._state.limits
        state.start_cells()
        try:
            self._meet(Deadline(END_SECONDS))
        except TimeoutError:  # none of the learner's code has run yet
            raise WorkerDiedError from None
        latest = min(state.latest, time.monotonic() + limits.cells_on_the_clock)
        timeout = CpuBudget(limits.cells, self._clock, 0.0, latest, limits.idle)
        send_encoded(self._link, _job_frames(state), timeout)
        flags = self._reader.frame(timeout).header.get("flags")
        if not isinstance(flags, dict):
            raise ProtocolError("the flags are missing.")
        figures = 0
        for index in range(len(state.cells)):
            if index in state.skipped:
                state.ran.append(CellRun(index, state.skipped[index], ""))
                continue
            ran = _cell_run(index, self._reader.frame(timeout))
            figures += len(ran.figures)
            if figures > MAX_FIGURES:
                raise ProtocolError("there are too many figures.")
            state.ran.append(ran)
        last = self._reader.frame(timeout).header
        notes, undefined = last.get("notes"), last.get("undefined", {})
        if not isinstance(notes, dict) or not isinstance(undefined, dict):
            raise ProtocolError("the notes are missing.")
        names = state.names
        state.notes |= {name: clean(notes[name]) for name in names if name in notes}
        state.undefined |= {n: clean(undefined[n]) for n in names if n in undefined}
        state.flags |= {n: clean_list(flags[n], MAX_FLAGS) for n in names if n in flags}
        state.cells_done = True

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
        state = self._state
        lots = [(state.class_calls.public_calls[name], state.start_public(name))]
        for _ in self._ask(lots, self._budget(name)):
            pass  # what is used on public inputs is flagged at home
        state.used[name] += self._clock.read() - self._began

    def _call(self, name: str) -> None:
        state = self._state
        budget = self._budget(name)
        for lots in state.secret_calls(name):
            for frame in self._ask(lots, budget):
                state.flag_used(name, frame)
        state.finish_exercise()

    def _budget(self, name: str) -> Timeout:
        """What is left of an exercise's computing time, and its share of the clock."""
        state, limits = self._state, self._state.limits
        self._began = self._clock.read()
        since = self._began - state.used[name]
        latest = time.monotonic() + state.share
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


def _job_frames(state: RunState) -> bytes:
    """What a child is told: its limits, the exercises to call, and the cells."""
    limits, pending = state.limits, state.pending
    seconds = math.ceil(limits.cells + limits.exercise * len(pending)) + 1
    cells = [cell for k, cell in enumerate(state.cells) if k not in state.skipped]
    forbidden_calls = {
        name: list(state.class_calls.forbidden_calls.get(name, ())) for name in pending
    }
    header = {
        "memory": limits.memory,
        "seconds": seconds,
        "forbidden_calls": forbidden_calls,
        "cells": len(cells),
    }
    frames = [Frame(header), *(Frame({"source": cell}) for cell in cells)]
    return b"".join(encode(frame) for frame in frames)


def _cell_run(index: int, frame: Frame) -> CellRun:
    error = clean(frame.header.get("error"))
    output = clean(frame.header.get("output"), MAX_OUTPUT)
    return CellRun(index, error, output, figures_in(frame))
