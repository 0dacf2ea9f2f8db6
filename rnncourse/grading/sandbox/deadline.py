"""How long a learner's code may take: so much computing time, or ten times that on the clock.

Computing time is what the kernel has counted for the child's process, all its threads together. So
an honest answer on a busy machine has the time that it needs, a loop ends when it has used its
share, and what sleeps ends when it has hardly computed anything for a while. Time in which a child
was ready to compute and others were let run is taken off the clock, as far as the kernel tells it.
The kernel is asked only when a child takes longer than that on the clock, which is hardly ever.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import time
from pathlib import Path

SLACK = 10
"""How many times its share of computing time a child may take on the clock. Whoever computes less
than that part of a while sleeps, or waits for something."""
SOONEST = 0.02
"""Seconds between two looks at the computing time."""

_libc = ctypes.CDLL(None)


class ChildClock:
    """Counts a child's computing time, in seconds. Until it is told which process to look at, and
    on systems that do not say, the time since it was made stands for it."""

    def __init__(self) -> None:
        self._made = time.monotonic()
        self._clock: int | None = None
        self._threads: Path | None = None
        self._queued = 0.0

    def follow(self, process: int) -> None:
        """Look at a process, by its number here."""
        self._threads = Path(f"/proc/{process}/task") if process > 0 else None
        clock = ctypes.c_int()
        get = getattr(_libc, "clock_getcpuclockid", None)  # macOS has none
        if get and process > 0 and get(process, ctypes.byref(clock)) == 0:
            self._clock = clock.value

    def read(self) -> float:
        """Seconds of computing time that the child has used, as far as is known."""
        if self._clock is not None:
            try:
                return time.clock_gettime(self._clock)
            except OSError:  # the process is no more
                self._clock = None
        return time.monotonic() - self._made

    def queued(self) -> float:
        """Seconds in which its threads were ready to compute and had no processor; 0 on systems
        that do not say."""
        with contextlib.suppress(OSError, ValueError, IndexError):  # one of them has just ended
            if self._threads:
                waits = sum(map(_nanoseconds_queued, self._threads.glob("*/schedstat")))
                self._queued = max(self._queued, waits / 1e9)
        return self._queued


def _nanoseconds_queued(schedstat: Path) -> int:
    return int(schedstat.read_bytes().split()[1])  # after what it computed, before how often


class SleptError(TimeoutError):
    """The time is over, and hardly any of it was used to compute."""


class CpuBudget:
    """The timeout of a child while it does one thing.

    Args:
        seconds: of computing time.
        clock: the child's.
        used: what the clock showed when it began.
        latest: the instant when all is over, whatever is left.
        idle: seconds on the clock after which it ends if it has hardly computed meanwhile.
    """

    def __init__(
        self,
        seconds: float,
        clock: ChildClock,
        used: float,
        latest: float = math.inf,
        idle: float = math.inf,
    ) -> None:
        self._seconds, self._clock, self._used, self._idle = seconds, clock, used, idle
        self._began = time.monotonic()
        self._most = min(SLACK * seconds, latest - self._began)
        self._latest = latest
        self._queued = clock.queued()
        self._since, self._showed, self._held = self._began, used, 0.0  # where a while begins
        self._next = self._began + min(seconds, idle, self._most)

    def __call__(self) -> float:
        """How long to wait for the child now, in seconds.

        Raises:
            SleptError: it has had its time and did not use it.
            TimeoutError: it has had its share. The message says so of "it".
        """
        now = time.monotonic()
        if now >= self._next:
            self._look(now)
        return self._next - now

    def _look(self, now: float) -> None:
        shows = self._clock.read()
        left = self._seconds - (shows - self._used)
        if left <= 0:
            raise TimeoutError(f"it used {self._seconds:g} seconds of computing time")
        held = self._clock.queued() - self._queued
        a_while = now - self._since - (held - self._held)
        if a_while >= self._idle:
            _keep_awake(a_while, shows - self._showed, self._idle)
            self._since, self._showed, self._held, a_while = now, shows, held, 0.0
        all_of_it = now - self._began - held
        if all_of_it >= self._most or now >= self._latest:
            _keep_awake(all_of_it, shows - self._used, self._most)
            raise TimeoutError(f"it did not end within {self._most:.3g} seconds")
        waits = min(max(left, SOONEST), self._idle - a_while, self._most - all_of_it)
        self._next = min(now + waits, self._latest)


def _keep_awake(seconds: float, computing: float, limit: float) -> None:
    """Raises: Slept: hardly any of these seconds were used to compute. The message tells the limit
    that they have come to, which is the same each time."""
    if computing < seconds / SLACK:
        raise SleptError(f"it waited or slept for {limit:.2g} seconds")


class Deadline:
    """The timeout at an instant, `seconds` from now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def __call__(self) -> float:
        """Raises: TimeoutError."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time is over")
        return left
