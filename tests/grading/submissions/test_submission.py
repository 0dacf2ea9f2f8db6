"""Files of every kind in the place of a submission."""

from __future__ import annotations

import hashlib
import json
import os
import tracemalloc
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rnncourse._notebook import source
from rnncourse.grading.checkout import Checkout
from rnncourse.grading.submissions import finding, reader
from rnncourse.grading.submissions.budget import Budget
from rnncourse.grading.submissions.submission import Source, Submission, read
from rnncourse.grading.worker.protocol import Frame, encode
from tools.demonstration.learners import ROOT, filled, solutions

RIGHT = filled(solutions()).encode()
OTHER = filled({"lstm_cell": "@fill\ndef lstm_cell(x):\n    return x"}).encode()
FOREIGN = b'{"cells": [{"cell_type": "code", "source": "x = 1"}], "nbformat": 4}'


@pytest.fixture(scope="module")
def instructors() -> Source:
    return Source(json.loads((ROOT / "solutions/lstm/lstm.ipynb").read_text("utf-8")))


@pytest.fixture
def hand_in(tmp_path: Path, instructors: Source) -> Callable[[dict[str, bytes]], Submission]:
    def handed_in(files: dict[str, bytes]) -> Submission:
        folder = tmp_path / "submitted/ada/lstm"
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
        return read(folder, "ada", "lstm", instructors)

    return handed_in


HandIn = Callable[[dict[str, bytes]], Submission]


def is_whole(submission: Submission) -> bool:
    """Whether all exercises are answered as they should be."""
    sources = {cell.source for cell in submission.cells}
    return {text.strip() for text in solutions().values()} <= sources


def test_a_submission_knows_its_file(hand_in: HandIn) -> None:
    submission = hand_in({"lstm.ipynb": RIGHT, "notes.txt": b"hello", "lstm (1).ipynb": OTHER})
    assert is_whole(submission)
    assert (submission.student, submission.assignment) == ("ada", "lstm")
    assert submission.digest == hashlib.sha256(RIGHT).hexdigest()
    assert (submission.repairs, submission.refused, submission.timestamp) == ((), "", None)


@pytest.mark.parametrize(
    "name",
    [
        "lstm (1).ipynb",
        "lstm-Copy1.ipynb",
        "LSTM.IPYNB",
        "lstm.ipynb.txt",
        "lstm.ipynb.json",
        "lstm.json",
        "Ada's LSTM, final.ipynb",
        "homework.ipynb",
        "my work/lstm.ipynb",
        "lstm.ipynb/lstm.ipynb",
    ],
)
def test_another_name_is_accepted_and_said(hand_in: HandIn, name: str) -> None:
    junk = {
        "__MACOSX/lstm.ipynb": OTHER,
        ".ipynb_checkpoints/lstm-checkpoint.ipynb": OTHER,
        "._lstm.ipynb": b"\x00\x05\x16\x07",
        "gru.ipynb": FOREIGN,
    }
    submission = hand_in({name: RIGHT, **junk})
    assert is_whole(submission)
    assert submission.repairs == (f"Your file was called '{name}'; it was graded as lstm.ipynb.",)


def test_of_several_the_one_that_holds_the_exercises_is_taken(hand_in: HandIn) -> None:
    submission = hand_in({"final.ipynb": RIGHT, "lstm (1).ipynb": FOREIGN})
    assert is_whole(submission)
    assert "'final.ipynb'" in submission.repairs[0]


def test_copies_are_no_doubt(hand_in: HandIn) -> None:
    assert is_whole(hand_in({"a.ipynb": RIGHT, "b/a.ipynb": RIGHT, "lstm-1.ipynb": RIGHT}))


def test_in_doubt_nothing_is_taken(hand_in: HandIn) -> None:
    submission = hand_in({"lstm (1).ipynb": RIGHT, "lstm (2).ipynb": OTHER})
    assert submission.refused == (
        "There is no file lstm.ipynb, but several that it could be: "
        "'lstm (1).ipynb', 'lstm (2).ipynb'."
    )
    assert submission.notebook is None and not submission.cells and not submission.digest


def test_what_is_there_instead_is_named(hand_in: HandIn) -> None:
    assert hand_in({}).refused == "There is no file lstm.ipynb."
    submission = hand_in({"lstm.zip": b"PK", "gru.ipynb": FOREIGN, ".hidden": b""})
    assert submission.refused == "There is no file lstm.ipynb, only 'gru.ipynb', 'lstm.zip'."


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "is empty."),
        (b" \n\t", "is empty."),
        (b"\xef\xbb\xbf", "is empty."),
        (RIGHT[:3000], "is not whole: it breaks off. Was all of it uploaded?"),
        (RIGHT[:-2], "is not whole: it breaks off. Was all of it uploaded?"),
        (b'{"cells": [\n<<<<<<< HEAD\n', "is no notebook: its content is broken in line 2."),
        (b"\x00\x01\x02" * 100, "is no notebook: its content is broken in line 1."),
        (b"import torch", "is no notebook: its content is broken in line 1."),
        (b"PK\x03\x04...", "is no notebook but a zip archive."),
        (b"%PDF-1.7", "is no notebook but a PDF."),
        (b"<!DOCTYPE html>", "is no notebook but a web page."),
        (b"[]", "is no notebook: it has no cells."),
        (b'{"cells": 3}', "is no notebook: it has no cells."),
        (b'{"cells": ' + b"[" * 100_000, "is no notebook: it is nested too deeply."),
        (
            b'{"cells": [' + b'{"source": "1"},' * 2000 + b'{"source": "1"}]}',
            "has more than 2000 cells.",
        ),
    ],
)
def test_what_is_no_notebook_is_refused(hand_in: HandIn, data: bytes, reason: str) -> None:
    submission = hand_in({"lstm.ipynb": data})
    assert submission.refused == f"lstm.ipynb {reason}"
    assert submission.notebook is None and not submission.cells
    assert submission.digest == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings_are_recognised(hand_in: HandIn, encoding: str) -> None:
    submission = hand_in({"lstm.ipynb": RIGHT.decode().encode(encoding)})
    assert is_whole(submission)
    assert submission.repairs == ()


def test_what_is_not_unicode_is_mended(hand_in: HandIn) -> None:
    text = RIGHT.decode().replace("    gates = ", "    # caf\u00e9\\n    gates = ")
    submission = hand_in({"lstm.ipynb": text.encode("cp1252", "replace")})
    assert "caf\u00e9" in submission.cells[2].source
    assert submission.repairs == (
        "The file was not saved as UTF-8; letters like é may have been misread.",
    )
    text = RIGHT.decode().replace("    gates = ", "    # \\ud83d\\ude00 \\ud83d\\n    gates = ")
    submission = hand_in({"lstm.ipynb": text.encode()})
    assert "# \U0001f600 \ufffd\n" in submission.cells[2].source
    assert submission.repairs == ("Some characters could not be read.",)


def test_strange_values_are_survived(hand_in: HandIn) -> None:
    notebook = json.loads(RIGHT)
    for n, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            cell["source"] = [source(cell), None, 3] if n % 2 else cell["source"]
            cell["execution_count"] = float("nan")
            cell["metadata"] |= {"x": 10**4000, "tags": 3}
            cell["outputs"] = [[["x"]], None, {"data": float("inf")}]
    notebook["metadata"] = ["no", "object"]
    notebook["nbformat"] = "four"
    submission = hand_in({"lstm.ipynb": json.dumps(notebook).encode()})
    assert is_whole(submission)
    assert submission.repairs == ()
    notebook["cells"][1:1] = [None, "text", [1]]
    submission = hand_in({"lstm.ipynb": json.dumps(notebook).encode()})
    assert is_whole(submission)
    assert submission.repairs == ("Parts of the notebook that are no cells were left out.",)


def test_of_a_key_that_is_there_twice_the_last_counts_as_in_jupyter(hand_in: HandIn) -> None:
    data = b'{"cells": [], "cells": 3, ' + RIGHT.strip()[1:]
    assert is_whole(hand_in({"lstm.ipynb": data}))


def test_the_old_format_is_converted(hand_in: HandIn) -> None:
    notebook = json.loads(RIGHT)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["input"] = cell.pop("source")
    heading = {"cell_type": "heading", "level": 2, "source": "Mine", "metadata": {}}
    sheet = {"cells": [heading, *notebook["cells"]], "metadata": {}}
    old = {"metadata": {}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [sheet]}
    submission = hand_in({"lstm.ipynb": json.dumps(old).encode()})
    assert is_whole(submission)
    assert submission.repairs == (
        "The notebook was in an old format (nbformat 3); it was converted.",
    )
    assert submission.notebook
    assert submission.notebook["cells"][0]["source"] == "## Mine"


def with_output(size: int) -> bytes:
    """The notebook with this many characters of output in its first cell of code."""
    output = '{"output_type": "stream", "name": "stdout", "text": "%s"}' % ("x" * size)
    return RIGHT.replace(b'"outputs": []', b'"outputs": [' + output.encode() + b"]", 1)


def test_large_outputs_cost_the_grader_nothing(hand_in: HandIn) -> None:
    data = with_output(100 << 20)
    without = hand_in({"lstm.ipynb": RIGHT})
    hand_in({"lstm.ipynb": data})
    tracemalloc.start()
    submission = hand_in({})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert is_whole(submission)
    assert submission.notebook == without.notebook
    assert submission.digest == hashlib.sha256(data).hexdigest()
    assert peak < 10 << 20


@pytest.mark.parametrize(
    "data, reason",
    [
        (b'{"a": [' + b"[]," * (30 << 20), "takes too much memory or time to read."),
        (b"[" * (5 << 20), "is no notebook: it is nested too deeply."),
        (b'{"cells": [], "a": ' + b"9" * (5 << 20) + b"}", None),
        (
            b'{"cells": [' + b",".join([b'{"source": "%s"}' % (b"x" * 60_000)] * 80) + b"]}",
            "holds more than 4 MB of text besides its outputs.",
        ),
    ],
    ids=["many lists", "deep", "long number", "long text"],
)
def test_bombs_do_not_go_off(hand_in: HandIn, data: bytes, reason: str | None) -> None:
    hand_in({"lstm.ipynb": data})
    tracemalloc.start()
    submission = hand_in({})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reason in submission.refused if reason else not submission.refused
    assert submission.digest == hashlib.sha256(data).hexdigest()
    assert peak < 10 << 20


def test_a_cell_that_is_too_long_costs_only_itself(hand_in: HandIn) -> None:
    notebook = json.loads(RIGHT)
    picture = f"![mine](data:image/png;base64,{'A' * 5_000_000}) is nice"
    notebook["cells"] += [
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": "x = 1\n" * 20_000},
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": "\U0001f600" * 80_000},
        {"cell_type": "markdown", "metadata": {}, "source": picture},
    ]
    submission = hand_in({"lstm.ipynb": json.dumps(notebook).encode()})
    assert is_whole(submission)
    assert submission.repairs == ("A cell of more than 80,000 characters was left out.",)
    assert submission.notebook
    assert submission.notebook["cells"][-1]["source"] == "![mine](picture) is nice"
    longest = Frame({"cell": max((c.source for c in submission.cells), key=len)})
    encode(longest)  # so long that the sandbox still takes it


def test_a_file_that_takes_too_long_is_refused(
    hand_in: HandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_PATIENCE", 0.00001)
    submission = hand_in({"lstm.ipynb": with_output(5 << 20)})
    assert submission.refused == "lstm.ipynb takes too much memory or time to read."


MEGABYTE = b'{"a": [' + b"1," * (1 << 19) + b"1]}"
TOO_MANY = {f"{n}.json": b"[]" for n in range(31)}
NOT_ONLY = "There is no file lstm.ipynb, and "


def with_budget(monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
    """Let a learner's files cost three megabytes, thirty files and a minute, but for `more`."""
    limits: dict[str, Any] = {"size": 3 << 20, "files": 30, "seconds": 60} | more
    monkeypatch.setattr(finding, "usual_budget", partial(Budget, **limits))


@pytest.mark.parametrize(
    "files, reason",
    [
        ({f"{n}.ipynb": MEGABYTE for n in range(4)}, "the files come to more than 3 MB"),
        ({f"{n}/a.json": MEGABYTE for n in range(4)}, "the files come to more than 3 MB"),
        (TOO_MANY, "there are more than 30 files"),
        ({f"{n % 3}/{n}.txt": b"" for n in range(31)}, "there are more than 30 files"),
    ],
    ids=["files", "files in folders", "many", "many in folders"],
)
def test_all_that_could_be_meant_costs_what_one_file_may(
    hand_in: HandIn, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], reason: str
) -> None:
    with_budget(monkeypatch)
    assert hand_in(files).refused == f"{NOT_ONLY}{reason}."
    assert is_whole(hand_in({"lstm.ipynb": RIGHT}))


def test_the_time_to_read_all_that_could_be_meant_is_counted(
    hand_in: HandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also that of the process that reads large files."""
    monkeypatch.setattr(reader, "LARGE", 100)
    with_budget(monkeypatch, seconds=0.001, clock=lambda: 0.0)
    submission = hand_in({"a.ipynb": MEGABYTE, "b.ipynb": MEGABYTE})
    assert submission.refused == f"{NOT_ONLY}to read the files takes more than 0.001 seconds."
    assert is_whole(hand_in({"lstm.ipynb": RIGHT}))


@pytest.mark.parametrize("name", ["lstm (1).ipynb", "zzz lstm.ipynb"])
def test_a_renamed_notebook_is_found_beside_large_files(
    hand_in: HandIn, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with_budget(monkeypatch)
    submission = hand_in({name: RIGHT} | {f"data {n}.json": MEGABYTE for n in range(4)})
    assert is_whole(submission)
    assert submission.repairs == (f"Your file was called '{name}'; it was graded as lstm.ipynb.",)


def test_a_sentence_names_a_few_of_many_files(hand_in: HandIn) -> None:
    said = hand_in({f"{n:03}.txt": b"" for n in range(500)}).refused
    assert said.startswith("There is no file lstm.ipynb, only '000.txt', '001.txt'")
    assert said.endswith("and 480 more.") and len(said) < 1000


def test_there_is_a_largest_size(hand_in: HandIn, tmp_path: Path) -> None:
    hand_in({"lstm.ipynb": b"{"})
    os.truncate(tmp_path / "submitted/ada/lstm/lstm.ipynb", reader.MAX_BYTES + 1)
    assert hand_in({}).refused == "lstm.ipynb is larger than 200 MB."


def test_links_are_never_followed(tmp_path: Path, instructors: Source) -> None:
    secret = tmp_path / "secret/lstm"
    secret.mkdir(parents=True)
    (secret / "lstm.ipynb").write_bytes(RIGHT)
    submitted = tmp_path / "submitted"
    (submitted / "ada/lstm").mkdir(parents=True)
    (submitted / "ada/lstm/lstm.ipynb").symlink_to(secret / "lstm.ipynb")
    (submitted / "ben").mkdir()
    (submitted / "ben/lstm").symlink_to(secret)
    (submitted / "cem").symlink_to(tmp_path / "secret")
    (submitted / "dee/lstm").mkdir(parents=True)
    (submitted / "dee/lstm/lstm (1).ipynb").symlink_to(secret / "lstm.ipynb")
    (submitted / "dee/lstm/inner").symlink_to(secret)
    reasons = {
        "ada": "lstm.ipynb is a link to another file; links are not followed.",
        "ben": "The folder lstm is a link; links are not followed.",
        "cem": "The folder cem is a link; links are not followed.",
        "dee": "There is no file lstm.ipynb, only 'inner', 'lstm (1).ipynb'.",
    }
    for student, reason in reasons.items():
        submission = read(submitted / student / "lstm", student, "lstm", instructors)
        assert submission.refused == reason


def test_what_is_no_file_is_not_opened(tmp_path: Path, instructors: Source) -> None:
    folder = tmp_path / "submitted/ada/lstm"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "lstm.ipynb")
    os.mkfifo(folder / "timestamp.txt")
    refused = read(folder, "ada", "lstm", instructors).refused
    assert refused == "lstm.ipynb is not an ordinary file."
    (folder / "lstm.ipynb").unlink()
    (folder / "lstm.ipynb").mkdir()
    assert "There is no file lstm.ipynb" in read(folder, "ada", "lstm", instructors).refused
    assert "no folder gru" in read(folder.parent / "gru", "ada", "gru", instructors).refused
    (tmp_path / "submitted/file").write_text("")
    nothing = read(tmp_path / "submitted/file/lstm", "file", "lstm", instructors)
    assert nothing.refused == "There is no folder file."


@pytest.mark.parametrize(
    "text, time",
    [
        ("2030-02-01 10:00:00 UTC", datetime(2030, 2, 1, 10)),
        ("2030-02-01 10:00:00.5 Europe/Berlin\n", datetime(2030, 2, 1, 9, 0, 0, 500000)),
        ("2030-02-01T10:00:00", datetime(2030, 2, 1, 10)),
    ],
)
def test_the_time_of_handing_in_is_nbgraders(hand_in: HandIn, text: str, time: datetime) -> None:
    submission = hand_in({"lstm.ipynb": RIGHT, "timestamp.txt": text.encode()})
    assert (submission.timestamp, submission.repairs) == (time, ())
    assert hand_in({"lstm.ipynb": b""}).timestamp == time


@pytest.mark.parametrize("data", [b"", b"yesterday", b"\xff", b"1 2 999999999999", b"9" * 1000])
def test_a_time_that_cannot_be_read_is_ignored(hand_in: HandIn, data: bytes) -> None:
    submission = hand_in({"lstm.ipynb": RIGHT, "timestamp.txt": data})
    assert submission.timestamp is None
    assert submission.repairs == ("The file timestamp.txt cannot be read; it was ignored.",)
    assert is_whole(submission)


def test_a_sentence_can_name_any_file(hand_in: HandIn) -> None:
    submission = hand_in({"\udcff\x1b[31mlstm" + "x" * 150 + ".ipynb": FOREIGN})
    assert submission.refused.isprintable() and len(submission.refused) < 200
    submission.refused.encode()


def test_the_notebook_of_another_assignment_is_said(tmp_path: Path) -> None:
    checkout = Checkout(ROOT)
    source = checkout.source("lstm")
    for student, assignment in (("ada", "gru"), ("bilal", "lstm")):
        folder = tmp_path / student / "lstm"
        folder.mkdir(parents=True)
        notebook = ROOT / "exercises" / assignment / f"{assignment}.ipynb"
        (folder / "lstm.ipynb").write_bytes(notebook.read_bytes())
    wrong, right = (read(tmp_path / s / "lstm", s, "lstm", source) for s in ("ada", "bilal"))
    assert wrong.refused == "This looks like the notebook of gru."
    assert right.refused == ""
