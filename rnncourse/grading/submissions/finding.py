"""Which of the files that a learner handed in is the notebook."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from itertools import islice

from ...notebook import Unreadable
from .reader import File, Folder, Notebook, load, shown
from .source import CHECK, Source, functions

_NOTEBOOK = re.compile(r"\.(ipynb(\.\w+)?|json)$", re.IGNORECASE)
_NOT_LEARNERS = re.compile(r"^(\.|__MACOSX$)")
MAX_CANDIDATES = 20


def find(folder: Folder, assignment: str, source: Source) -> tuple[File, str]:
    """The notebook in a learner's folder, read, and a sentence if its name was another.

    Another name is accepted where there is no doubt which file is meant.

    Raises:
        Unreadable: there is none, or several.
        OSError: a file cannot be opened.
    """
    name = f"{assignment}.ipynb"
    mode = folder.mode(name)
    if mode and not stat.S_ISDIR(mode):
        return load(folder, name), ""
    modes = dict(folder.entries())
    found = list(islice(_candidates(folder, modes), MAX_CANDIDATES))
    fitting = [file for file in found if _holds(file, source)]
    fitting = fitting or [file for file in found if is_named_after(file.name, assignment)]
    if len({file.digest for file in fitting}) != 1:
        raise Unreadable(_doubt(name, fitting, modes))
    chosen = fitting[0]
    return chosen, f"Your file was called '{shown(chosen.name)}'; it was graded as {name}."


def is_notebook(name: str) -> bool:
    """Whether a file's name is that of a notebook, also of one that a browser has renamed."""
    return bool(_NOTEBOOK.search(name))


def is_learners(name: str) -> bool:
    """Whether a file or folder was made by a person and not by a system or by Jupyter."""
    return not _NOT_LEARNERS.match(name)


def is_named_after(name: str, assignment: str) -> bool:
    """Whether the assignment's name is one of the words in a file's name."""
    word = rf"(?<![a-z]){re.escape(assignment.lower())}(?![a-z])"
    return bool(re.search(word, name.rpartition("/")[2].lower()))


def _candidates(folder: Folder, modes: dict[str, int]) -> Iterator[File]:
    """The notebooks in a folder and in the folders in it, where archives unpack to."""
    for name, mode in modes.items():
        if not is_learners(name):
            continue
        if stat.S_ISDIR(mode):
            with folder.folder(name) as inner:
                for inside, kind in inner.entries():
                    if stat.S_ISREG(kind) and is_learners(inside) and is_notebook(inside):
                        yield _within(name, load(inner, inside, f"{name}/{inside}"))
        elif stat.S_ISREG(mode) and is_notebook(name):
            yield load(folder, name)


def _within(folder: str, file: File) -> File:
    return File(f"{folder}/{file.name}", file.digest, file.notebook, file.broken)


def _holds(file: File, source: Source) -> bool:
    """Whether a notebook is one of this assignment by what is in it."""
    return file.notebook is not None and _has_exercises(file.notebook, source)


def _has_exercises(notebook: Notebook, source: Source) -> bool:
    return any(
        piece.grade_id in source.stubs
        or piece.grade_id.removeprefix(CHECK) in source.stubs
        or functions(piece.text) & source.stubs.keys()
        for piece in notebook.pieces
    )


def looks_like(notebook: Notebook, source: Source) -> str:
    """The other assignment of the course to which most of a notebook's cells with an id belong;
    "" if none, or if an exercise of this assignment is in it."""
    if _has_exercises(notebook, source):
        return ""
    ids = [piece.grade_id for piece in notebook.pieces if piece.grade_id]
    for name, its in source.others.items():
        if 2 * sum(one in its and one not in source.known for one in ids) > len(ids):
            return name
    return ""


def _doubt(name: str, files: list[File], modes: dict[str, int]) -> str:
    if files:
        names = ", ".join(f"'{shown(file.name)}'" for file in files)
        return f"There is no file {name}, but several that it could be: {names}."
    others = ", ".join(f"'{shown(other)}'" for other in modes if is_learners(other))
    return f"There is no file {name}" + (f", only {others}." if others else ".")
