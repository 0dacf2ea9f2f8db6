"""What one learner's files may cost, however many they are: nobody spends what is others'."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


class SpentError(ValueError):
    """One learner's files cost too much. The message says what, as a clause."""


@dataclass
class Budget:
    """What one learner's files may cost.

    Attributes:
        size: bytes, those that are read and those that they unpack to.
        files: how many there may be, also in archives.
        seconds: of computing time, from now on.
        clock: the computing time of this thread.
    """

    size: int
    files: int
    seconds: float
    clock: Callable[[], float] = time.thread_time
    _spent_size: int = field(default=0, init=False)
    _spent_files: int = field(default=0, init=False)
    _elsewhere: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._begun = self.clock()

    @property
    def seconds_left(self) -> float:
        """Seconds that are left, below zero when it is spent."""
        return self.seconds - (self.clock() - self._begun) - self._elsewhere

    def note(self, seconds: float) -> None:
        """Count computing time that another process took."""
        self._elsewhere += seconds

    def spend(self, size: int = 0, files: int = 0) -> None:
        """Count what is about to be read.

        Raises:
            SpentError: it is more than is left.
        """
        self._spent_size += size
        self._spent_files += files
        if self._spent_size > self.size:
            raise SpentError(f"the files come to more than {self.size >> 20} MB")
        if self._spent_files > self.files:
            raise SpentError(f"there are more than {self.files} files")
        if self.seconds_left < 0:
            raise SpentError(f"to read the files takes more than {self.seconds:g} seconds")
