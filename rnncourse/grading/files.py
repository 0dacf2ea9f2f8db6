"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Write a file whole: beside its place first, then moved there in one step.

    A character that UTF-8 cannot hold, such as half of a surrogate pair, becomes a question mark.
    """
    with _beside(path, text) as finished:
        finished.replace(path)


def create(path: Path, text: str) -> bool:
    """Write a file whole, and for good, if there is none of its name; whether it was written."""
    with _beside(path, text, sync=True) as finished:
        return claim(finished, path)


def claim(finished: Path, path: Path) -> bool:
    """Give a file a second name, which it gets only if nobody has it: of two that try at the same
    moment, one does. Whether it got it."""
    try:
        path.hardlink_to(finished)
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        if path.exists():
            return False
        finished.replace(path)
    return True


@contextmanager
def _beside(path: Path, text: str, sync: bool = False) -> Iterator[Path]:
    """A finished file in the folder of another, gone afterwards unless it was moved away."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        Path(name).chmod(0o644)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
