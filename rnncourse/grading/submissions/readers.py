"""Reading a class's submissions so that a file that takes long to read holds nobody else back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from ..course import Course
from .reader import is_quick
from .submission import Source, Submission, read


class Readers:
    """Reads what is small at once, and everything else one after the other in a thread, where it
    may cost what `reader` allows one learner."""

    def __init__(self, course: Course, assignment: str, source: Source) -> None:
        self._course, self._assignment, self._source = course, assignment, source
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reading")
        self._reading: list[Future[Submission]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def reading(self) -> tuple[Future[Submission], ...]:
        """What the thread has still to read, or has read and nobody has taken."""
        return tuple(self._reading)

    def read(self, student: str) -> Iterator[Submission]:
        """A learner's submission if that takes no time, or none yet; and what the thread has read
        meanwhile."""
        folder = self._course.folder(student, self._assignment)
        if is_quick(folder / f"{self._assignment}.ipynb"):
            yield read(folder, student, self._assignment, self._source)
        else:
            one = self._thread.submit(read, folder, student, self._assignment, self._source)
            self._reading.append(one)
        yield from self.finished()

    def finished(self) -> Iterator[Submission]:
        """What the thread has read."""
        done = [one for one in self._reading if one.done()]
        self._reading = [one for one in self._reading if one not in done]
        yield from (one.result() for one in done)
