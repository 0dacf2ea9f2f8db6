"""How long a learner's code may take: so much computing time, or ten times that on the clock.

Computing time is what the kernel has counted for the child's process, all its threads together. So
an honest answer on a busy machine has the time that it needs, a loop ends when it has used its
share, and what sleeps ends when it has hardly computed anything for a while. The kernel is asked
only when a child takes longer than that on the clock, which is hardly ever.
"""

from __future__ import annotations

import ctypes
import math
import time

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

    def follow(self, process: int) -> None:
        """Look at a process, by its number here."""
        clock = ctypes.c_int()
        get = getattr(_libc, "clock_getcpuclockid", None)  # macOS has none
        if get and process > 0 and get(process, ctypes.byref(clock)) == 0:
            self._clock = clock.value

    def read(self) -> float:
        if self._clock is not None:
            try:
                return time.clock_gettime(self._clock)
            except OSError:  # the process is no more
                self._clock = None
        return time.monotonic() - self._made


class Slept(TimeoutError):
    """The time is over, and hardly any of it was used to compute."""


class Budget:
    """The patience with a child while it does one thing.

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
        self._end = min(self._began + SLACK * seconds, latest)
        self._since, self._showed = self._began, used  # where the while began that is looked at
        self._next = min(self._began + seconds, self._began + idle, self._end)

    def __call__(self) -> float:
        """How long to wait for the child now, in seconds.

        Raises:
            Slept: it has had its time and did not use it.
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
        if now >= self._since + self._idle:
            _keep_awake(now - self._since, shows - self._showed)
            self._since, self._showed = now, shows
        if now >= self._end:
            _keep_awake(now - self._began, shows - self._used)
            raise TimeoutError(f"it did not end within {self._end - self._began:.3g} seconds")
        self._next = min(now + max(left, SOONEST), self._since + self._idle, self._end)


def _keep_awake(seconds: float, computing: float) -> None:
    """Raises: Slept: hardly any of the time on the clock was used to compute."""
    if computing < seconds / SLACK:
        raise Slept(f"it waited or slept for {seconds:.2g} seconds")


class Deadline:
    """The patience until an instant, `seconds` from now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def __call__(self) -> float:
        """Raises: TimeoutError."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time is over")
        return left
