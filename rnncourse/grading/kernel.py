"""The kernel that a learner's notebook names: one that no machine has.

`nbgrader validate`, `jupyter execute` and JupyterLab run a notebook with the kernel that it names,
with all that the caller can do. They do not find this one, in whatever folder they are started, and
who wants to run a notebook all the same chooses another. The grader looks at no kernel's name.

JupyterLab falls back to the only kernel of the language that a notebook was last run in, so that
gets this name too. The language itself stays where the grader looks for it first. A notebook of
nbformat 1, which knows no kernels, would run with the usual one, so it is declared one of format 4;
the grader looks at no format's number.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from .submissions.budget import Budget
from .submissions.reader import LARGE, usual_budget

MISSING_KERNEL = "handed-in-grade-it-with-rnncourse-grade"
"""What programs say that there is no kernel of this name: so it is a sentence."""
DISPLAY_NAME = "Handed in: grade it with rnncourse grade"

_START = re.compile(rb"(\xef\xbb\xbf)?\s*+(?=\{)")
_EMPTY = re.compile(rb"\{\s*+\}")
_COLON = re.compile(rb"\s*+:\s*+")
_SCALAR = re.compile(rb"[^\s,\]}]*+")
_LATER_FORMAT = re.compile(rb"[02-9]|\d{2,9}")
_PART = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
"""What JSON is searched for: strings, also one that never ends, and brackets."""
_OFTEN = 1 << 16
"""After so many parts it is looked how much time there is left."""


def name_missing_kernel(path: Path, budget: Budget) -> None:
    """Name the missing kernel in a notebook's file, in one step; its rights and times stay.

    Raises:
        SpentError: the budget is.
        OSError: the file cannot be read or written.
    """
    data = path.read_bytes()
    edited = with_missing_kernel(data, budget)
    if edited == data:
        return
    handle, beside = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(edited)
        shutil.copystat(path, beside)
        Path(beside).replace(path)
    finally:
        Path(beside).unlink(missing_ok=True)


def with_missing_kernel(data: bytes, budget: Budget | None = None) -> bytes:
    """A notebook's file with the missing kernel; all else in it is the same, byte for byte.

    A file that is no JSON object in UTF-8 stays as it is, as no program runs it, and so does one
    that has the missing kernel already. Whether all of a large file is sound is not looked at. No
    line is added, so that a broken file is broken in the same line.

    Raises:
        SpentError: the budget is.
    """
    start = _START.match(data)
    if start is None or not json.detect_encoding(data).startswith("utf-8"):
        return data
    if len(data) <= LARGE and not _is_json(data):
        return data
    text = _Text(data, budget or usual_budget())
    with suppress(_BrokenError):
        if not _LATER_FORMAT.fullmatch(text.value(start.end(), "nbformat")):
            text.put(start.end(), ("nbformat",), b"4")
        metadata = text.object(start.end(), "metadata")
        name = text.string(metadata, "language_info", "name")
        if name and not text.string(metadata, "kernelspec", "language"):
            text.put(metadata, ("kernelspec", "language"), name)
        if name:
            text.put(metadata, ("language_info", "name"), _quoted(MISSING_KERNEL))
        text.put(metadata, ("kernelspec", "display_name"), _quoted(DISPLAY_NAME))
        text.put(metadata, ("kernelspec", "name"), _quoted(MISSING_KERNEL))
        return text.data
    return data


def metadata_with_missing_kernel(metadata: dict[str, Any]) -> dict[str, Any]:
    """A notebook's metadata with the missing kernel; its cells are highlighted as before."""
    kernel = {"display_name": DISPLAY_NAME, "name": MISSING_KERNEL}
    edited = metadata | {"kernelspec": metadata.get("kernelspec", {}) | kernel}
    language = metadata.get("language_info", {})
    if name := language.get("name"):
        edited["language_info"] = {"pygments_lexer": name} | language | {"name": MISSING_KERNEL}
    return edited


class _BrokenError(ValueError):
    """Not all of a JSON object is there."""


class _Text:
    """JSON that is edited without being parsed: objects in memory take many times its size.

    Places in it are offsets: of a bracket that opens an object, or of a value.
    """

    def __init__(self, data: bytes, budget: Budget) -> None:
        self.data = data
        self._budget = budget

    def object(self, opening: int, key: str) -> int:
        """The place of an object in an object, which is made if there is none."""
        place = self._place(opening, key)
        if place is None or not self._is_object(place):
            self.put(opening, (key,), b"{}")
            place = self._place(opening, key)
        assert place is not None
        return place

    def value(self, opening: int, *path: str) -> bytes:
        """A value in objects in an object, as it is written; b"" if there is none."""
        place: int | None = opening
        for key in path:
            if place is None or not self._is_object(place):
                return b""
            place = self._place(place, key)
        return b"" if place is None else self.data[place : self._end(place)]

    def string(self, opening: int, *path: str) -> bytes:
        """A string with its quotation marks; b"" if there is none, or an empty one."""
        found = self.value(opening, *path)
        return found if found.startswith(b'"') and found != b'""' else b""

    def put(self, opening: int, path: tuple[str, ...], value: bytes) -> None:
        """Put a value into objects in an object; those that are not there are made."""
        key, *inner = path
        place = self._place(opening, key)
        if place is not None and inner and self._is_object(place):
            self.put(place, tuple(inner), value)
            return
        for name in reversed(inner):
            value = b"{%s: %s}" % (_quoted(name), value)
        if place is None:
            rest = b"" if _EMPTY.match(self.data, opening) else b", "
            self._replace(opening + 1, opening + 1, b"%s: %s%s" % (_quoted(key), value, rest))
        else:
            self._replace(place, self._end(place), value)

    def _replace(self, start: int, end: int, value: bytes) -> None:
        self.data = self.data[:start] + value + self.data[end:]

    def _is_object(self, place: int) -> bool:
        return self.data.startswith(b"{", place)

    def _place(self, opening: int, key: str) -> int | None:
        """The place of a key's value; the last one's if there are several, as programs have it."""
        found = None
        for part in self._own_parts(opening):
            colon = _COLON.match(self.data, part.end())
            if colon and _is(part[0], key):
                found = colon.end()
        return found

    def _end(self, place: int) -> int:
        """Where a value ends."""
        if self.data.startswith((b"{", b"["), place):
            *_, last = self._own_parts(place)
            return last.end()
        match = _PART.match(self.data, place) or _SCALAR.match(self.data, place)
        assert match is not None
        return match.end()

    def _own_parts(self, opening: int) -> Iterator[re.Match[bytes]]:
        """The strings that lie in an object or list itself, and at last the bracket that closes it.

        Raises:
            _BrokenError: nothing closes it.
            SpentError: the budget is.
        """
        depth = 0
        for number, part in enumerate(_PART.finditer(self.data, opening), 1):
            if number % _OFTEN == 0:
                self._budget.spend()
            first = self.data[part.start()]
            if first in b"[{":
                depth += 1
            elif first in b"]}":
                depth -= 1
                if depth == 0:
                    yield part
                    return
            elif depth == 1:
                yield part
        raise _BrokenError


def _is_json(data: bytes) -> bool:
    """Whether it can be parsed, letters in other encodings and the longest numbers aside."""
    try:
        json.loads(data.decode("utf-8-sig", "replace"), parse_int=str)
    except RecursionError:  # it may be too deep here only
        return True
    except ValueError:
        return False
    return True


def _quoted(text: str) -> bytes:
    return json.dumps(text).encode()


def _is(string: bytes, key: str) -> bool:
    """Whether a string, with its quotation marks, reads so; letters can be written as \\u0061."""
    with suppress(ValueError):
        return bool(json.loads(string) == key)
    return False
