"""A notebook file's cells, without all the rest: what is in a file is not trusted.

This file is also a program: large files are slimmed in a process of its own, with limits, which
reads the file on standard input and writes the result to standard output. So it needs nothing but
Python's own library:

    python -I -S parse.py SECONDS < notebook.ipynb
"""

from __future__ import annotations

import gc
import json
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

MAX_TEXT = 4 * 1024 * 1024
"""Characters in all cells together. The largest notebook of the course has 30,000."""
MAX_CELL = 80_000
"""Characters in one cell; what is longer does not get into the sandbox."""
MAX_CELLS = 2000

_MEMORY = 3 * 1024**3 // 2
"""Bytes that the program may use."""
TOO_MUCH = "takes too much memory or time to read."

_OTHER_FILES = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a compressed file",
    b"Rar!": "an archive",
    b"7z\xbc\xaf": "an archive",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"<!doctype": "a web page",
    b"<html": "a web page",
}
_PICTURE = re.compile(r"data:image/[\w.+-]+;base64,[\w+/=]+")
"""How Colab keeps pictures in text."""

_SETTINGS = ("grade_id", "grade", "locked", "solution", "task", "points", "checksum")

Cell = tuple[str, str, dict[str, Any], str]
"""Its type ("code", "markdown", "raw"), text, nbgrader metadata and id."""


class FormatError(ValueError):
    """A file that holds no notebook. The message says why; the file's name goes before it."""


def parse(data: bytes) -> dict[str, Any]:
    """The cells of a notebook file of format 3 or 4.

    Returns:
        {"cells": a list of `Cell`, "language": the notebook's, in small letters, "" if it does not
        say, "said": what had to be mended, a sentence each}. JSON can hold it.

    Raises:
        FormatError: the file is no notebook.
    """
    said: list[str] = []
    content = _parsed(_decoded(data, said))
    cells = list(_cells(content, said))
    if len(cells) > MAX_CELLS:
        raise FormatError(f"has more than {MAX_CELLS} cells.")
    if sum(len(text) for _, text, _, _ in cells) > MAX_TEXT:
        raise FormatError(f"holds more than {MAX_TEXT >> 20} MB of text besides its outputs.")
    return {"cells": cells, "language": _language(content), "said": list(dict.fromkeys(said))}


def _decoded(data: bytes, said: list[str]) -> str:
    start = data[:9].lower()
    for signature, kind in _OTHER_FILES.items():
        if start.startswith(signature.lower()):
            raise FormatError(f"is no notebook but {kind}.")
    encoding: str = json.detect_encoding(data)
    try:
        text = data.decode(encoding, "surrogatepass")
    except UnicodeDecodeError:
        encoding = "cp1252" if encoding.startswith("utf-8") else encoding
        text = data.decode(encoding, "replace")
        said.append("The file was not saved as UTF-8; letters like é may have been misread.")
    if not text.strip("\x00\ufeff \t\r\n"):
        raise FormatError("is empty.")
    return text


def _parsed(text: str) -> dict[str, Any]:
    try:
        content = _loaded(text)
    except RecursionError:
        raise FormatError("is no notebook: it is nested too deeply.") from None
    except json.JSONDecodeError as error:
        if error.msg.startswith("Unterminated") or error.pos >= len(text.rstrip()) - 5:
            raise FormatError("is not whole: it breaks off. Was all of it uploaded?") from None
        raise FormatError(
            f"is no notebook: its content is broken in line {error.lineno}."
        ) from None
    if not isinstance(content, dict):
        raise FormatError("is no notebook: it has no cells.")
    return content


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except json.JSONDecodeError:
        raise
    except ValueError:  # a number so long that Python does not read it
        return json.loads(text, parse_constant=lambda _: None, parse_int=_small_int)


def _small_int(digits: str) -> int:
    """JSON knows no largest number, and nothing that is read here is large."""
    return int(digits) if len(digits) < 16 else 0


def _cells(content: dict[str, Any], said: list[str]) -> Iterator[Cell]:
    cells = content.get("cells")
    if not isinstance(cells, list):
        cells = _of_worksheets(content.get("worksheets"))
        said.append("The notebook was in an old format (nbformat 3); it was converted.")
    for cell in cells:
        if not isinstance(cell, dict):
            said.append("Parts of the notebook that are no cells were left out.")
            continue
        kind, text = _kind(cell), _text(cell, said)
        if kind == "code" and len(text) > MAX_CELL:
            said.append(f"A cell of more than {MAX_CELL:,} characters was left out.")
        elif text.strip():
            text = text if kind == "code" else _PICTURE.sub("picture", text)[:MAX_CELL]
            own_id = cell.get("id")
            yield kind, text, _settings(cell), own_id[:64] if isinstance(own_id, str) else ""


def _of_worksheets(sheets: Any) -> list[Any]:
    """The cells of format 3."""
    if not isinstance(sheets, list):
        raise FormatError("is no notebook: it has no cells.")
    found = (sheet.get("cells") for sheet in sheets if isinstance(sheet, dict))
    return [cell for cells in found if isinstance(cells, list) for cell in cells]


def _kind(cell: dict[str, Any]) -> str:
    kind = cell.get("cell_type")
    if kind in ("heading", "html"):
        return "markdown"
    return kind if kind in ("code", "markdown", "raw") else "raw"


def _text(cell: dict[str, Any], said: list[str]) -> str:
    found = cell.get("source", cell.get("input", ""))
    if isinstance(found, list):
        found = "".join(line for line in found if isinstance(line, str))
    if not isinstance(found, str):
        return ""
    text = found.replace("\r\n", "\n").replace("\r", "\n")
    if cell.get("cell_type") == "heading":
        level = cell.get("level")
        text = "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1) + " " + text
    try:
        text.encode()
    except UnicodeEncodeError:
        said.append("Some characters could not be read.")
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _settings(cell: dict[str, Any]) -> dict[str, Any]:
    """What nbgrader keeps about a cell, as far as it is of use."""
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    if not isinstance(found, dict):
        return {}
    values = ((key, found[key]) for key in _SETTINGS if key in found)
    return {key: value for key, value in values if _is_simple(value)}


def _is_simple(value: Any) -> bool:
    if isinstance(value, int):
        return abs(value) < 10**15
    return isinstance(value, float) or (isinstance(value, str) and len(value) <= 200)


def _language(content: dict[str, Any]) -> str:
    metadata = content.get("metadata")
    places = (("kernelspec", "language"), ("language_info", "name"))
    for place, key in places:
        found = metadata.get(place) if isinstance(metadata, dict) else None
        name = found.get(key) if isinstance(found, dict) else None
        if isinstance(name, str) and name:
            return "".join(c for c in name.lower() if c.isprintable())[:20]
    return ""


def _limit(seconds: int) -> None:
    import resource

    for kind, limit in ((resource.RLIMIT_AS, _MEMORY), (resource.RLIMIT_CPU, seconds)):
        try:
            resource.setrlimit(kind, (limit, limit))
        except (ValueError, OSError):  # macOS does not know all of them
            continue


def main() -> None:
    """Write what `parse` gives, or {"broken": why}, and "seconds", the computing time of it all."""
    _limit(int(sys.argv[1]))
    gc.disable()  # it would look through millions of small objects again and again
    try:
        result = parse(sys.stdin.buffer.read())
    except FormatError as error:
        result = {"broken": str(error)}
    except MemoryError:
        result = {"broken": TOO_MUCH}
    json.dump(result | {"seconds": time.process_time()}, sys.stdout)


if __name__ == "__main__":
    main()
