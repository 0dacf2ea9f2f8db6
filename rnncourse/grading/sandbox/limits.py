"""What one submission may use."""

from __future__ import annotations

from dataclasses import dataclass


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


USUAL_LIMITS = Limits()
