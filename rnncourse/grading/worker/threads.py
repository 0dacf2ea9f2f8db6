"""A few threads for a child that may not start any.

Linux does not hold root to a limit on processes, so where root grades a child's threads would be
without number, and starting one is forbidden. What people write with threads, such as a
ThreadPoolExecutor, asks for a handful. So these are started before that is forbidden, wait, and
are each used once. The kernel's answer to any further one stays no.
"""

from __future__ import annotations

import _thread
import ctypes
import re
import signal
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

THREADS = 24
WORKERS = 6
"""Of one executor at most; on a machine with many cores it would take more than there are."""
STACK_BYTES = 1 << 20
ADDRESS_SPACE = THREADS * (STACK_BYTES + (64 << 10))
"""Bytes that they take, guard pages and all."""
_STARTERS = re.compile(
    r"Thread|\b_?threading\b|\b_thread\b|to_thread|new_thread|concurrent|Executor|async|await|tqdm"
    r"|DataLoader|joblib|multiprocessing"
)
"""What code speaks of that starts threads, itself or in a library."""
_M_ARENA_MAX = -8

Job = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


def may_be_wanted(sources: Iterable[str]) -> bool:
    """Whether code may start threads. To have them ready takes as long as to make a child."""
    return any(_STARTERS.search(source) for source in sources)


def prepare(first: Callable[[], None]) -> None:
    """Start threads that wait for work, and let Python's new threads be these from now on.

    Args:
        first: done in each of them before it waits.
    """
    if hasattr(_thread, "start_joinable_thread"):  # from Python 3.13 on it cannot be replaced
        return
    with suppress(AttributeError):  # else each thread reserves address space for itself
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
    before = threading.stack_size(STACK_BYTES)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    waiting = [_Waiting(first) for _ in range(THREADS)]
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)  # signals are for the first thread
    threading.stack_size(before)
    for thread in waiting:
        thread.is_ready.acquire()

    def start_new_thread(
        function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None
    ) -> int:
        try:
            return waiting.pop().begin((function, args, kwargs or {}))
        except IndexError:
            raise RuntimeError("can't start new thread") from None

    for module, name in ((_thread, "start_new"), (threading, "_start_new_thread")):
        setattr(module, name, start_new_thread)
    _thread.start_new_thread = start_new_thread
    _limit_executors()


class _Waiting:
    """A thread that waits for what it is to do, and ends with it."""

    def __init__(self, first: Callable[[], None]) -> None:
        self.is_ready = _thread.allocate_lock()
        self.is_ready.acquire()
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._number = _thread.start_new_thread(self._run, (first,))

    def begin(self, job: Job) -> int:
        self._jobs.put(job)
        return self._number

    def _run(self, first: Callable[[], None]) -> None:
        first()
        self.is_ready.release()
        function, args, kwargs = self._jobs.get()
        function(*args, **kwargs)


def _limit_executors() -> None:
    begin: Any = ThreadPoolExecutor.__init__

    def begin_limited(self: ThreadPoolExecutor, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        self._max_workers = min(self._max_workers, WORKERS)

    ThreadPoolExecutor.__init__ = begin_limited  # type: ignore[method-assign]
