"""Ends a process whose code goes on when it has been interrupted, or cannot be."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .._limits import IDLE_FACTOR, IDLE_SHARE, computed_too_long, waited_too_long

GRACE_SECONDS = 2.0
"""How long after its limit code may go on: so long it may still be interrupted in milder ways."""
LOOK_SECONDS = 0.25


class Watchdog(threading.Thread):
    """Looks from a thread of its own how long what runs now has computed, and waited.

    Code that catches every interruption is ended so, and on Windows, which has no interruptions,
    every loop. What a thread cannot see is a loop in C that never lets another thread run.

    Args:
        bite: ends the process. It is given what became of the code, in words.
    """

    def __init__(self, bite: Callable[[str], None]) -> None:
        super().__init__(daemon=True)
        self._bite = bite
        self._step: _Step | None = None

    def watch(self, seconds: float) -> None:
        """Something begins that may compute for so many seconds."""
        self._step = _Step(seconds)

    def rest(self) -> None:
        """It has ended."""
        self._step = None

    def run(self) -> None:
        """Look from time to time, in a thread, and end what takes too long."""
        while True:
            time.sleep(LOOK_SECONDS)
            step = self._step
            if step and (reason := step.reason()) and step is self._step:
                self._bite(reason)


class _Step:
    """What runs, and since when."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._began = self._shown = time.process_time()
        self._since = time.monotonic()

    def reason(self) -> str:
        """Why it should end now, "" if it may go on."""
        shows, now = time.process_time(), time.monotonic()
        if shows - self._began > self._seconds + GRACE_SECONDS:
            return computed_too_long(self._seconds)
        window = IDLE_FACTOR * self._seconds
        if now - self._since < window + GRACE_SECONDS:
            return ""
        computed, self._since, self._shown = shows - self._shown, now, shows
        return waited_too_long(window) if computed < IDLE_SHARE * window else ""
