"""Notebooks damaged in random ways, the same ones each time."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rnncourse._notebook import grade_id
from tools.demonstration.learners import filled, solutions

NAME = "lstm.ipynb"
OTHER_NAMES = (
    "lstm (1).ipynb",
    "lstm-Copy1.ipynb",
    "LSTM.IPYNB",
    "lstm.ipynb.txt",
    "lstm.ipynb.json",
    "my work.json",
    "Ada/lstm.ipynb",
    "ada lstm final(2).ipynb",
    "\udcff lstm\n.ipynb",
)
STRANGE_TEXTS = (
    "",
    "\x00",
    "\ud800",
    "\ufeff\u202e\u2028",
    "def lstm_cell(x): return x",
    "def lstm_layer(",
    "class Mine:\n    pass",
    "check(lstm_cell)",
    "@fill\ndef lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):\n    # YOUR CODE HERE\n"
    "    raise NotImplementedError()",
    "<script>alert(1)</script> $a<b$ ![x](attachment:y.png)",
    "```\n" * 3,
    "(" * 3000,
    "é漢🙂" * 50,
    "%%bash\nls",
)
STRANGE_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    1e308,
    float("nan"),
    10**400,
    "",
    "\ud800",
    [],
    {},
    [[[[[[]]]]]],
    {"": {"nbgrader": []}},
    ["a", 1, None],
)
STRANGE_IDS = ("", "lstm_cell", "check_lstm_cell", "imports", "install", "nobody", "\ud800", "a b")

Notebook = dict[str, Any]
Change = Callable[[Notebook, random.Random], None]


@dataclass(frozen=True)
class Mutant:
    """A damaged notebook.

    Attributes:
        how: what was done to it, in order.
        name: its path in the learner's folder.
    """

    number: int
    how: tuple[str, ...]
    name: str
    data: bytes


def mutants(number: int, seed: int = 0) -> Iterator[Mutant]:
    """Damaged notebooks. The n-th of a seed is the same each time, however many there are."""
    right = solutions()
    first = next(iter(right))
    bases = [filled(right), filled({}), filled({first: right[first]}), _old_format(filled(right))]
    for n in range(number):
        yield _mutant(n, bases, random.Random(f"{seed} {n}"))


def _mutant(number: int, bases: list[str], rng: random.Random) -> Mutant:
    notebook = json.loads(rng.choice(bases))
    how = []
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3, 6))):
        change = rng.choice(STRUCTURE)
        how.append(change.__name__)
        change(notebook, rng)
    data = json.dumps(notebook, indent=rng.choice((None, 1))).encode()
    if rng.random() < 0.3:
        spoil = rng.choice(BYTES)
        how.append(spoil.__name__)
        data = spoil(data, rng)
    name = rng.choice(OTHER_NAMES) if rng.random() < 0.1 else NAME
    return Mutant(number, tuple(how), name, data)


def _old_format(text: str) -> str:
    """The notebook in nbformat 3."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"input": cell.pop("source"), "language": "python", "collapsed": False}
    sheet = {"cells": notebook["cells"], "metadata": {}}
    return json.dumps(
        {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [sheet]}
    )


def _cells(notebook: Notebook) -> list[Any]:
    """The list of cells, whatever is in it; an empty one if it is gone."""
    sheets = notebook.get("worksheets")
    inner = sheets[0] if isinstance(sheets, list) and sheets else notebook
    found = inner.get("cells") if isinstance(inner, dict) else None
    return found if isinstance(found, list) else []


def _some_cell(notebook: Notebook, rng: random.Random) -> dict[str, Any]:
    cells = [cell for cell in _cells(notebook) if isinstance(cell, dict)]
    return rng.choice(cells) if cells else {}


def _nbgrader(cell: dict[str, Any]) -> dict[str, Any]:
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def _key_of_text(cell: dict[str, Any]) -> str:
    return "input" if "input" in cell else "source"


def delete_cell(notebook: Notebook, rng: random.Random) -> None:
    cells = _cells(notebook)
    if cells:
        del cells[rng.randrange(len(cells))]


def copy_cell(notebook: Notebook, rng: random.Random) -> None:
    cells = _cells(notebook)
    if cells:
        copy = json.loads(json.dumps(rng.choice(cells)))
        cells.insert(rng.randrange(len(cells) + 1), copy)


def swap_cells(notebook: Notebook, rng: random.Random) -> None:
    cells = _cells(notebook)
    if cells:
        i, j = rng.randrange(len(cells)), rng.randrange(len(cells))
        cells[i], cells[j] = cells[j], cells[i]


def shuffle_cells(notebook: Notebook, rng: random.Random) -> None:
    rng.shuffle(_cells(notebook))


def join_cells(notebook: Notebook, rng: random.Random) -> None:
    cells = _cells(notebook)
    if len(cells) > 1:
        i = rng.randrange(len(cells) - 1)
        one, other = cells[i], cells.pop(i + 1)
        if isinstance(one, dict) and isinstance(other, dict):
            texts = (str(cell.get(_key_of_text(cell), "")) for cell in (one, other))
            one[_key_of_text(one)] = "\n\n".join(texts)


def split_cell(notebook: Notebook, rng: random.Random) -> None:
    cells = _cells(notebook)
    cell = _some_cell(notebook, rng)
    key = _key_of_text(cell)
    lines = str(cell.get(key, "")).splitlines(keepends=True)
    if len(lines) > 1:
        cut = rng.randrange(1, len(lines))
        rest = json.loads(json.dumps(cell)) | {key: lines[cut:]}
        cell[key] = lines[:cut]
        cells.insert(rng.randrange(len(cells) + 1), rest)


def change_type(notebook: Notebook, rng: random.Random) -> None:
    kinds = ("code", "markdown", "raw", "heading", "html", "", None, 3)
    _some_cell(notebook, rng)["cell_type"] = rng.choice(kinds)


def change_id(notebook: Notebook, rng: random.Random) -> None:
    _nbgrader(_some_cell(notebook, rng))["grade_id"] = rng.choice(STRANGE_IDS)


def swap_ids(notebook: Notebook, rng: random.Random) -> None:
    known = [c for c in _cells(notebook) if isinstance(c, dict) and grade_id(c)]
    if known:
        one, other = _nbgrader(rng.choice(known)), _nbgrader(rng.choice(known))
        one["grade_id"], other["grade_id"] = other["grade_id"], one["grade_id"]


def change_flag(notebook: Notebook, rng: random.Random) -> None:
    flags = ("grade", "solution", "locked", "task", "points", "checksum", "schema_version")
    _nbgrader(_some_cell(notebook, rng))[rng.choice(flags)] = rng.choice(STRANGE_VALUES)


def lose_metadata(notebook: Notebook, rng: random.Random) -> None:
    cells = _cells(notebook) if rng.random() < 0.5 else [_some_cell(notebook, rng)]
    for cell in cells:
        if isinstance(cell, dict):
            cell["metadata"] = {}
            cell.pop("id", None)


def strange_text(notebook: Notebook, rng: random.Random) -> None:
    cell = _some_cell(notebook, rng)
    key = _key_of_text(cell)
    text = rng.choice(STRANGE_TEXTS)
    cell[key] = text if rng.random() < 0.5 else f"{cell.get(key, '')}\n{text}"


def strange_value(notebook: Notebook, rng: random.Random) -> None:
    """Anything in the place of any value, at any depth."""
    place: Any = notebook
    while True:
        keys: list[Any] = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = rng.choice(keys)
        if isinstance(place[key], dict | list) and place[key] and rng.random() < 0.8:
            place = place[key]
            continue
        place[key] = rng.choice(STRANGE_VALUES)
        return


def lose_key(notebook: Notebook, rng: random.Random) -> None:
    cell = _some_cell(notebook, rng)
    place = rng.choice((notebook, cell, _nbgrader(cell)))
    if place:
        del place[rng.choice(list(place))]


def no_cell(notebook: Notebook, rng: random.Random) -> None:
    cells = _cells(notebook)
    cells.insert(rng.randrange(len(cells) + 1), rng.choice(STRANGE_VALUES))


def other_language(notebook: Notebook, rng: random.Random) -> None:
    language = rng.choice(("R", "julia", "\ud800", 3))
    notebook["metadata"] = {"kernelspec": {"language": language}, "language_info": language}


def truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def lose_slice(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start + rng.randrange(200) :]


def flip_bytes(data: bytes, rng: random.Random) -> bytes:
    spoilt = bytearray(data)
    for _ in range(rng.choice((1, 3, 30))):
        spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
    return bytes(spoilt)


def insert_bytes(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    junk = rng.choice((b"\xff\xfe", b"<<<<<<< HEAD\n", b"NaN", b'"', b"\\ud800", b"[" * 5000))
    return data[:start] + junk + data[start:]


def other_encoding(data: bytes, rng: random.Random) -> bytes:
    encoding = rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7"))
    return data.decode().encode(encoding, "replace")


def other_file(data: bytes, rng: random.Random) -> bytes:
    kinds = (b"", b" \n", b"PK\x03\x04", b"%PDF-1.7", b"<html>", b"null", b"[]", b"{}", b'"a"')
    return rng.choice((*kinds, rng.randbytes(1000), b'{"cells": []}', b'{"cells": [{}]}'))


def line_ends(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b"\\n", rng.choice((b"\\r\\n", b"\\r", b"\\u2028")))


STRUCTURE: tuple[Change, ...] = (
    delete_cell,
    copy_cell,
    swap_cells,
    shuffle_cells,
    join_cells,
    split_cell,
    change_type,
    change_id,
    swap_ids,
    change_flag,
    lose_metadata,
    strange_text,
    strange_value,
    lose_key,
    no_cell,
    other_language,
)
BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    truncate,
    lose_slice,
    flip_bytes,
    insert_bytes,
    other_encoding,
    other_file,
    line_ends,
)
