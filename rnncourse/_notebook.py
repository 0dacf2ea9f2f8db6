"""A learner's notebook file, read without trust in what it holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_BYTES = 100 * 1024 * 1024
GIVEN = ("check_", "demo_")
"""Ids of the course's cells that only try or show something."""


class UnreadableError(ValueError):
    """A file that holds no notebook. The message says why, in a sentence."""


@dataclass(frozen=True)
class Cell:
    """One code cell.

    Attributes:
        grade_id: its nbgrader id, "" for a cell of the learner's own.
        exercises: the exercises that it answers: none, one, or several that stand in one cell.
    """

    grade_id: str
    source: str
    exercises: tuple[str, ...] = ()


def read_notebook(path: Path) -> dict[str, Any]:
    """The content of a notebook of format 4. A link to one will do: this reads a learner's file for
    the learner. The grader opens files by itself, and follows no link.

    Raises:
        UnreadableError: the file is something else.
    """
    if path.is_symlink() and not path.exists():
        raise UnreadableError(f"{path.name} is a link to a file that is not there.")
    if not path.exists():
        raise UnreadableError(f"There is no file {path.name}.")
    if not path.is_file():
        raise UnreadableError(f"{path.name} is not an ordinary file.")
    if path.stat().st_size > MAX_BYTES:
        raise UnreadableError(f"{path.name} is larger than {MAX_BYTES >> 20} MB.")
    try:
        text = path.read_text(encoding="utf-8-sig")
        if not text.strip():
            raise UnreadableError(f"{path.name} is empty.")
        content = json.loads(text)
    except UnreadableError:
        raise
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{path.name} is not a notebook: its content is broken.") from error
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise UnreadableError(
            f"{path.name} is not a notebook of format 4: it has no list of cells."
        )
    return content


def own_cells(notebook: dict[str, Any]) -> tuple[Cell, ...]:
    """The code cells that define something: all but the course's checks and demonstrations."""
    cells = (c for c in notebook["cells"] if isinstance(c, dict) and c.get("cell_type") == "code")
    own = (cell for cell in cells if not grade_id(cell).startswith(GIVEN))
    return tuple(Cell(grade_id(cell), source(cell), _answers(cell)) for cell in own)


def _answers(cell: dict[str, Any]) -> tuple[str, ...]:
    """The exercise of a solution cell, which bears its name."""
    return (grade_id(cell),) if nbgrader_metadata(cell).get("solution") else ()


def nbgrader_metadata(cell: dict[str, Any]) -> dict[str, Any]:
    """What nbgrader keeps about a cell; empty where it keeps nothing."""
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def grade_id(cell: dict[str, Any]) -> str:
    """A cell's nbgrader id, "" if it has none."""
    found = nbgrader_metadata(cell).get("grade_id")
    return found if isinstance(found, str) else ""


def source(cell: dict[str, Any]) -> str:
    """A cell's text; notebooks keep it as one string or as a list of lines."""
    found = cell.get("source", "")
    if isinstance(found, list):
        return "".join(line for line in found if isinstance(line, str))
    return found if isinstance(found, str) else ""
