"""Lets `await` work where pairs of sockets are forbidden.

An event loop of asyncio wakes itself through a pair of sockets. A counter of the kernel's does that
as well, and tells nothing of other processes, as the numbers of sockets do.
"""

from __future__ import annotations

import os
from asyncio.selector_events import BaseSelectorEventLoop
from typing import Any


class _Counter:
    """A counter with what asyncio uses of a socket."""

    def __init__(self) -> None:
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        return self._descriptor

    def send(self, data: bytes) -> int:
        os.eventfd_write(self._descriptor, len(data))
        return len(data)

    def recv(self, size: int) -> bytes:
        return b"\0" * min(size, os.eventfd_read(self._descriptor))

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def wake_by_counters() -> None:
    """From now on, event loops are made with a counter. On systems without them nothing changes."""
    if hasattr(os, "eventfd"):
        loops: Any = BaseSelectorEventLoop
        loops._make_self_pipe = _make


def _make(loop: Any) -> None:
    """In the place of asyncio's own method, which does the same with a pair of sockets."""
    loop._ssock = loop._csock = _Counter()
    loop._internal_fds += 1
    loop._add_reader(loop._ssock.fileno(), loop._read_from_self)
