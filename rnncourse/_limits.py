"""A limit on how long a learner's code may compute or wait, where the system can interrupt it."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

# The grader's defaults, so that what ends here ends there as well.
EXERCISE_SECONDS = 10.0
"""Computing time for all calls of an exercise's function."""
CELL_SECONDS = 60.0
"""Computing time for a cell."""

IDLE_FACTOR = 3
"""How many times its limit code may spend on the clock while it hardly computes."""
IDLE_SHARE = 0.02
"""The share of that time below which code hardly computes. On a crowded machine a process that
would like to compute still gets more."""
REPEAT_SECONDS = 0.5
"""After how long code that goes on all the same is interrupted again."""


class TimeUpError(BaseException):
    """Raised inside code that has had its time. `except Exception` does not catch it."""


class TimeLimit:
    """Interrupts the code in a with statement after so many seconds of computing time.

    Code that sleeps or waits is interrupted after `IDLE_FACTOR` times that on the clock. Without
    timers (Windows) and outside the main thread there is no limit.

    Attributes:
        exceeded: what became of the code, such as "did not end within 10 seconds of computing
            time: is there a loop that never stops?"; "" as long as it is within its limit.

    Raises:
        TimeUpError: the time is over.

    Example:
        >>> with TimeLimit(10) as limit:
        ...     sum(range(3))
        3
        >>> limit.exceeded
        ''
    """

    def __init__(self, seconds: float) -> None:
        self.exceeded = ""
        self._seconds = seconds
        self._window = IDLE_FACTOR * seconds
        self._shown = 0.0
        self._over = False
        self._timers: list[_Timer] = []

    def __enter__(self) -> TimeLimit:
        self._shown = time.process_time()
        if _can_interrupt():
            self._timers = [
                _Timer(signal.ITIMER_PROF, signal.SIGPROF, self._computed),
                _Timer(signal.ITIMER_REAL, signal.SIGALRM, self._look),
            ]
            self._timers[0].start(self._seconds, REPEAT_SECONDS)
            self._timers[1].start(self._window, self._window)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over = True
        for timer in self._timers:
            timer.restore()

    def _computed(self, number: int, frame: FrameType | None) -> None:
        self._stop(computed_too_long(self._seconds), frame)

    def _look(self, number: int, frame: FrameType | None) -> None:
        shows = time.process_time()
        idle = shows - self._shown < IDLE_SHARE * self._window
        self._shown = shows
        if idle or self.exceeded:
            signal.setitimer(signal.ITIMER_REAL, REPEAT_SECONDS, REPEAT_SECONDS)
            self._stop(waited_too_long(self._window), frame)

    def _stop(self, reason: str, frame: FrameType | None) -> None:
        # Between two timers nothing is raised, so that each is put back; the signal comes again.
        if not self._over and (frame is None or frame.f_code not in _OWN_CODE):
            self.exceeded = self.exceeded or reason
            raise TimeUpError(self.exceeded)


class _Timer:
    """One of the process's interval timers, borrowed: what others had set is set again at the end.

    A limit may stand inside another one, as a check in a cell.
    """

    def __init__(self, which: int, number: signal.Signals, handler: Any) -> None:
        self._which, self._number = which, number
        self._clock = time.process_time if which == signal.ITIMER_PROF else time.monotonic
        self._began = self._clock()
        self._left, self._interval = signal.setitimer(which, 0)
        self._handler = signal.signal(number, handler)

    def start(self, seconds: float, interval: float) -> None:
        signal.setitimer(self._which, seconds, interval)

    def restore(self) -> None:
        signal.setitimer(self._which, 0)
        signal.signal(self._number, self._handler)
        if self._left:
            left = self._left - (self._clock() - self._began)
            signal.setitimer(self._which, max(left, 0.001), self._interval)


_OWN_CODE = {
    method.__code__
    for method in (TimeLimit.__enter__, TimeLimit.__exit__, _Timer.__init__, _Timer.start)
}
"""Where a limit is set up and taken down."""


def computed_too_long(seconds: float) -> str:
    """What became of code that used its computing time."""
    return (
        f"did not end within {_count(seconds)} of computing time: is there a loop that never stops?"
    )


def waited_too_long(seconds: float) -> str:
    """What became of code that hardly computed."""
    return (
        f"did not end: it waited or slept for {_count(seconds)}. "
        "Is there a time.sleep, or something that never comes?"
    )


def ran_too_long(seconds: float) -> str:
    """What became of code of which only the time on the clock is known."""
    return (
        f"did not end within {_count(seconds)} on the clock: "
        "is there a loop that never stops, or something that never comes?"
    )


def _count(seconds: float) -> str:
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"


def _can_interrupt() -> bool:
    """Whether there are timers, this thread gets their signals, and their handlers can be put
    back."""
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        return False
    with contextlib.suppress(ValueError):
        handlers = [signal.getsignal(number) for number in (signal.SIGPROF, signal.SIGALRM)]
        return None not in handlers  # None: set by a program in C, which Python cannot put back
    return False
