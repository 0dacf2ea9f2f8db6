"""Notebooks and exercises as people type them: lstm, LSTM, lstm.ipynb, lstm/, lstm_cell."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .._errors import CourseError
from .._exercise import CHAPTERS, outline
from .._workspace import notebook_in, notebooks, root

_COPY = re.compile(
    r"(.+?)(?:[ _-]*\(\d+\)|[ _-]+copy(?:[ _-]*\d+)?|-Copy\d+|[ _]+\d+)", re.IGNORECASE
)
"""How browsers, file managers and Jupyter call a copy: "lstm (1)", "lstm copy", "lstm-Copy1"."""


@dataclass(frozen=True)
class Target:
    """What is asked for: a notebook of the course, and of it all exercises or these."""

    path: Path
    chapter: str
    exercises: tuple[str, ...]


def targets(typed: Iterable[str], here: Path) -> list[Target]:
    """What the arguments of a command mean; all that is here if there are none.

    Raises:
        CourseError: one of them means nothing; the message offers the nearest name.
    """
    wanted: dict[Path, Target] = {}
    for found in [one for text in typed for one in _meant(text, here)] or _all(here):
        before = wanted.get(found.path)
        wanted[found.path] = _together(before, found) if before else found
    return list(wanted.values())


def assignment(typed: str, here: Path) -> Target:
    """The one notebook that an argument means.

    Raises:
        CourseError: it means none, an exercise or several notebooks.
    """
    found = _meant(typed, here, kind="assignment")
    if len(found) > 1:
        raise CourseError(f"{typed} holds several notebooks: name one, such as {found[0].chapter}.")
    whole = _target(found[0].path)
    if found[0].exercises != whole.exercises:
        raise CourseError(
            f"{typed} is an exercise of {whole.chapter}.ipynb, which is handed in as a whole: "
            f"rnncourse submit {whole.chapter}"
        )
    return whole


def _all(here: Path) -> list[Target]:
    """The notebook of the chapter's folder that this is, else every notebook of the workspace."""
    own = here.absolute() / f"{here.absolute().name}.ipynb"
    if own.exists() and own.stem in CHAPTERS:
        return [_target(here / own.name)]
    return [_target(path) for path in notebooks(root(here))]


def _meant(typed: str, here: Path, kind: str = "notebook or exercise") -> list[Target]:
    if not typed.strip():
        raise CourseError(f"an empty name means no {kind}: there are {', '.join(CHAPTERS)}.")
    for path in (here / typed, here / f"{typed}.ipynb"):
        if path.is_file() and path.suffix == ".ipynb":
            return [_target(path)]
    name = _bare(typed)
    if name in CHAPTERS:
        return [_of_chapter(name, typed, here)]
    if (here / typed).is_dir() and (inside := _inside(here / typed)):
        return inside
    exercise = name.replace("-", "_")
    for chapter, own in outline().items():
        if exercise in own:
            return [Target(_of_chapter(chapter, "", here).path, chapter, (exercise,))]
    raise CourseError(_unknown(typed, name, kind, (here / typed).exists()))


def _unknown(typed: str, name: str, kind: str, exists: bool) -> str:
    """A sentence on an argument that means nothing."""
    if exists:
        return f"{typed} is no notebook of the course."
    exercises = [exercise for own in outline().values() for exercise in own]
    near = difflib.get_close_matches(name, [*CHAPTERS, *exercises], n=1)
    if not near and typed.endswith(".ipynb"):
        return f"{typed} is no notebook of the course: there is {_files()}."
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(CHAPTERS)}."
    return f"there is no {kind} called {typed}: {hint}"


def _bare(typed: str) -> str:
    """The name in what is typed: lstm in "LSTM", "lstm.ipynb", "lstm/" and "lstm/lstm.ipynb"."""
    last = typed.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return last.lower().removesuffix(".ipynb")


def _of_chapter(chapter: str, typed: str, here: Path) -> Target:
    """The notebook of a chapter: in the folder that was typed, else in this workspace."""
    folder = here / typed
    typed_places = [folder, folder.parent] if "/" in typed or "\\" in typed else []
    for place in (*typed_places, root(here)):
        if path := notebook_in(place, chapter):
            return _target(path)
    for copy in sorted([*root(here).glob(f"{chapter}?*.ipynb"), *root(here).glob(f"{chapter}/*")]):
        if _original(copy.stem) == chapter:
            return _target(copy)  # says that it looks like a copy
    if typed.lower().endswith(".ipynb"):
        raise CourseError(f"there is no file {typed}.")
    notebooks(root(here))  # says what to do where there is none at all
    raise CourseError(f"there is no {chapter}.ipynb in {root(here).resolve()}.")


def _inside(folder: Path) -> list[Target]:
    try:
        return [_target(path) for path in notebooks(folder)]
    except CourseError:
        return []


def _target(path: Path) -> Target:
    """A file as a notebook of the course, by its name.

    Raises:
        CourseError: it has another name.
    """
    chapter = path.stem.lower()
    if chapter in CHAPTERS:
        return Target(path, chapter, outline()[chapter])
    if original := _original(path.stem):
        raise CourseError(
            f"{path.name} looks like a copy of {original}.ipynb, and nothing is guessed. "
            f"If it is the one that you work in, rename it to {original}.ipynb; "
            f"else check {original}.ipynb."
        )
    raise CourseError(f"{path.name} is no notebook of the course: there is {_files()}.")


def _files() -> str:
    return ", ".join(f"{chapter}.ipynb" for chapter in CHAPTERS)


def _original(stem: str) -> str | None:
    """The chapter of whose notebook this is the name of a copy."""
    match = _COPY.fullmatch(stem)
    chapter = match.group(1).lower() if match else ""
    return chapter if chapter in CHAPTERS else None


def _together(first: Target, second: Target) -> Target:
    """Both of what is asked for in one notebook, in the course's order."""
    both = {*first.exercises, *second.exercises}
    order = _target(first.path).exercises
    return Target(first.path, first.chapter, tuple(name for name in order if name in both))
