"""What is taken in names a kernel that no machine has: nothing runs it by itself, and the grader
finds all else as it was handed in."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest

from rnncourse.grading.checkout import Checkout
from rnncourse.grading.course import Course
from rnncourse.grading.kernel import MISSING_KERNEL, with_missing_kernel
from rnncourse.grading.record import from_json
from rnncourse.grading.sandbox.launch import obstacle
from rnncourse.grading.submissions.budget import Budget, SpentError
from rnncourse.grading.submissions.parse import FormatError, parse
from rnncourse.grading.submissions.submission import read
from tests import strength
from tests.grading.class_dump import dump
from tests.grading.nbgrader_course import (
    environment,
    essay,
    hand_in,
    nbgrader,
    new_course,
    rnncourse_grade,
)
from tools.demonstration.learners import ROOT, filled, solutions, write_class

NO_SANDBOX = obstacle()
SEED = '{"seed": 12345}\n'
HANDED_IN = "2026-03-01 10:00:00 UTC"
NOT_FOUND = f"No such kernel named {MISSING_KERNEL}"

Done = subprocess.CompletedProcess[str]


def command(folder: Path, home: Path, *words: str) -> Done:
    """Run a command of Python's or Jupyter's in a folder."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )


def writing(marker: Path, **metadata: Any) -> str:
    """A notebook that leaves a file when it is run."""
    notebook = json.loads(essay("An answer.", f"open({str(marker)!r}, 'w').close()"))
    notebook["metadata"] |= {"language_info": {"name": "python"}, **metadata}
    return json.dumps(notebook, indent=1)


def taken_by_rnncourse(course: Path, text: str) -> Done:
    files = course.parent / "handed-in"
    files.mkdir(exist_ok=True)
    (files / "ada.ipynb").write_text(text, "utf-8")
    return command(course, course, "rnncourse", "collect", str(files), "lstm")


def taken_by_nbgrader(course: Path, text: str, assignment: str = "lstm") -> Done:
    exchange = course.parent / "exchange"
    folder = exchange / f"class/inbound/ada+{assignment}+{HANDED_IN}+x"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{assignment}.ipynb").write_text(text, "utf-8")
    (folder / "timestamp.txt").write_text(HANDED_IN, "utf-8")
    return nbgrader(course, "collect", assignment)


Taking = Callable[[Path, str], Done]
WAYS = [taken_by_rnncourse, taken_by_nbgrader]


@pytest.fixture
def course(tmp_path: Path) -> Path:
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    return new_course(tmp_path / "class", f"c.Exchange.root = {str(exchange)!r}")


def kernel(path: Path) -> str:
    return str(json.loads(path.read_bytes())["metadata"]["kernelspec"]["name"])


VALIDATE, EXECUTE = ("nbgrader", "validate"), ("jupyter", "execute")


@pytest.mark.long
@pytest.mark.parametrize("take", WAYS)
def test_no_command_runs_what_was_taken_in(course: Path, take: Taking) -> None:
    marker = course.parent / "marker"
    done = take(course, writing(marker))
    assert done.returncode == 0, done.stderr
    path = course / "submitted/ada/lstm/lstm.ipynb"
    places = [(path.parent, "lstm.ipynb", VALIDATE), (course.parent, str(path), EXECUTE)]
    others = [(path.parent, "lstm.ipynb", EXECUTE), (course.parent, str(path), VALIDATE)]
    for folder, name, verb in places + others * strength.full():
        ran = command(folder, course, *verb, name)
        assert ran.returncode == 1 and NOT_FOUND in ran.stderr
    assert not marker.exists()


@pytest.mark.parametrize("verb", [VALIDATE, EXECUTE])
def test_the_same_commands_run_the_file_as_it_was_handed_in(
    course: Path, verb: tuple[str, ...]
) -> None:
    marker = course.parent / "marker"
    hand_in(course, "ada", writing(marker))
    ran = command(course / "submitted/ada/lstm", course, *verb, "lstm.ipynb")
    assert ran.returncode == 0 and marker.exists()


@pytest.mark.only_long
def test_no_command_runs_what_formgrader_shows(course: Path) -> None:
    if NO_SANDBOX:
        pytest.skip(NO_SANDBOX)
    hand_in(course, "ada", filled(solutions()))
    assert rnncourse_grade(course).returncode == 0
    folder = course / "autograded/ada/lstm"
    for verb in (VALIDATE, EXECUTE):
        ran = command(folder, course, *verb, "lstm.ipynb")
        assert ran.returncode == 1 and NOT_FOUND in ran.stderr
    nbformat.validate(nbformat.read(folder / "lstm.ipynb", as_version=4))


def test_a_second_collect_finds_the_same_file(course: Path) -> None:
    text = writing(course.parent / "marker")
    path = course / "submitted/ada/lstm/lstm.ipynb"
    assert "1 new." in taken_by_rnncourse(course, text).stdout
    first = path.read_bytes()
    assert "1 there already." in taken_by_rnncourse(course, text).stdout
    assert path.read_bytes() == first
    path.write_text(text, "utf-8")  # by hand
    assert "1 there already." in taken_by_rnncourse(course, text).stdout
    assert "1 kept." in taken_by_rnncourse(course, text.replace("answer", "Answer")).stdout


def test_nbgraders_collect_changes_nothing_else(course: Path) -> None:
    text = writing(course.parent / "marker")
    folder = course / "submitted/ada/lstm"
    assert taken_by_nbgrader(course, text).returncode == 0
    (inbound,) = (course.parent / "exchange/class/inbound").iterdir()
    assert (inbound / "lstm.ipynb").read_text("utf-8") == text
    assert {path.name for path in folder.iterdir()} == {"lstm.ipynb", "timestamp.txt"}
    assert (folder / "timestamp.txt").read_text("utf-8") == HANDED_IN
    for original in inbound.iterdir():
        before, after = original.stat(), (folder / original.name).stat()
        assert (before.st_mtime_ns, before.st_mode) == (after.st_mtime_ns, after.st_mode)
    again = nbgrader(course, "collect", "lstm", "--update")
    assert "No newer submission to collect: ada lstm" in again.stderr


def test_all_notebooks_of_a_hand_in_name_it(course: Path) -> None:
    bash = {"display_name": "Bash", "language": "bash", "name": "bash"}
    inside = course.parent / f"exchange/class/inbound/ada+lstm+{HANDED_IN}+x/more"
    inside.mkdir(parents=True)
    (inside / "helper.ipynb").write_text(writing(course.parent / "marker", kernelspec=bash))
    (inside / "data.txt").write_text("{}")
    assert taken_by_nbgrader(course, "{").returncode == 0
    folder = course / "submitted/ada/lstm"
    assert kernel(folder / "more/helper.ipynb") == MISSING_KERNEL
    assert (folder / "more/data.txt").read_text() == (folder / "lstm.ipynb").read_text() + "}"


@pytest.mark.only_long
def test_nbgrader_grades_what_it_may_run_with_the_instructors_kernel(course: Path) -> None:
    with (course / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write("c.CourseGrader.unsandboxed = ['essay']\n")
    (course / "source/essay").mkdir()
    (course / "source/essay/essay.ipynb").write_text(essay("Why do gates help?"), "utf-8")
    assert nbgrader(course, "generate_assignment", "essay").returncode == 0
    assert (
        taken_by_nbgrader(course, essay("They remember.", "print(6 * 7)"), "essay").returncode == 0
    )
    assert kernel(course / "submitted/ada/essay/essay.ipynb") == MISSING_KERNEL
    done = nbgrader(course, "autograde", "essay")
    assert done.returncode == 0, done.stderr
    assert "42" in (course / "autograded/ada/essay/essay.ipynb").read_text("utf-8")


@pytest.mark.only_long
@pytest.mark.skipif(NO_SANDBOX is not None, reason=str(NO_SANDBOX))
def test_marks_and_digests_are_those_of_the_original(course: Path, tmp_path: Path) -> None:
    """A class copied by hand and graded by rnncourse, and the same class collected and graded by
    nbgrader."""
    original = new_course(tmp_path / "original/class")
    write_class(original)
    for each in (original, course):
        (each / "records").mkdir()
        (each / "records/lstm.seed.json").write_text(SEED, "utf-8")
    handed_in = str(original / "submitted")
    assert "7 new." in command(course, course, "rnncourse", "collect", handed_in, "lstm").stdout
    rnncourse_grade(original)
    nbgrader(course, "autograde", "lstm")
    source = Checkout(ROOT).source("lstm")
    places = [Course.open(each) for each in (original, course)]
    for learner in places[0].students("lstm"):
        before, after = (
            read(each.folder(learner, "lstm"), learner, "lstm", source) for each in places
        )
        assert before.code_digest == after.code_digest
        assert (before.cells, before.notebook, before.repairs, before.refused) == (
            *(after.cells, after.notebook, after.repairs, after.refused),
        )
        records = [json.loads(each.record(learner, "lstm").read_bytes()) for each in places]
        assert [record.pop("submission") for record in records] == [before.digest, after.digest]
        assert records[0] == records[1]
        for file in ("feedback", "autograded"):
            one, other = (getattr(each, file)(learner, "lstm").read_bytes() for each in places)
            assert one == other
    assert dump(places[0].gradebook) == dump(places[1].gradebook)
    assert from_json(places[1].record("ada", "lstm").read_text("utf-8")).points == 20


CELL = (
    '{"cell_type": "code", "id": "a", "metadata": {"kernelspec": {"name": "own"}}, '
    '"source": "x = \\"}{\\\\", "execution_count": null, "outputs": []}'
)
METADATA = [
    *("{}", "{ }", "[]", "null", "5", '"x"', '{"kernelspec": null}', '{"kernelspec": {}}'),
    '{"kernelspec": {"name": "bash"}, "a": [{"kernelspec": {"name": "x"}}], "b": "}\\"]{"}',
    '{"kernelspec": {"name": 5, "language": ""}, "language_info": {"name": "R"}}',
    '{"language_info": {"name": "python"}, "kernelspec": {"language": "R", "name": "ir"}}',
    '{"kernelspec": {"name": "a", "name": "b"}, "kernelspec": {"n\\u0061me": "c"}}',
    '{"kernelspec": "x", "language_info": {"v": [1, {"name": "z"}], "name": "julia"}}',
    *('{"language_info": "python"}', '{"language_info": {"version": "3"}}'),
]
FRAMES = [
    '{{"cells": [{cell}], "metadata": {metadata}, "nbformat": 4, "nbformat_minor": 5}}\n',
    '\n {{"metadata": {{"kernelspec": {{"name": "first"}}}},\n "m\\u0065tadata" : {metadata}\n, '
    '"cells": [{cell}], "nbformat": 4, "nbformat_minor": 5}}',
    '{{"nbformat": 4, "nbformat_minor": 5, "cells": [{cell}], "else": {metadata}}}',
    '{{"worksheets": [{{"cells": [{{"cell_type": "code", "input": "x", "language": "python", '
    '"outputs": []}}]}}], "metadata": {metadata}, "nbformat": 3, "nbformat_minor": 0}}',
    '{{"cells": [], "nbformat": 1, "metadata": {metadata}}}',
    '{{"cells": [], "nbformat": 1.0, "metadata": {metadata}}}',
    '{{"cells": [], "metadata": {metadata}}}',
]


def parsed(data: bytes) -> Any:
    """What the grader reads, or what it says of the file."""
    try:
        return parse(data)
    except FormatError as reason:
        return str(reason)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("metadata", METADATA)
@pytest.mark.parametrize("frame", FRAMES)
def test_whatever_a_notebook_names_it_is_replaced(frame: str, metadata: str) -> None:
    data = frame.format(cell=CELL, metadata=metadata).encode()
    for start in (b"", b"\xef\xbb\xbf"):
        edited = with_missing_kernel(start + data)
        assert parsed(edited) == parsed(start + data)
        assert with_missing_kernel(edited) == edited
        assert edited.count(b"\n") == data.count(b"\n")
        assert CELL.encode() not in data or CELL.encode() in edited
        text = edited.decode("utf-8-sig")
        with no_validation():
            found = nbformat.reads(text, as_version=4)
        assert found.metadata.kernelspec.name == MISSING_KERNEL
        language = found.metadata.get("language_info")
        assert not isinstance(language, dict) or language.get("name") in (None, MISSING_KERNEL)


@contextmanager
def no_validation() -> Iterator[None]:
    """Without a line in the log for each of these notebooks, which programs run all the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nbformat.validate", lambda *_, **__: None)
        yield


def test_only_metadata_of_the_notebook_changes() -> None:
    for path in (ROOT / "exercises").glob("*/*.ipynb"):
        data = path.read_bytes()
        before, after = json.loads(data), json.loads(with_missing_kernel(data))
        assert before.pop("metadata") | after.pop("metadata") == {
            "kernelspec": {
                "display_name": "Handed in: grade it with rnncourse grade",
                "language": "python",
                "name": MISSING_KERNEL,
            },
            "language_info": {"name": MISSING_KERNEL},
        }
        assert before == after


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"{", b"[]", b'{"cells": [}', b'{"metadata": {"kernelspec": tru}}', b"PK\x03\x04{}"),
        filled({}).encode()[:-20],
        filled({}).encode() + b"}",
        filled({}).encode("utf-16"),
        filled({}).encode("utf-16-le"),
    ],
)
def test_what_is_no_notebook_stays_as_it_is(data: bytes) -> None:
    assert with_missing_kernel(data) == data


def test_large_files_are_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = writing(Path("marker")).encode()
    small = with_missing_kernel(text)
    monkeypatch.setattr("rnncourse.grading.kernel.LARGE", 100)
    monkeypatch.setattr(json, "loads", partial(short_loads, json.loads))
    assert with_missing_kernel(text) == small
    broken = text.replace(b'"cells": [', b'"cells": [,')
    edited = with_missing_kernel(broken)
    monkeypatch.undo()
    assert parsed(edited) == parsed(broken) and "is broken in line" in str(parsed(edited))


def short_loads(loads: Callable[[bytes], Any], data: bytes) -> Any:
    assert len(data) < 100
    return loads(data)


def test_a_file_that_takes_long_to_search_ends() -> None:
    with pytest.raises(SpentError, match="takes more than 0 seconds"):
        with_missing_kernel(b'{"cells":[' + b"[]," * 3_000_000 + b"0]}", Budget(1 << 30, 1, 0))
