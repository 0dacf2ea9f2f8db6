"""A learner's folder of notebooks: where it is, how it is made, what of it is handed in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from ._errors import CourseError
from ._exercise import CHAPTERS
from ._notebook import UnreadableError, own_cells, read_notebook

CLASS_ROOMS, CLASS_FILES = ("submitted", "autograded"), ("nbgrader_config.py", "gradebook.db")
"""Where a class hands in, and what lies beside that."""
SUBMIT = "submit"
"""The folder for what is handed in."""


def start(folder: Path) -> tuple[list[Path], list[Path]]:
    """Put the course's exercises into a folder. Files that are there already are left alone.

    Returns:
        The notebooks that were put there, and those that were there.

    Raises:
        CourseError: the folder is a file, or lies in one.
    """
    for place in (folder, *folder.parents):
        if place.exists() and not place.is_dir():
            raise CourseError(f"{place} is a file; the exercises go into a folder of their own.")
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


def root(folder: Path) -> Path:
    """The workspace that a folder belongs to: itself, or the one around it if it is a chapter's
    folder or the one for what is handed in."""
    inner = folder.absolute().name in (*CHAPTERS, SUBMIT)
    if inner and not _in_folders(folder) and _in_folders(folder / ".."):
        return folder / ".."
    return folder


def notebooks(folder: Path) -> list[Path]:
    """The course's notebooks in a workspace, in the order of the course.

    Raises:
        CourseError: there is none.
    """
    found = [path for chapter in CHAPTERS if (path := notebook_in(folder, chapter))]
    if not found:
        raise CourseError(
            f"there is no notebook of the course in {folder.resolve()}: "
            "make a workspace with  rnncourse start DIR  and go there."
        )
    return found


def notebook_in(folder: Path, chapter: str) -> Path | None:
    """The notebook of a chapter in a workspace: in the chapter's folder, or beside the others."""
    name = f"{chapter}.ipynb"
    places = (folder / chapter / name, folder / name)
    return next((place for place in places if place.exists() or place.is_symlink()), None)


def read(path: Path) -> dict[str, Any]:
    """A learner's notebook.

    Raises:
        CourseError: it cannot be read.
    """
    try:
        return read_notebook(path)
    except UnreadableError as error:
        raise CourseError(str(error)) from error
    except OSError as error:
        raise CourseError(f"{path}: {error.strerror or error}.") from error


def refuse_submission(path: Path) -> None:
    """Raises: CourseError: the notebook was handed in and lies in the folder of a class. Here it
    would run with all that the caller can do."""
    for room in path.resolve().parents:
        if room.name in CLASS_ROOMS and any((room.parent / name).exists() for name in CLASS_FILES):
            raise CourseError(
                f"{path} was handed in, and is not run, as there is no sandbox here: "
                "use rnncourse grade."
            )


def refuse_empty(path: Path, notebook: dict[str, Any]) -> None:
    """Raises: CourseError: the notebook has no cell for an answer."""
    if not any(cell.exercises for cell in own_cells(notebook)):
        raise CourseError(
            f"{path.name} has no cell for an answer, so there is nothing to hand in. "
            "Is it the right file? rnncourse start DIR makes fresh ones."
        )


def hand_in(path: Path, notebook: dict[str, Any]) -> Path:
    """Write the one file to hand in: a notebook without its outputs, in its workspace's folder for
    that.

    Args:
        path: where the notebook is.
        notebook: its content.

    Returns:
        The file.

    Raises:
        CourseError: the notebook is itself such a file.
    """
    target = root(path.parent) / SUBMIT / path.name.lower()
    if target.exists() and path.samefile(target):
        raise CourseError(f"{path} is the file to hand in; name the notebook that you work in.")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(_without_outputs(notebook), indent=1) + "\n", encoding="utf-8")
    return target


def _in_folders(folder: Path) -> list[Path]:
    """The notebooks of a folder that has a folder for each chapter."""
    places = (folder / chapter / f"{chapter}.ipynb" for chapter in CHAPTERS)
    return [place for place in places if place.exists()]


def _exercises() -> Path:
    """Where the exercises are: in the wheel beside this file, in a checkout beside the package."""
    here = Path(__file__).parent
    places = (here / "_exercises", here.parent / "exercises")
    return next((place for place in places if place.is_dir()), places[1])


def _without_outputs(notebook: dict[str, Any]) -> dict[str, Any]:
    emptied: dict[str, Any] = {"outputs": [], "execution_count": None}
    cells = [
        cell | emptied if isinstance(cell, dict) and cell.get("cell_type") == "code" else cell
        for cell in notebook["cells"]
    ]
    return notebook | {"cells": cells}
