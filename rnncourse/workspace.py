"""A learner's folder of notebooks: made, checked and handed in from a terminal."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .checks import examine
from .checks.judge import Report
from .errors import CourseError
from .exercise import CHAPTERS, exercises, fill_forgotten
from .notebook import Unreadable, own_cells, read_notebook


@dataclass(frozen=True)
class Checked:
    """A notebook's exercises as they stand.

    Attributes:
        errors: what the notebook's own cells ended with, in order.
        notes: sentences on functions without @fill.
    """

    path: Path
    reports: tuple[Report, ...]
    errors: tuple[str, ...]
    notes: tuple[str, ...]


def start(folder: Path) -> tuple[list[Path], list[Path]]:
    """Put the course's exercises into a folder. Files that are there already are left alone.

    Returns:
        The notebooks that were put there, and those that were there.
    """
    made, kept = [], []
    for source in sorted(_exercises().glob("*/*.ipynb")):
        target = folder / source.parent.name / source.name
        if target.exists():
            kept.append(target)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        made.append(target)
    return made, kept


def notebooks(folder: Path) -> list[Path]:
    """The course's notebooks in a workspace, in the order of the course.

    Raises:
        CourseError: there is none.
    """
    places = ((folder / chapter / f"{chapter}.ipynb", chapter) for chapter in CHAPTERS)
    flat = (place if place.exists() else folder / f"{chapter}.ipynb" for place, chapter in places)
    found = [path for path in flat if path.exists()]
    if not found:
        raise CourseError(
            f"there is no notebook of the course in {folder.resolve()}: "
            "make a workspace with  rnncourse start DIR  and go there."
        )
    return found


def found(notebook: Path) -> Path:
    """A notebook by its path, or by its assignment's name as in `rnncourse check lstm`."""
    if str(notebook) not in CHAPTERS:
        return notebook
    places = {path.stem: path for path in notebooks(Path())}
    return places.get(str(notebook), notebook)


def check_notebook(path: Path) -> Checked:
    """Run a notebook's own cells here and try the exercises of its chapter.

    Raises:
        CourseError: it is no notebook of this course.
    """
    chapter = path.stem
    if chapter not in CHAPTERS:
        raise CourseError(
            f"{path.name} is no notebook of the course: there is "
            f"{', '.join(f'{c}.ipynb' for c in CHAPTERS)}."
        )
    entries = [entry for entry in exercises().values() if entry.chapter == chapter]
    for entry in entries:
        entry.filled = None
    space: dict[str, Any] = {}
    errors = tuple(_run(_read(path), space))
    notes = tuple(fill_forgotten(space).values())
    return Checked(path, tuple(examine(entry) for entry in entries), errors, notes)


def submit(assignment: str, folder: Path) -> tuple[Path, tuple[Report, ...]]:
    """Write the one file to hand in: the notebook without its outputs, in `folder`/submit.

    Returns:
        The file, and how its exercises stand.

    Raises:
        CourseError: there is no such notebook, or it is broken.
    """
    if assignment not in CHAPTERS:
        raise CourseError(f"there is no assignment called {assignment}: {', '.join(CHAPTERS)}.")
    path = next((p for p in notebooks(folder) if p.stem == assignment), None)
    if path is None:
        raise CourseError(f"there is no {assignment}.ipynb in {folder.resolve()}.")
    notebook = _read(path)
    reports = check_notebook(path).reports
    target = folder / "submit" / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(_without_outputs(notebook), indent=1) + "\n", encoding="utf-8")
    return target, reports


def _exercises() -> Path:
    """Where the exercises are: in the wheel beside this file, in a checkout beside the package."""
    here = Path(__file__).parent
    places = (here / "_exercises", here.parent / "exercises")
    return next((place for place in places if place.is_dir()), places[1])


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_notebook(path)
    except Unreadable as error:
        raise CourseError(str(error)) from error


def _run(notebook: dict[str, Any], space: dict[str, Any]) -> Iterator[str]:
    """Run the cells that define something, as a notebook does; yield what went wrong in each.

    Args:
        space: gets the notebook's variables.
    """
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.reset(new_session=False)
    for cell in own_cells(notebook):
        with contextlib.redirect_stdout(io.StringIO()):
            result = shell.run_cell(cell.source)
        error = result.error_before_exec or result.error_in_exec
        if error:
            yield f"the cell {cell.grade_id or 'of your own'}: {type(error).__name__}: {error}"
    space |= shell.user_ns


def _without_outputs(notebook: dict[str, Any]) -> dict[str, Any]:
    emptied: dict[str, Any] = {"outputs": [], "execution_count": None}
    cells = [
        cell | emptied if isinstance(cell, dict) and cell.get("cell_type") == "code" else cell
        for cell in notebook["cells"]
    ]
    return notebook | {"cells": cells}
