"""Modules are imported sooner without Python's collector of garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """For imports in a process of the course's own. All that they make stays, and the collector
    would go through it again and again: a fifth of the time that torch takes."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
