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
        if path.parent.is_symlink() or path.parent.parent.is_symlink():
            raise Unreadable("The folder is a link to another.")
        if others := _others(path):
            raise Unreadable(f"There is no file {path.name}, but {others}: was it renamed?")
        notebook = read_notebook(path)
    except Unreadable as reason:
        return Submission(student, assignment, refused=str(reason))
    except OSError as error:
        return Submission(student, assignment, refused=f"{path.name}: {error.strerror}.")
    return Submission(student, assignment, own_cells(notebook), notebook)


def _others(path: Path) -> str:
    """The notebooks that are there in place of one that is not."""
    return "" if path.exists() else ", ".join(sorted(p.name for p in path.parent.glob("*.ipynb")))
