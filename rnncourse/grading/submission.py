"""What one learner handed in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..notebook import Cell, Unreadable, own_cells, read_notebook


@dataclass(frozen=True)
class Submission:
    """One learner's file for one assignment.

    Attributes:
        cells: the code cells that are run, in order.
        notebook: the whole notebook as it was read; None if it could not be read.
        refused: why it could not be read, in a sentence; "" if it could.
    """

    student: str
    assignment: str
    cells: tuple[Cell, ...] = ()
    notebook: dict[str, Any] | None = None
    refused: str = ""


def read(path: Path, student: str, assignment: str) -> Submission:
    """Read a submission. What cannot be read becomes a refused submission, never an exception."""
    try:
        notebook = read_notebook(path)
    except Unreadable as reason:
        return Submission(student, assignment, refused=str(reason))
    except OSError as error:
        return Submission(student, assignment, refused=f"{path.name}: {error.strerror}.")
    return Submission(student, assignment, own_cells(notebook), notebook)
