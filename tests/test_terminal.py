"""What a learner's notebook can do to a terminal: real processes, real folders.

A command takes seconds, most of them to load torch. So one workspace has many faults, one command
meets them all, and many tests look at what it said.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rnncourse._errors import CourseError
from rnncourse._exercise import exercises
from rnncourse._notebook import grade_id
from rnncourse._terminal.names import assignment, targets
from rnncourse._workspace import read
from tests.test_cli import rnncourse
from tools.demonstration.learners import ENDLESS_LOOP, filled, solutions

ROOT = Path(__file__).parents[1]
HANGS = 600
"""Seconds after which a test is sure that something hangs."""

SWALLOWS = """
@fill
def pack_gates(w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o):
    import time
    while True:
        try:
            time.sleep(1000)
        except BaseException:
            pass
"""
PRINTS = """
@fill
def set_forget_bias(b_ih, b_hh, value):
    print('{"event": "done"}')
    return b_ih, b_hh
"""
OWN_CELLS = {
    "matplotlib": "%matplotlib inline\n%config InlineBackend.figure_format = 'svg'\nmagic = 1",
    "beside": "import helper\nopen('mine.txt').read()\nassert helper.here and magic",
    "channel": "import os\nos.write(1, b'{\"event\": \"done\"}\\n')\nprint('printed in a cell')",
    "pip": "!pip install nothing-at-all\n%pip install nothing-at-all\nafter_pip = 1",
    "colab": "from google.colab import drive",
    "exit": "exit()",
    "sys_exit": "import sys\nassert after_pip\nsys.exit(3)",
    "os_exit": "import os\nos._exit(7)",
    "input": "name = input('Your name? ')",
    "loop": "while True:\n    try:\n        x = 1\n    except Exception:\n        pass",
    "loop_in_c": "sum(iter(int, 1))",
    "last": "undefined_name",
}
MISSING = {
    "mounts": "from google.colab import drive\nsizes = drive.load('/content/sizes')",
    "uses": "total = sum(sizes)",
    "fills": """
from rnncourse import fill
@fill
def parameter_count(
    input_size, hidden_size, num_layers=1, gates=1, bias=True, bidirectional=False
):
    return total
""",
}


def with_cells(text: str, cells: dict[str, str]) -> str:
    """A notebook with cells of the learner's own, by a name that their first line gets."""
    notebook = json.loads(text)
    own: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": []}
    own["execution_count"] = None
    notebook["cells"] += [own | {"source": f"# {name}\n{code}"} for name, code in cells.items()]
    return json.dumps(notebook)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace: a broken notebook, one that is a link, and one with every fault."""
    folder = tmp_path_factory.mktemp("faulty")
    for chapter in ("rnn", "lstm", "shapes"):
        (folder / chapter).mkdir()
    (folder / "rnn/rnn.ipynb").write_text("{", encoding="utf-8")
    shapes = (ROOT / "exercises/shapes/shapes.ipynb").read_text("utf-8")
    (folder / "elsewhere.ipynb").write_text(with_cells(shapes, MISSING), "utf-8")
    (folder / "shapes/shapes.ipynb").symlink_to(folder / "elsewhere.ipynb")
    answers = solutions() | {
        "lstm_layer": ENDLESS_LOOP,
        "pack_gates": SWALLOWS,
        "set_forget_bias": PRINTS,
    }
    (folder / "lstm/lstm.ipynb").write_text(with_cells(filled(answers), OWN_CELLS), "utf-8")
    (folder / "lstm/helper.py").write_text("here = True\n", encoding="utf-8")
    (folder / "lstm/mine.txt").write_text("mine", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def checked(faulty: Path) -> subprocess.CompletedProcess[str]:
    limits = "--seconds", "3", "--cell-seconds", "2"
    return rnncourse("check", *limits, cwd=faulty)


def test_the_rest_is_reported_around_what_never_ends(
    checked: subprocess.CompletedProcess[str],
) -> None:
    assert checked.returncode == 1
    said = checked.stdout
    assert "✓ lstm_cell: 13 of 13 public checks passed" in said
    assert (
        "✗ lstm_layer did not end within 3 seconds of computing time: "
        "is there a loop that never stops?"
    ) in said
    assert (
        "✗ pack_gates did not end: it waited or slept for 9 seconds. Is there a time.sleep" in said
    )
    assert "✓ unpack_gates: 10 of 10 public checks passed" in said
    assert "✗ set_forget_bias: 2 of 7 public checks passed." in said
    assert said.index("lstm/lstm.ipynb") < said.index("lstm_cell")


def test_what_a_function_prints_is_shown_as_that(
    checked: subprocess.CompletedProcess[str],
) -> None:
    assert '      it printed: {"event": "done"}\n' in checked.stdout
    assert "printed in a cell" not in checked.stdout


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("colab", ": ModuleNotFoundError: No module named 'google"),
        ("exit", ": SystemExit: it called exit, which ends the whole program"),
        ("sys_exit", ": SystemExit: it called exit, which ends the whole program"),
        ("os_exit", " ended the whole process, with exit status 7."),
        ("input", ": EOFError: nobody is there to answer input(), in the line:"),
        ("loop", " did not end within 2 seconds of computing time"),
        ("loop_in_c", " did not end within 2 seconds of computing time"),
        ("last", ": NameError: name 'undefined_name' is not defined, in the line:"),
    ],
)
def test_each_cell_is_named_with_what_it_did(
    checked: subprocess.CompletedProcess[str], cell: str, sentence: str
) -> None:
    assert f"  the cell “# {cell}”{sentence}" in checked.stdout


def test_a_missing_name_is_traced_to_the_cell_that_failed(
    checked: subprocess.CompletedProcess[str],
) -> None:
    first = "the cell “# mounts” ended with ModuleNotFoundError: No module named 'google"
    assert f"(sizes is not defined: {first}" in checked.stdout
    assert (
        "parameter_count: total is not defined: the cell “# uses” ended with NameError: name "
        "'sizes' is not defined"
    ) in checked.stdout


@pytest.mark.parametrize("cell", ["matplotlib", "beside", "channel"])
def test_what_works_in_jupyter_is_no_error(
    checked: subprocess.CompletedProcess[str], cell: str
) -> None:
    assert f"# {cell}”" not in checked.stdout


def test_other_programs_are_not_run(checked: subprocess.CompletedProcess[str]) -> None:
    assert "the cell “# pip”: “pip install nothing-at-all” is not run" in checked.stdout
    assert "the cell “# pip”: N" not in checked.stdout


def test_a_broken_notebook_hides_no_other_and_a_link_is_read(
    checked: subprocess.CompletedProcess[str],
) -> None:
    assert checked.stderr == ("rnncourse: rnn.ipynb is not a notebook: its content is broken.\n"), (
        checked.stderr
    )
    assert "rnn_output_shapes is not filled in yet" in checked.stdout
    assert "\x1b" not in checked.stdout


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with an untouched notebook, and one that is broken."""
    folder = tmp_path_factory.mktemp("plain")
    for chapter in ("shapes", "clipping"):
        (folder / chapter).mkdir()
    shutil.copy(ROOT / "exercises/shapes/shapes.ipynb", folder / "shapes")
    (folder / "clipping/clipping.ipynb").write_text("[]", encoding="utf-8")
    return folder


def test_progress_on_a_narrow_screen_in_gbk(plain: Path) -> None:
    done = rnncourse("progress", cwd=plain, PYTHONIOENCODING="gbk", COLUMNS="40")
    assert done.returncode == 1
    assert done.stderr.startswith("rnncourse: clipping.ipynb is not a notebook of format 4")
    assert done.stderr.count("\n") == 1
    assert done.stdout.splitlines() == [
        "shapes rnn_output_shapes, 0 of 7, not filled in",
        "shapes parameter_count, 0 of 8, not filled in",
        "shapes last_valid, 0 of 10, not filled in",
        "clipping state_gradient_norms, cannot be read",
        "clipping global_norm, cannot be read",
        "clipping clip_by_global_norm, cannot be read",
        "clipping clip_by_value, cannot be read",
        "clipping clipped_training_step, cannot be read",
    ]


def test_one_exercise_in_ascii(plain: Path) -> None:
    done = rnncourse("check", "last_valid", cwd=plain / "shapes", PYTHONIOENCODING="ascii")
    assert done.returncode == 1 and done.stderr == "", done
    assert done.stdout == (
        "../shapes/shapes.ipynb\n"
        "- last_valid is not filled in yet. It is an exercise of the notebook shapes.ipynb.\n"
    )


def test_submit_from_a_chapters_folder_says_that_nothing_is_filled(plain: Path) -> None:
    done = rnncourse("submit", "SHAPES", cwd=plain / "shapes", PYTHONIOENCODING="cp1252")
    assert done.returncode == 0, done
    assert done.stdout.startswith("Nothing is filled in yet.")
    assert "Hand in this file: ../submit/shapes.ipynb\n" in done.stdout
    assert (plain / "submit/shapes.ipynb").is_file()
    assert not (plain / "shapes/submit").exists()


def test_a_notebook_without_answers_is_not_handed_in(tmp_path: Path) -> None:
    notebook = json.loads((ROOT / "exercises/lstm/lstm.ipynb").read_text("utf-8"))
    names = {entry.name for entry in exercises().values()}
    notebook["cells"] = [cell for cell in notebook["cells"] if grade_id(cell) not in names]
    (tmp_path / "lstm.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    done = rnncourse("submit", "lstm.ipynb", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("rnncourse: lstm.ipynb has no cell for an answer")
    assert [path.name for path in tmp_path.iterdir()] == ["lstm.ipynb"]


def test_a_folder_that_is_a_file_gets_one_sentence_in_any_encoding(tmp_path: Path) -> None:
    (tmp_path / "课程").write_text("mine", encoding="utf-8")
    done = rnncourse("start", "课程", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert done.stderr == "rnncourse: ?? is a file; the exercises go into a folder of their own.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no Ctrl-C to send")
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_stops_what_runs_and_says_so(tmp_path: Path) -> None:
    cell = "import os, pathlib\npathlib.Path('running').write_text(str(os.getpid()))\nwhile 1: pass"
    text = (ROOT / "exercises/lstm/lstm.ipynb").read_text("utf-8")
    (tmp_path / "lstm.ipynb").write_text(with_cells(text, {"mine": cell}), encoding="utf-8")
    command = [sys.executable, "-m", "rnncourse", "submit", "lstm", "--cell-seconds", str(HANGS)]
    running = tmp_path / "running"
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        end = time.monotonic() + HANGS
        while not (running.exists() and running.read_text()):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=HANGS)
    assert process.returncode == 130
    said = "stopped: the cell “# mine” was running. Nothing was changed or written."
    assert (out, err) == ("", f"rnncourse: {said}\n")
    with pytest.raises(ProcessLookupError):
        os.kill(int(running.read_text()), 0)
    assert not (tmp_path / "submit").exists()


def on_a_screen(folder: Path, **environment: str) -> bytes:
    """What a terminal gets from `rnncourse check rnn_output_shapes`."""
    import pty

    mine, theirs = pty.openpty()
    base = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"}
    command = [sys.executable, "-m", "rnncourse", "check", "rnn_output_shapes"]
    with subprocess.Popen(
        command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=base | environment
    ):
        os.close(theirs)
        said = b""
        while chunk := _read(mine):
            said += chunk
    os.close(mine)
    assert b"rnn_output_shapes is not filled in yet" in said, said
    return said


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo-terminal")
def test_a_screen_gets_colours(plain: Path) -> None:
    said = on_a_screen(plain)
    assert b"\x1b[1;" in said and "· ".encode() in said, said


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo-terminal")
def test_a_screen_without_colours_gets_plain_text(plain: Path) -> None:
    assert b"\x1b" not in on_a_screen(plain, NO_COLOR="1")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # the other side is closed
        return b""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which only names matter."""
    folder = tmp_path_factory.mktemp("names")
    for chapter in ("shapes", "lstm", "rnn"):
        (folder / chapter).mkdir()
        (folder / chapter / f"{chapter}.ipynb").write_text("{}", encoding="utf-8")
    (folder / "lstm/lstm (1).ipynb").write_text("{}", encoding="utf-8")
    (folder / "rnn/rnn.ipynb").rename(folder / "rnn/rnn-Copy1.ipynb")
    (folder / "submit").mkdir()
    return folder


@pytest.mark.parametrize("place", [".", "lstm", "shapes", "submit"])
@pytest.mark.parametrize(
    "typed", ["lstm", "LSTM", "lstm.ipynb", "lstm/", "lstm/lstm.ipynb", "LSTM.ipynb", "./lstm"]
)
def test_a_notebook_is_found_however_it_is_typed(workspace: Path, place: str, typed: str) -> None:
    (found,) = targets([typed], workspace / place)
    assert found.path.samefile(workspace / "lstm/lstm.ipynb")
    assert len(found.exercises) == 5
    assert assignment(typed, workspace / place) == found


def test_a_link_to_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "lstm.ipynb").symlink_to(tmp_path / "gone.ipynb")
    with pytest.raises(CourseError, match="lstm.ipynb is a link to a file that is not there"):
        read(assignment("lstm", tmp_path).path)


def test_exercises_of_one_notebook_are_tried_together(workspace: Path) -> None:
    both, other = targets(["lstm_layer", "last-valid", "LSTM_cell"], workspace / "submit")
    assert (both.chapter, both.exercises) == ("lstm", ("lstm_cell", "lstm_layer"))
    assert (other.chapter, other.exercises) == ("shapes", ("last_valid",))


def test_without_a_name_it_is_all_or_the_folder_that_one_is_in(workspace: Path) -> None:
    assert [found.chapter for found in targets([], workspace)] == ["shapes", "lstm"]
    assert [found.chapter for found in targets([], workspace / "lstm")] == ["lstm"]
    assert [found.chapter for found in targets([], workspace / "submit")] == ["shapes", "lstm"]
    assert [found.chapter for found in targets([str(workspace)], Path())] == ["shapes", "lstm"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("lsmt", "there is no notebook or exercise called lsmt: did you mean lstm?"),
        ("lsmt.ipynb", "called lsmt.ipynb: did you mean lstm?"),
        ("lstm_cel", "did you mean lstm_cell?"),
        ("zzz", "called zzz: there are shapes, rnn,"),
        ("essay.ipynb", "essay.ipynb is no notebook of the course: there is shapes.ipynb"),
        ("lstm/lstm (1).ipynb", "lstm (1).ipynb looks like a copy of lstm.ipynb, and nothing is"),
        ("rnn", "rnn-Copy1.ipynb looks like a copy of rnn.ipynb, and nothing is guessed."),
        ("gru", "there is no gru.ipynb in"),
        ("nowhere/gru.ipynb", "there is no file nowhere/gru.ipynb."),
        ("", "an empty name means no notebook or exercise: there are shapes, rnn,"),
    ],
)
def test_a_name_that_means_nothing_gets_a_suggestion(
    workspace: Path, typed: str, sentence: str
) -> None:
    with pytest.raises(CourseError) as refused:
        targets([typed], workspace)
    assert sentence in str(refused.value)


def test_an_exercise_is_not_handed_in_by_itself(workspace: Path) -> None:
    with pytest.raises(CourseError, match="handed in as a whole: rnncourse submit lstm"):
        assignment("lstm_cell", workspace)
