"""Files in an archive or a folder that come from many people: nothing in them is trusted.

Nothing is ever unpacked to where an archive says. Its files are copied one by one to places that
the caller chooses, and what they cost is counted while they are copied.
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PureWindowsPath
from typing import IO

from ..submissions.budget import Budget
from ..submissions.finding import is_learners
from ..submissions.reader import MAX_BYTES, shown

MAX_FILES = 200_000
MAX_FILES_INSIDE = 1000
"""In an archive that lies in another."""
MAX_PATH = 1000
"""Characters of a path: what is longer is no file that a person has made."""

_CHUNK = 1 << 16
_ENTRY = b"PK\x01\x02"
"""How each entry of a zip archive's list of contents begins."""
_TOO_LONG = "lies too deep, or its name is too long"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What archives of learning platforms use. Others can make gigabytes of one chunk."""


class UnusableError(ValueError):
    """A file or an archive that cannot be taken. The message says why, after its name."""


@dataclass(frozen=True)
class Member:
    """One file in an archive or a folder.

    Attributes:
        path: its folders and its name.
        packed: the bytes that have to be read to unpack it. They can be many and give nothing.
    """

    path: tuple[str, ...]
    _open: Callable[[], AbstractContextManager[IO[bytes]]]
    packed: int = 0

    @property
    def name(self) -> str:
        """Its own name, without folders."""
        return self.path[-1]

    @property
    def shown(self) -> str:
        """Its path in messages."""
        return shown("/".join(self.path))

    @property
    def is_archive(self) -> bool:
        """Whether it is a zip file itself."""
        return self.name.lower().endswith(".zip")

    def copy(self, target: IO[bytes], budget: Budget) -> None:
        """Copy what is in it.

        Raises:
            UnusableError: it is too large or cannot be read.
            SpentError: the budget is.
        """
        size = 0
        budget.spend(self.packed)
        for chunk in self._chunks():
            size += len(chunk)
            if size > MAX_BYTES:
                raise UnusableError(f"is larger than {MAX_BYTES >> 20} MB")
            budget.spend(len(chunk))
            target.write(chunk)

    def _chunks(self) -> Iterator[bytes]:
        try:
            with self._open() as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
        except Exception as error:  # zipfile fails in whatever way a damaged file leads to
            raise UnusableError("cannot be read") from error


@dataclass
class Archive:
    """What people made in an archive or a folder; what systems and Jupyter put there is left out.

    Attributes:
        folders: the paths of folders, also of empty ones.
        ignored: what is not taken, and why, a sentence each.
    """

    members: list[Member] = field(default_factory=list)
    folders: list[tuple[str, ...]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """An archive or a folder.

    Raises:
        UnusableError: it is neither, or holds too much.
    """
    if path.is_dir():
        yield _in_folder(path)
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise UnusableError(f"cannot be opened: {error.strerror}") from error
    with file, unzipped(file, MAX_FILES) as archive:
        yield archive


@contextmanager
def unzipped(file: IO[bytes], limit: int) -> Iterator[Archive]:
    """A zip archive.

    Args:
        limit: how many files it may hold.

    Raises:
        UnusableError: it is none, or holds more.
    """
    if _count(file, _ENTRY, limit) > limit:
        raise UnusableError(f"holds more than {limit} files")
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:  # zipfile fails in whatever way a damaged file leads to
        raise UnusableError("is no zip archive, or it is damaged") from error
    with archive:
        yield _in_zip(archive)


def _in_folder(folder: Path) -> Archive:
    found = Archive()
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if is_learners(name))
        for name in sorted([*folders, *names]):
            path = Path(here, name)
            parts = path.relative_to(folder).parts
            mode = _mode(path)
            if len("/".join(parts)) > MAX_PATH or not mode:
                found.ignored.append(f"{shown('/'.join(parts))} {_TOO_LONG}")
            elif stat.S_ISLNK(mode):
                found.ignored.append(f"{shown('/'.join(parts))} is a link")
            elif stat.S_ISDIR(mode):
                found.folders.append(parts)
            elif stat.S_ISREG(mode) and is_learners(name):
                found.members.append(Member(parts, partial(_open_file, path)))
        if len(found.members) > MAX_FILES:
            raise UnusableError(f"holds more than {MAX_FILES} files")
    return found


def _in_zip(archive: zipfile.ZipFile) -> Archive:
    found = Archive()
    for info in archive.infolist():
        name = shown(info.filename)
        if not info.filename:
            found.ignored.append("a file has no name")
            continue
        if len(info.filename) > MAX_PATH:
            found.ignored.append(f"{name} {_TOO_LONG}")
            continue
        path = PureWindowsPath(info.filename)  # it knows both kinds of slashes
        if info.is_dir() or not path.parts or not all(map(is_learners, path.parts)):
            if ".." in path.parts:
                found.ignored.append(f"{name} would lie outside the archive")
            elif info.is_dir():
                found.folders.append(path.parts)
        elif path.anchor or path.drive:
            found.ignored.append(f"{name} would lie outside the archive")
        elif stat.S_ISLNK(info.external_attr >> 16):
            found.ignored.append(f"{name} is a link")
        elif info.flag_bits & 1 or info.compress_type not in _METHODS:
            found.ignored.append(f"{name} is encrypted or packed in an unusual way")
        else:
            found.members.append(
                Member(path.parts, partial(archive.open, info), info.compress_size)
            )
    return found


def _mode(path: Path) -> int:
    """The type and rights of a file; 0 if the system does not say."""
    try:
        return path.lstat().st_mode
    except OSError:
        return 0


def _open_file(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


def _count(file: IO[bytes], what: bytes, limit: int) -> int:
    """How often something occurs in a file, as far as it matters whether that is too often."""
    found, tail = 0, b""
    file.seek(0)
    while found <= limit and (chunk := file.read(_CHUNK)):
        found += (tail + chunk).count(what)
        tail = chunk[-len(what) + 1 :]
    file.seek(0)
    return found
