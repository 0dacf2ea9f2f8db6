"""Files that learners handed in, opened and read without trust in what they are.

No link is followed, only ordinary files are opened, and a file can cost neither much memory nor
much time: large ones are read in a process of their own.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import Any

from ..._notebook import UnreadableError
from .budget import Budget
from .parse import TOO_MUCH, FormatError, parse

MAX_BYTES = 200 * 1024 * 1024
LARGE = 4 * 1024 * 1024
"""From this size on a file is read in a process of its own: JSON takes many times its size."""

MAX_SECONDS = 60.0
"""Of computing time for all files that are looked at to find one learner's notebook."""
_PATIENCE = 2.0
"""How many times its computing time the reading of a large file may take on the clock."""
_MAX_ENTRIES = 1000
"""In a folder that is looked through."""
_MAX_LISTED = 5000
"""Entries of a folder of which these are the first in alphabetical order."""
MAX_FILES = 5000
"""That are looked at to find one learner's notebook."""


@dataclass(frozen=True)
class SubmittedCell:
    """One cell of a learner's notebook.

    Attributes:
        kind: "code", "markdown" or "raw".
        settings: what nbgrader keeps about it.
        own_id: its id in the notebook, "" in notebooks without ids.
    """

    kind: str
    text: str
    settings: dict[str, Any] = field(default_factory=dict)
    own_id: str = ""

    @property
    def grade_id(self) -> str:
        """nbgrader's name for the cell, "" if it has none."""
        found = self.settings.get("grade_id")
        return found if isinstance(found, str) else ""


@dataclass(frozen=True)
class Notebook:
    """A learner's notebook as far as it is of use.

    Attributes:
        language: in small letters, "" if it does not say.
        said: what had to be mended to read it, a sentence each.
    """

    pieces: tuple[SubmittedCell, ...]
    language: str = ""
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class File:
    """A file that was read.

    Attributes:
        name: relative to the folder that was looked into.
        digest: SHA-256 of its bytes, "" if it is too large.
        notebook: what is in it; None if that is no notebook.
        broken: why not, in a sentence.
    """

    name: str
    digest: str
    notebook: Notebook | None = None
    broken: str = ""


class Folder:
    """An open folder. Whatever is opened through it lies in it, and no link was followed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def entries(self) -> list[tuple[str, int]]:
        """The names in it and their modes (see `mode`), in alphabetical order, as many as one can
        look through."""
        with os.scandir(self._descriptor) as found:
            names = sorted(entry.name for entry in islice(found, _MAX_LISTED))
        return [(name, self.mode(name)) for name in names[:_MAX_ENTRIES]]

    def mode(self, name: str) -> int:
        """The type and rights of what has this name, as `stat` gives them; 0 if nothing has."""
        try:
            found = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return 0
        return found.st_mode

    @contextmanager
    def folder(self, name: str) -> Iterator[Folder]:
        """A folder in this one.

        Raises:
            UnreadableError: it is none, or a link.
            OSError: it cannot be opened.
        """
        mode = self.mode(name)
        if stat.S_ISLNK(mode):
            raise UnreadableError(f"The folder {shown(name)} is a link; links are not followed.")
        if not stat.S_ISDIR(mode):
            raise UnreadableError(f"There is no folder {shown(name)}.")
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        descriptor = os.open(name, flags, dir_fd=self._descriptor)
        try:
            yield Folder(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def file(self, name: str) -> Iterator[BufferedReader]:
        """An ordinary file in this folder.

        Raises:
            UnreadableError: it is not there, or something else.
            OSError: it cannot be opened.
        """
        mode = self.mode(name)
        if mode == 0:
            raise UnreadableError(f"There is no file {shown(name)}.")
        if stat.S_ISLNK(mode):
            raise UnreadableError(
                f"{shown(name)} is a link to another file; links are not followed."
            )
        if not stat.S_ISREG(mode):
            raise UnreadableError(f"{shown(name)} is not an ordinary file.")
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with os.fdopen(os.open(name, flags, dir_fd=self._descriptor), "rb") as file:
            yield file


@contextmanager
def opened(folder: Path) -> Iterator[Folder]:
    """A learner's folder for an assignment, submitted/<student>/<assignment>.

    Raises:
        UnreadableError: it or the learner's own folder is a link, or no folder.
        OSError: it cannot be opened.
    """
    descriptor = os.open(folder.parent.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with (
            Folder(descriptor).folder(folder.parent.name) as learners,
            learners.folder(folder.name) as found,
        ):
            yield found
    finally:
        os.close(descriptor)


def usual_budget() -> Budget:
    """What all files that are looked at to find one learner's notebook may cost together: as much
    as the largest notebook."""
    return Budget(MAX_BYTES, MAX_FILES, MAX_SECONDS)


def is_quick(path: Path) -> bool:
    """Whether a file can be read as a notebook in no time: it is there, ordinary, and not large."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size <= LARGE


def load(folder: Folder, name: str, budget: Budget, shown_as: str = "") -> File:
    """Read a file as a notebook.

    Raises:
        UnreadableError: it is no ordinary file.
        SpentError: the budget is.
        OSError: it cannot be opened.
    """
    shown_as = shown(shown_as or name)
    with folder.file(name) as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_BYTES:
            return File(name, "", broken=f"{shown_as} is larger than {MAX_BYTES >> 20} MB.")
        budget.spend(size)
        try:
            digest, content = _large(file, budget) if size > LARGE else _small(file)
        except FormatError as error:
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return File(name, digest, broken=f"{shown_as} {error}")
    pieces = tuple(SubmittedCell(*cell) for cell in content["cells"])
    notebook = Notebook(pieces, content["language"], tuple(content["said"]))
    return File(name, digest, notebook)


def shown(name: str) -> str:
    """A file's name as it can be put into a sentence: names may hold anything."""
    text = "".join(c if c.isprintable() else "\ufffd" for c in name)
    return text if len(text) <= 100 else text[:99] + "…"


def _small(file: BufferedReader) -> tuple[str, dict[str, Any]]:
    data = file.read(LARGE + 1)
    return hashlib.sha256(data).hexdigest(), parse(data)


def _large(file: BufferedReader, budget: Budget) -> tuple[str, dict[str, Any]]:
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    program = str(Path(__file__).with_name("parse.py"))
    seconds = max(1, math.ceil(budget.seconds_left))
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", program, str(seconds)],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE * seconds,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        budget.note(seconds)
        raise FormatError(TOO_MUCH) from None
    content: dict[str, Any] = json.loads(done.stdout)
    budget.note(content["seconds"])
    if "broken" in content:
        raise FormatError(content["broken"])
    return digest, content
