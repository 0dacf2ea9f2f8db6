"""Which of the files that a learner handed in is the notebook."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..._notebook import UnreadableError
from .budget import Budget, SpentError
from .reader import File, Folder, Notebook, load, shown, usual_budget
from .source import CHECK, Source, functions

_NOTEBOOK = re.compile(r"\.(ipynb(\.\w+)?|json)$", re.IGNORECASE)
_NOT_LEARNERS = re.compile(r"^(\.|__MACOSX$)")
MAX_CANDIDATES = 20
MAX_NAMED = 20
"""Files that a sentence names."""


def find(folder: Folder, assignment: str, source: Source) -> tuple[File, str]:
    """The notebook in a learner's folder, read, and a sentence if its name was another.

    Another name is accepted where there is no doubt which file is meant.

    Raises:
        UnreadableError: there is none, or several, or too much to look through.
        OSError: a file cannot be opened.
    """
    name = f"{assignment}.ipynb"
    mode = folder.mode(name)
    budget = usual_budget()
    if mode and not stat.S_ISDIR(mode):
        return load(folder, name, budget), ""
    modes = dict(folder.entries())
    try:
        found = _looked_through(folder, modes, assignment, source, budget)
    except SpentError as reason:
        raise UnreadableError(f"There is no file {name}, and {reason}.") from None
    fitting = [file for file in found if _holds(file, source)]
    fitting = fitting or [file for file in found if is_named_after(file.name, assignment)]
    if len({file.digest for file in fitting}) != 1:
        raise UnreadableError(_doubt(name, fitting, modes))
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


def _looked_through(
    folder: Folder, modes: dict[str, int], assignment: str, source: Source, budget: Budget
) -> list[File]:
    """Notebooks that could be meant, read: those that are named after the assignment first.

    Raises:
        SpentError: the budget is, and what was not read could be meant.
    """
    names = list(_candidates(folder, modes, budget))
    names.sort(key=lambda name: not is_named_after(name, assignment))
    found = []
    for name in names[:MAX_CANDIDATES]:
        try:
            found.append(_load(folder, name, budget))
        except SpentError:
            named = [file for file in found if is_named_after(file.name, assignment)]
            if is_named_after(name, assignment) or not any(_holds(f, source) for f in named):
                raise
            break
    return found


def _candidates(folder: Folder, modes: dict[str, int], budget: Budget) -> Iterator[str]:
    """The names of the notebooks in a folder and in the folders in it, where archives unpack to."""
    budget.spend(files=len(modes))
    for name, mode in modes.items():
        if not is_learners(name):
            continue
        if stat.S_ISDIR(mode):
            with folder.folder(name) as inner:
                inside = inner.entries()
            budget.spend(files=len(inside))
            for each, kind in inside:
                if stat.S_ISREG(kind) and is_learners(each) and is_notebook(each):
                    yield f"{name}/{each}"
        elif stat.S_ISREG(mode) and is_notebook(name):
            yield name


def _load(folder: Folder, name: str, budget: Budget) -> File:
    """Read a file of a folder, or of a folder in it."""
    outer, _, inside = name.rpartition("/")
    if not outer:
        return load(folder, name, budget)
    with folder.folder(outer) as inner:
        return replace(load(inner, inside, budget, shown_as=name), name=name)


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
        names = _some(file.name for file in files)
        return f"There is no file {name}, but several that it could be: {names}."
    others = _some(other for other in modes if is_learners(other))
    return f"There is no file {name}" + (f", only {others}." if others else ".")


def _some(names: Iterable[str]) -> str:
    """Names of files, or the first of many."""
    quoted = [f"'{shown(name)}'" for name in names]
    more = [f"and {len(quoted) - MAX_NAMED} more"] if len(quoted) > MAX_NAMED else []
    return ", ".join([*quoted[:MAX_NAMED], *more])
