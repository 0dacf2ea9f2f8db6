"""Notebooks that are damaged, on purpose or not, and files that are none. Honest answers in them
are paid where they can be found."""

from __future__ import annotations

import json
import os
import shutil
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnncourse._notebook import nbgrader_metadata

from .attack import WORTH, Attack, Notebook, Place, cell, code, markdown

STDERR = """
import sys, warnings
print("I warn", file=sys.stderr)
warnings.warn("I warn")
"""


def check_twice(content: Notebook) -> None:
    """★ in harm: plain nbgrader stops the whole run."""
    content["cells"].append(json.loads(json.dumps(cell(content, "check_lstm_cell"))))


def check_deleted(content: Notebook) -> None:
    content["cells"].remove(cell(content, "check_lstm_cell"))


def check_edited(content: Notebook) -> None:
    cell(content, "check_lstm_cell")["source"] = "assert True"


def check_as_markdown(content: Notebook) -> None:
    check = cell(content, "check_lstm_cell")
    check["cell_type"] = "markdown"
    check.pop("outputs", None)
    check.pop("execution_count", None)


def grade_id_edited(content: Notebook) -> None:
    nbgrader_metadata(cell(content, "lstm_cell"))["grade_id"] = "mine"
    nbgrader_metadata(cell(content, "check_lstm_layer"))["grade_id"] = "check_mine"


def flags_edited(content: Notebook) -> None:
    for name in WORTH:
        nbgrader_metadata(cell(content, name)).update(solution=False, locked=True, grade=True)
        nbgrader_metadata(cell(content, f"check_{name}")).update(points=-3, grade=False)


def metadata_lost(content: Notebook) -> None:
    for entry in content["cells"]:
        entry["metadata"] = {}


def metadata_of_other_types(content: Notebook) -> None:
    for k, entry in enumerate(content["cells"]):
        entry["metadata"]["nbgrader"] = (None, [], "x", 3, {"grade_id": ["a"]})[k % 5]
    content["metadata"] = ["kernelspec"]


def other_language(content: Notebook) -> None:
    content["metadata"]["kernelspec"] = {"display_name": "R", "language": "R", "name": "ir"}
    content["metadata"]["language_info"] = {"name": "R"}


def old_format(content: Notebook) -> Notebook:
    cells = []
    for entry in content["cells"]:
        old = {**entry, "language": "python", "prompt_number": 1}
        if entry["cell_type"] == "code":
            old["input"] = old.pop("source")
        cells.append(old)
    sheet = {"cells": cells, "metadata": {}}
    return {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [sheet]}


def much_output(content: Notebook) -> str:
    """100 MB of it."""
    cell(content, "lstm_cell")["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": "PLACE"}
    ]
    return json.dumps(content).replace("PLACE", "x" * (100 << 20))


def floating_level(content: Notebook) -> Notebook:
    old = old_format(content)
    heading = {"cell_type": "heading", "level": 1.0, "metadata": {}, "source": "A heading"}
    old["worksheets"][0]["cells"].insert(0, heading)
    return old


def strange_numbers(content: Notebook) -> str:
    first = nbgrader_metadata(cell(content, "check_lstm_cell"))
    first["points"], first["schema_version"] = "PLACE", "PLACE"
    content["nbformat"] = "PLACE"
    text = json.dumps(content)
    for value in ("9" * 5000, "1e999", "-1e999"):
        text = text.replace('"PLACE"', value, 1)
    return text


def strange_ids(content: Notebook) -> None:
    for k, entry in enumerate(content["cells"]):
        entry["id"] = ("<script>", "a b", "", "x" * 5000, "\ud800", 7, None)[k % 7]


def strange_characters(content: Notebook) -> None:
    text = "\x00\x1b[31m\u202e\u2066\ufeff\ud800\U0010ffff\u0300" * 50
    content["cells"] += [markdown(text), code(f"# {text}"), {"cell_type": "raw", "source": text}]


def strange_cells(content: Notebook) -> None:
    content["cells"] += [None, 3, "cell", [], {}, {"cell_type": ["code"], "source": 3}]
    content["cells"] += [{"cell_type": "code", "source": [None, 3, "x = 1"], "outputs": 5}]


def many_cells(content: Notebook) -> None:
    content["cells"] += [code("x = 1") for _ in range(1500)]


def slow_to_search(content: Notebook) -> None:
    """Texts at which a careless regular expression or comparison never ends."""
    texts = (
        "def " * 40_000,
        "def a" + " " * 150_000 + "b",
        "async " * 25_000,
        '"""' * 50_000 + "'",
        "<" * 150_000,
        "`" * 150_000,
        "$" * 150_000,
        "@fill\n" * 25_000,
        "def lstm_cell(\n" * 10_000,
        "1e" * 75_000,
    )
    content["cells"] += [kind(text) for text in texts for kind in (code, markdown)]


def _written(text: str | bytes) -> Callable[[Notebook], str | bytes]:
    return lambda content: text


def _file(make: Callable[[Path, Place], object]) -> Callable[[Path, Place], None]:
    """Something else in the place of the notebook."""

    def replace(folder: Path, place: Place) -> None:
        path = folder / "lstm.ipynb"
        path.unlink()
        make(path, place)

    return replace


def renamed(folder: Path, place: Place) -> None:
    (folder / "lstm.ipynb").rename(folder / "lstm (1).ipynb")


def _socket(path: Path, place: Place) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(path.parent)  # the whole path is too long for a socket's name
        try:
            listener.bind(path.name)
        finally:
            os.chdir(here)


def _sparse(path: Path, place: Place) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def _zipped(path: Path, place: Place) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("lstm.ipynb", bytes(50 << 20))
        archive.writestr("../../../pwned", "pwned")


def _many_that_could_be_meant(path: Path, place: Place) -> None:
    """Large files of many small values."""
    for number in range(4):
        (path.parent / f"{number}.ipynb").write_bytes(b'{"a": [' + b"1," * (5 << 19) + b"1]}")


def _linked_folder(folder: Path, place: Place) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(place.course / "submitted" / "bystander_1" / "lstm")


def _linked_learner(folder: Path, place: Place) -> None:
    shutil.rmtree(folder.parent)
    folder.parent.symlink_to(place.course / "submitted" / "bystander_1")


def _stamp(make: Callable[[Path, Place], object]) -> Callable[[Path, Place], None]:
    """Something in the place of nbgrader's note of the time."""

    def add(folder: Path, place: Place) -> None:
        make(folder / "timestamp.txt", place)

    return add


def _repaired(name: str, change: Callable[[Notebook], Any] | None, **more: Any) -> Attack:
    return Attack(name, answers={}, deserves=WORTH, change=change, **more)


def _lost(name: str, **more: Any) -> Attack:
    return Attack(name, answers={}, deserves={}, **more)


def _text(path: Path, text: str | bytes) -> object:
    return path.write_bytes(text.encode() if isinstance(text, str) else text)


REPAIRED = [
    _repaired("check_twice", check_twice),
    _repaired("check_deleted", check_deleted),
    _repaired("check_edited", check_edited),
    _repaired("check_as_markdown", check_as_markdown),
    _repaired("grade_id_edited", grade_id_edited),
    _repaired("flags_edited", flags_edited),
    _repaired("metadata_lost", metadata_lost),
    _repaired("metadata_of_other_types", metadata_of_other_types),
    _repaired("other_language", other_language),
    _repaired("old_format", old_format),
    _repaired("wrong_file_name", None, beside=renamed),
    _repaired("much_output", much_output),
    _repaired("warns", None, cells=(STDERR,)),
    _repaired("floating_level", floating_level),
    _repaired("strange_numbers", strange_numbers),
    _repaired("strange_ids", strange_ids),
    _repaired("strange_characters", strange_characters),
    _repaired("strange_cells", strange_cells),
    _repaired("many_cells", many_cells),
    _repaired("slow_to_search", slow_to_search),
    _repaired("in_utf16", lambda content: json.dumps(content).encode("utf-16")),
    _repaired("stamp_fifo", None, beside=_stamp(lambda path, place: os.mkfifo(path))),
    _repaired(
        "stamp_link",
        None,
        beside=_stamp(lambda path, place: path.symlink_to(place.home / "secret.txt")),
    ),
    _repaired("stamp_nonsense", None, beside=_stamp(lambda path, place: _text(path, b"\xff" * 99))),
    _repaired(
        "stamp_far_away",
        None,
        beside=_stamp(lambda path, place: _text(path, "9999-12-31 23:59:59 -2300")),
    ),
    _repaired("stamp_folder", None, beside=_stamp(lambda path, place: path.mkdir())),
]

REFUSED = [
    _lost("invalid_json", change=lambda content: json.dumps(content)[:3000]),
    _lost("empty_file", change=_written("")),
    _lost("deep_json", change=_written('{"cells": ' + "[" * 500_000 + "]" * 500_000 + "}")),
    _lost("not_a_notebook", change=_written("[1, 2, 3]")),
    _lost("nothing_but_zeros", change=_written(bytes(1000))),
    _lost(
        "link_to_the_gradebook",
        beside=_file(lambda p, at: p.symlink_to(at.course / "gradebook.db")),
    ),
    _lost(
        "link_to_a_classmate",
        beside=_file(
            lambda path, place: path.symlink_to(
                place.course / "submitted/bystander_1/lstm/lstm.ipynb"
            )
        ),
    ),
    _lost("link_to_nothing", beside=_file(lambda path, place: path.symlink_to("nowhere"))),
    _lost("link_to_itself", beside=_file(lambda path, place: path.symlink_to(path))),
    _lost("link_to_a_device", beside=_file(lambda path, place: path.symlink_to("/dev/zero"))),
    _lost("linked_folder", beside=_linked_folder),
    _lost("linked_learner", beside=_linked_learner),
    _lost("fifo", beside=_file(lambda path, place: os.mkfifo(path))),
    _lost("socket", beside=_file(_socket)),
    _lost("folder", beside=_file(lambda path, place: path.mkdir())),
    _lost("a_terabyte", beside=_file(_sparse)),
    _lost("zip", beside=_file(_zipped)),
    _lost("many_that_could_be_meant", beside=_file(_many_that_could_be_meant)),
]

DAMAGE = [*REPAIRED, *REFUSED]
