"""What one learner handed in: found, read and put in order, or refused with a reason."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.utils import parse_utc

from ..._notebook import Cell, UnreadableError
from .finding import find, looks_like
from .reader import Folder, opened
from .repair import repair
from .source import CHECK, Source

__all__ = ["CHECK", "Source", "Submission", "read"]

_TIMESTAMP = "timestamp.txt"


@dataclass(frozen=True)
class Submission:
    """One learner's file for one assignment.

    Attributes:
        cells: the code cells that are run, in order.
        notebook: the instructor's notebook with the learner's answers in it; None if refused.
        refused: why it could not be read, in a sentence; "" if it could.
        repairs: what was mended, a sentence each.
        digest: SHA-256 of the file, "" if there is none.
        timestamp: when it was handed in, in UTC without a time zone, as nbgrader keeps it.
    """

    student: str
    assignment: str
    cells: tuple[Cell, ...] = ()
    notebook: dict[str, Any] | None = None
    refused: str = ""
    repairs: tuple[str, ...] = ()
    digest: str = ""
    timestamp: datetime | None = None

    @property
    def code_digest(self) -> str:
        """SHA-256 of all code that is run, in order."""
        sources = json.dumps([cell.source for cell in self.cells])
        return hashlib.sha256(sources.encode()).hexdigest()


def read(folder: Path, student: str, assignment: str, source: Source) -> Submission:
    """Read a submission and put it in order. What cannot be read becomes a refused submission,
    never an exception.

    Args:
        folder: submitted/<student>/<assignment>.
    """
    try:
        with opened(folder) as files:
            timestamp, ignored = _timestamp(files)
            try:
                file, renamed = find(files, assignment, source)
            except UnreadableError as reason:
                return Submission(student, assignment, refused=str(reason), timestamp=timestamp)
    except UnreadableError as reason:
        return Submission(student, assignment, refused=str(reason))
    except OSError as error:
        return Submission(student, assignment, refused=f"It cannot be opened: {error.strerror}.")
    done = Submission(student, assignment, digest=file.digest, timestamp=timestamp)
    if file.notebook is None:
        return replace(done, refused=file.broken)
    if other := looks_like(file.notebook, source):
        return replace(done, refused=f"This looks like the notebook of {other}.")
    repaired = repair(file.notebook, source)
    said = (renamed, *file.notebook.said, *repaired.said, ignored)
    return replace(
        done,
        cells=repaired.cells,
        notebook=repaired.notebook,
        repairs=tuple(sentence for sentence in said if sentence),
    )


def _timestamp(files: Folder) -> tuple[datetime | None, str]:
    """When a submission was handed in, if nbgrader has noted it, and a sentence if that cannot be
    read."""
    if not files.mode(_TIMESTAMP):
        return None, ""
    try:
        with files.file(_TIMESTAMP) as file:
            text = file.read(100).decode()
        found = parse_utc(text.strip())
        return (found if isinstance(found, datetime) else None), ""
    except Exception:  # the parser of dates that nbgrader uses fails in many ways
        return None, f"The file {_TIMESTAMP} cannot be read; it was ignored."
