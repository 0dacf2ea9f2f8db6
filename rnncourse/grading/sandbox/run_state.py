"""What is known of one submission while it runs, however many children that takes."""

from __future__ import annotations

import signal
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from ..._tracing import LEFT_OUT
from ...checks.drivers import Outcome
from ...checks.plan import Key
from ..worker.operators import NAMES
from ..worker.protocol import (
    Frame,
    ProtocolError,
    clean,
    clean_list,
)
from .deadline import SleptError
from .job import Calls, CellRun, ClassCalls, Ended, ExerciseRun, IsRight, Lot, Own, Run
from .limits import Limits

MAX_SKIPPED = 2
"""How many cells that hang or kill their process are left out before a notebook is given up."""
MAX_SOURCE = 80_000
"""Characters of a cell that fit into a frame, whatever they are."""
MAX_FLAGS = 10
"""Reasons for a person to look that are taken from a worker for an exercise."""
MAX_QUOTED = 40
"""Characters of a cell's first line in a message."""
CRASHES = {
    128 + signal.SIGABRT: "its process crashed",
    128 + signal.SIGSEGV: "its process crashed",
    128 + signal.SIGKILL: "its process was killed, as when memory runs out",
}
"""What is said of a process that ended while it had secret inputs, by exit status."""


class RunState:
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
        """The exercises that have not come to their end."""
        return [name for name in self.names if name not in self.exercises]

    @property
    def untried(self) -> list[str]:
        """The exercises whose public calls are still to be made."""
        public = self.class_calls.public
        return [n for n in self.pending if n in public and n not in (*self.public, *self.early)]

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return self.cells_done and not self.pending

    @property
    def is_overdue(self) -> bool:
        """Whether the time on the clock is over."""
        return time.monotonic() >= self.latest

    @property
    def reason_if_late(self) -> str:
        """What is said if it is."""
        most = f"all of it took more than {self.limits.submission:g} seconds"
        return f"{most}, in which it waited or slept" if self.late == "slept" else most

    @property
    def share(self) -> float:
        """Seconds on the clock for the next exercise. One share is left for what has to run again
        if this one fails."""
        return (self.latest - time.monotonic()) / (len(self.pending) + 1)

    def run(self, layers: str) -> Run:
        """How it went, all in all."""
        return Run(tuple(self.ran), self.exercises, self.notes, self.flags, layers, self.undefined)

    def start_cells(self) -> None:
        """Begin with the cells, in a new child."""
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
        forbidden_calls = self.class_calls.forbidden_calls.get(name, ())
        known = NAMES | {made.removeprefix("torch.") for made in forbidden_calls}
        known_used = [function for function in used if function in known]
        self.flag(name, [f"while it ran it called torch's {function}" for function in known_used])

    def flag(self, name: str, reasons: list[str]) -> None:
        """Give a person reasons to look at an exercise, each once."""
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
        """End all exercises that are left, for this reason."""
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
