"""Submissions in a real worker: honest ones, and what hostile ones try."""

from __future__ import annotations

import contextlib
import inspect
import os
import pickle
import socket
import textwrap
import threading
from pathlib import Path

import psutil
import pytest
import torch

import rnncourse.checks
from rnncourse._exercise import Function
from rnncourse.checks.drivers import Outcome
from rnncourse.checks.plan import plan_of
from rnncourse.grading.sandbox import child_session
from rnncourse.grading.sandbox.bubblewrap import version
from rnncourse.grading.sandbox.host import Worker
from rnncourse.grading.sandbox.job import ClassCalls, ExerciseRun, unknown
from rnncourse.grading.sandbox.launch import Launch, SandboxError, unsafe
from rnncourse.grading.sandbox.limits import Limits
from rnncourse.grading.sandbox.process import WorkerDiedError
from rnncourse.grading.sandbox.run_state import RunState
from rnncourse.grading.worker.protocol import Frame
from tests.grading.sandboxes import (
    NOTHING,
    Impatient,
    needs_sandbox,
    printed,
    processes,
    small,
    wait_until,
)
from tools.answers import right, solutions

pytestmark = needs_sandbox

START = "import torch\nimport torch.nn.functional as F\nfrom rnncourse import check, fill"
CHUNKS = """
@fill
def set_forget_bias(b_ih, b_hh, value):
    i, f, g, o = b_hh.chunk(4)
    return b_ih, torch.cat([i, value - b_ih.chunk(4)[1], g, o])
"""
UNPACK = """
@fill
def unpack_gates(w_ih, w_hh, b_ih, b_hh):
    w_i, w_f, w_c, w_o = torch.cat([w_hh, w_ih], dim=1).chunk(4)
    b_i, b_f, b_c, b_o = (b_ih + b_hh).chunk(4)
    return w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o
"""
QUICK = Limits(cells=3, exercise=1)


@pytest.fixture(scope="session")
def two(class_calls: ClassCalls) -> ClassCalls:
    return ClassCalls(
        {name: class_calls.cases[name] for name in ("set_forget_bias", "unpack_gates")}
    )


def as_cell(exercise: str, function: Function) -> str:
    """A function of tools/answers as a learner would write it."""
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    source = "\n".join(line for line in lines if not line.startswith("@"))
    return "@fill\n" + source.replace(f"def {function.__name__}(", f"def {exercise}(", 1)


def with_line(cell: str, line: str) -> str:
    """A cell with a line put at the beginning of its function's body."""
    head, body = cell.split("):\n", 1)
    return f"{head}):\n    {line}\n{body}"


def only_outcome(run: ExerciseRun) -> Outcome:
    return next(iter(run.outcomes.values()))


def goes_on(worker: Worker) -> bool:
    return printed(worker, "print('as ever')") == "as ever\n"


# ------------------------------------------------------------------ honest submissions


@pytest.mark.parametrize("style", range(4))
def test_honest_answers_give_what_they_give_here(
    worker: Worker, class_calls: ClassCalls, style: int
) -> None:
    chosen = {name: right("lstm", name)[style].function for name in solutions("lstm").sources}
    helpers = "def chained(*a): return lstm_layer(*a)"
    cells = [START, helpers, *(as_cell(name, f) for name, f in chosen.items())]
    run = worker.run(cells, class_calls)
    assert [cell.error for cell in run.cells] == [""] * len(cells)
    assert run.notes == {}
    for name, function in chosen.items():
        ran = run.exercises[name]
        assert (ran.ended, ran.note) == ("done", "")
        plain = {k: c for k, c in class_calls.cases[name].items() if not (k.driver or k.probed)}
        assert set(ran.outcomes) == set(class_calls.cases[name])
        for k, here in plan_of(name).run(function, plain).items():
            there = ran.outcomes[k]
            assert there.problem is None and there.gradient_problem is None
            assert set(there.arrays) == set(here.arrays)
            for array_name, array in here.arrays.items():
                torch.testing.assert_close(there.arrays[array_name], array)


def test_a_stub_that_is_not_filled_says_so(worker: Worker, two: ClassCalls) -> None:
    run = worker.run([START], two)
    for name, ran in run.exercises.items():
        assert ran.ended == "done"
        problem = only_outcome(ran).problem
        assert problem and problem.kind == "unfilled" and name in problem.text


def test_a_released_cell_left_blank_is_unfilled(worker: Worker, two: ClassCalls) -> None:
    blank = "@fill\ndef set_forget_bias(b_ih, b_hh, value):\n    raise NotImplementedError()"
    problem = only_outcome(worker.run([START, blank], two).exercises["set_forget_bias"]).problem
    assert problem and problem.kind == "unfilled"


def test_an_error_in_a_cell_does_not_stop_later_ones(worker: Worker, two: ClassCalls) -> None:
    run = worker.run([START, "print('before')\n1 / 0", "x = (", CHUNKS], two)
    assert run.cells[1].error == "ZeroDivisionError: division by zero, in the line:  1 / 0"
    assert run.cells[1].output == "before\n"
    assert run.cells[2].error.startswith("SyntaxError")
    assert only_outcome(run.exercises["set_forget_bias"]).problem is None


def test_an_error_in_a_function_is_told_with_its_line(worker: Worker, two: ClassCalls) -> None:
    broken = with_line(CHUNKS, "b_ih = b_ih @ b_hh[:3]")
    problem = only_outcome(worker.run([START, broken], two).exercises["set_forget_bias"]).problem
    assert problem and problem.kind == "raised"
    assert "RuntimeError" in problem.text and "b_ih = b_ih @ b_hh[:3]" in problem.text


@pytest.mark.parametrize(
    "line",
    [
        "b_ih = b_ih.cuda()",
        "b_ih = b_ih.to('cuda')",
        "torch.testing.assert_close(b_ih, b_ih + 1)",
        "b_ih = torch.nn.Linear(2, 2)(b_ih)",
        "import numpy; numpy.testing.assert_array_equal(1, 2)",
        "import matplotlib.pyplot as plt; plt.plot([1], [2, 3])",
        "import json; json.loads('x')",
    ],
)
def test_of_an_error_inside_a_library_the_learners_own_line_is_told(
    worker: Worker, two: ClassCalls, line: str
) -> None:
    cells = [START, with_line(CHUNKS, line)]
    problem = only_outcome(worker.run(cells, two).exercises["set_forget_bias"]).problem
    assert problem and f", in set_forget_bias:  {line}  — Given" in problem.text


@pytest.mark.parametrize("line", ["raise SystemExit(0)", "raise KeyboardInterrupt", "exit()"])
def test_leaving_python_is_an_error_like_others(worker: Worker, two: ClassCalls, line: str) -> None:
    run = worker.run([START, line, with_line(CHUNKS, line), UNPACK], two)
    assert len(run.cells) == 4
    assert run.exercises["unpack_gates"].ended == "done"
    assert only_outcome(run.exercises["unpack_gates"]).problem is None
    problem = only_outcome(run.exercises["set_forget_bias"]).problem
    assert line == "exit()" or (problem and problem.kind == "raised")


def test_an_error_without_words_is_an_error_like_others(worker: Worker, two: ClassCalls) -> None:
    silent = "class E(Exception):\n    def __str__(self): raise self\n"
    run = worker.run([START, silent + "raise E", with_line(CHUNKS, "raise E")], two)
    assert run.cells[1].error.startswith("E")
    problem = only_outcome(run.exercises["set_forget_bias"]).problem
    assert problem and problem.kind == "raised"


def test_a_forgotten_fill_is_made_good_and_reported(worker: Worker, two: ClassCalls) -> None:
    run = worker.run([START, CHUNKS.replace("@fill", "")], two)
    assert only_outcome(run.exercises["set_forget_bias"]).problem is None
    assert list(run.notes) == ["set_forget_bias"]
    assert "@fill is missing" in run.notes["set_forget_bias"]


def test_a_forgotten_fill_with_other_parameters_is_reported(
    worker: Worker, two: ClassCalls
) -> None:
    run = worker.run([START, "def set_forget_bias(b):\n    return b"], two)
    problem = only_outcome(run.exercises["set_forget_bias"]).problem
    assert problem and problem.kind == "unfilled"
    assert "lacks b_ih, b_hh, value" in run.notes["set_forget_bias"] or (
        "your function has b where" in run.notes["set_forget_bias"]
    )


def test_an_imported_stub_is_not_taken_for_the_learners(worker: Worker, two: ClassCalls) -> None:
    cells = [START, "from rnncourse.lstm import set_forget_bias", "check(set_forget_bias)"]
    run = worker.run(cells, two)
    assert run.cells[2].error == "" and run.notes == {}
    problem = only_outcome(run.exercises["set_forget_bias"]).problem
    assert problem and problem.kind == "unfilled"


def test_check_in_a_cell_fills_and_does_nothing_else(worker: Worker, two: ClassCalls) -> None:
    looping = with_line(CHUNKS.replace("@fill", ""), "while True: pass")
    cells = [START, looping, "check(set_forget_bias)", "check(3)", UNPACK]
    run = worker.run(cells, two, QUICK, only=["unpack_gates"])
    assert [cell.error for cell in run.cells] == [""] * 5
    assert run.exercises["unpack_gates"].ended == "done"


@pytest.mark.parametrize(
    "source",
    [
        "%matplotlib inline",
        "%config InlineBackend.figure_format = 'retina'",
        "%load_ext autoreload\n%autoreload 2",
        "%time sum(range(10))",
        "%%time\nsum(range(10))",
        "%%timeit -n1 -r1\nsum(range(10))",
        "!ls",
        "files = !ls",
        "%pip install torch",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
        "import asyncio\nawait asyncio.sleep(0)",
        "get_ipython().run_line_magic('who', '')",
        "len?",
        "from IPython.display import HTML, display\ndisplay(HTML('<b>a</b>'))",
        "import numpy as np\nnp.load",
        "import warnings\nwarnings.warn('beware')",
    ],
)
def test_what_notebooks_hold_besides_python_does_not_fail(worker: Worker, source: str) -> None:
    assert worker.run([source], NOTHING).cells[0].error == ""


def test_what_a_cell_shows_is_kept(worker: Worker) -> None:
    shown = printed(worker, "import sys\nprint('out')\nprint('err', file=sys.stderr)\n6 * 7")
    assert "out\n" in shown and "err\n" in shown and "42" in shown
    assert printed(worker, "from IPython.display import display\ndisplay([1, 2])") == "[1, 2]\n"


def test_errors_call_a_cell_by_its_name(worker: Worker) -> None:
    cells = [
        "@fill\ndef set_forget_bias(b_ih:\n    return 3",
        "x = 1\ny = x +\n",
        "import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.print_exc()",
        "import warnings\nwarnings.warn('beware')",
        "%%time\nx = (",
    ]
    run = worker.run(cells, ClassCalls({"set_forget_bias": {}}))
    assert run.cells[0].error.startswith("SyntaxError: ")
    assert run.cells[0].error.endswith("(the cell set_forget_bias, line 2)")
    assert run.cells[1].error == "SyntaxError: invalid syntax (the cell “x = 1”, line 2)"
    assert 'File "the cell “import traceback”", line 3' in run.cells[2].output
    assert "the cell “import warnings”:2: UserWarning: beware" in run.cells[3].output
    assert not any("ipython-input" in cell.error + cell.output for cell in run.cells)


def test_random_numbers_are_the_same_each_time(worker: Worker, plain_worker: Worker) -> None:
    """And from each worker."""
    source = (
        "import random, torch, numpy as np\n"
        "print(random.random(), torch.rand(1), np.random.rand(), hash('a'))"
    )
    assert printed(worker, source) == printed(worker, source) == printed(plain_worker, source)


def test_a_result_of_another_dtype_is_the_learners_problem(worker: Worker, two: ClassCalls) -> None:
    cell = "@fill\ndef set_forget_bias(b_ih, b_hh, value):\n    return b_ih.bfloat16(), b_hh"
    problem = only_outcome(worker.run([START, cell], two).exercises["set_forget_bias"]).problem
    assert problem and problem.kind == "result" and "bfloat16" in problem.text


# ------------------------------------------------------------------ figures

PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\n"


def size(file: bytes) -> tuple[int, int]:
    """The width and height of a PNG file."""
    assert file.startswith(b"\x89PNG\r\n\x1a\n") and file.endswith(b"IEND\xaeB`\x82")
    return int.from_bytes(file[16:20], "big"), int.from_bytes(file[20:24], "big")


@pytest.mark.parametrize(
    ("source", "count"),
    [
        (PLOT + "plt.show()", 1),
        (PLOT, 1),
        ("%matplotlib inline\n" + PLOT, 1),
        (PLOT + "plt.show()\nplt.plot([2, 1])\nplt.show()", 2),
        (PLOT + "plt.figure()\nplt.plot([2, 1])", 2),
        (PLOT + "fig = plt.gcf()\nfig", 1),
        (PLOT + "plt.close()", 0),
        (PLOT + "1 / 0", 1),
        ("import matplotlib.pyplot as plt\nplt.show()", 0),
        ("from rnncourse import plots\nplots.course_style()\n" + PLOT, 1),
    ],
)
def test_figures_are_kept_as_a_notebook_shows_them(worker: Worker, source: str, count: int) -> None:
    (cell,) = worker.run([source], NOTHING).cells
    assert cell.error == "" or "1 / 0" in source
    assert len(cell.figures) == count
    assert all(100 < side < 1000 for file in cell.figures for side in size(file))


def test_a_figure_stays_with_its_cell_and_they_are_not_without_end(worker: Worker) -> None:
    cells = ["print('none')", PLOT, *[PLOT + "plt.show()\n" + PLOT] * 4]
    run = worker.run(cells, NOTHING)
    assert [len(cell.figures) for cell in run.cells] == [0, 1, 2, 2, 1, 0]
    assert [cell.error for cell in run.cells] == [""] * 6


@pytest.mark.parametrize(
    "change",
    [
        "plt.gcf().set_size_inches(300, 300)",
        "plt.text(1e6, 1e6, 'far away')\nplt.plot([0, 1e7])\nplt.xlim(0, 1)",
        "plt.imshow(__import__('numpy').random.rand(999, 999), interpolation='nearest')\n"
        "plt.gcf().set_size_inches(20, 20)",
        "plt.title('$\\\\frac{$')",
    ],
    ids=["inches", "far away", "noise", "broken text"],
)
def test_a_figure_that_is_too_much_is_left_out(worker: Worker, change: str) -> None:
    (cell,) = worker.run([PLOT + change], NOTHING).cells
    assert cell.error == ""
    assert sum(len(file) for file in cell.figures) <= 300_000
    assert all(side <= 4000 for file in cell.figures for side in size(file))
    assert cell.figures or "A figure is left out" in cell.output


# ------------------------------------------------------------------ harm


def test_an_endless_loop_in_a_function_costs_that_exercise(worker: Worker, two: ClassCalls) -> None:
    cells = [START, with_line(CHUNKS, "while True: pass"), UNPACK]
    run = worker.run(cells, two, QUICK)
    assert run.exercises["set_forget_bias"].ended == "timeout"
    assert run.exercises["set_forget_bias"].note == "it used 1 seconds of computing time"
    assert run.exercises["unpack_gates"].ended == "done"
    assert len(run.cells) == 3


def test_calls_before_a_loop_keep_their_outcomes(worker: Worker, two: ClassCalls) -> None:
    line = "if value == 0:\n        while True: pass"
    run = worker.run([START, with_line(CHUNKS, line)], two, QUICK)
    ran = run.exercises["set_forget_bias"]
    assert ran.ended == "timeout"
    assert 0 < len(ran.outcomes) < len(two.cases["set_forget_bias"])


def test_a_cell_that_never_ends_is_left_out(worker: Worker, two: ClassCalls) -> None:
    run = worker.run([START, CHUNKS, "while True: pass", UNPACK], two, QUICK)
    assert [ran.ended for ran in run.exercises.values()] == ["done"] * 2
    assert run.cells[2].error == (
        "this cell is left out: it used 3 seconds of computing time for all cells together"
    )
    assert len(run.cells) == 4
    assert goes_on(worker)


SLEEP = "import time\ntime.sleep(10**6)"


def test_cells_that_sleep_are_left_out_and_the_rest_has_its_time(
    worker: Worker, two: ClassCalls
) -> None:
    run = worker.run([START, SLEEP, CHUNKS, SLEEP, UNPACK], two, Impatient())
    assert [ran.ended for ran in run.exercises.values()] == ["done"] * 2
    for index in (1, 3):
        assert run.cells[index].error == "this cell is left out: it waited or slept for 1 seconds"


def test_a_notebook_of_sleeping_cells_is_given_up_with_the_cells_name(
    worker: Worker, two: ClassCalls
) -> None:
    run = worker.run([START, *[SLEEP] * 3, CHUNKS], two, Impatient())
    assert {ran.ended for ran in run.exercises.values()} == {"slept"}
    note = run.exercises["set_forget_bias"].note
    assert note == "in the cell “import time”, it waited or slept for 1 seconds"


class ShortCells(Limits):
    """The usual limits, but for all cells together there are five seconds on the clock."""

    @property
    def cells_on_the_clock(self) -> float:
        return 5.0


@pytest.mark.only_long
def test_a_cell_that_polls_leaves_half_of_the_time(worker: Worker, two: ClassCalls) -> None:
    """It computes a little again and again."""
    assert Limits(submission=20).cells_on_the_clock == 10
    poll = (
        "import time\nwhile True:\n    time.sleep(0.05)\n    end = time.process_time() + 0.05\n"
        "    while time.process_time() < end: pass"
    )
    run = worker.run([START, poll, CHUNKS, UNPACK], two, ShortCells())
    assert [ran.ended for ran in run.exercises.values()] == ["done"] * 2
    assert "did not end within 5 seconds" in run.cells[1].error


@pytest.mark.only_long
def test_functions_that_sleep_leave_the_others_their_time(
    worker: Worker, class_calls: ClassCalls
) -> None:
    cells = [START, "import time", with_line(CHUNKS, "time.sleep(10**6)"), UNPACK]
    cells += [as_cell("pack_gates", right("lstm", "pack_gates")[0].function)]
    names = ("set_forget_bias", "pack_gates", "unpack_gates")
    asked = ClassCalls({name: class_calls.cases[name] for name in names})
    run = worker.run(cells, asked, Impatient())
    assert [run.exercises[name].ended for name in names] == ["slept", "done", "done"]


@pytest.mark.only_long
def test_a_notebook_of_endless_cells_is_given_up(worker: Worker, two: ClassCalls) -> None:
    quick = Limits(cells=1, exercise=1)
    run = worker.run([START, *["while True: pass"] * 3, CHUNKS, UNPACK], two, quick)
    assert [ran.ended for ran in run.exercises.values()] == ["timeout"] * 2
    assert goes_on(worker)


def test_leaving_the_process_in_a_function_costs_that_exercise(
    worker: Worker, two: ClassCalls
) -> None:
    cells = [START, with_line(CHUNKS, "import os; os._exit(0)"), UNPACK]
    run = worker.run(cells, two)
    ran = run.exercises["set_forget_bias"]
    assert (ran.ended, ran.note) == ("died", "its process ended")
    assert run.exercises["unpack_gates"].ended == "done"


def test_a_cell_that_leaves_the_process_is_left_out(worker: Worker, two: ClassCalls) -> None:
    run = worker.run([START, "import os\nos._exit(3)", CHUNKS, UNPACK], two)
    assert [ran.ended for ran in run.exercises.values()] == ["done"] * 2
    assert run.cells[1].error == "this cell is left out: its process ended with exit status 3"
    assert goes_on(worker)


@pytest.mark.parametrize(
    "source",
    [
        "x = torch.ones(1 << 31)",
        "x = [bytearray(1 << 20) for _ in range(1 << 20)]",
        "x = [torch.ones(1 << 18) for _ in range(1 << 20)]",
    ],
)
def test_memory_has_a_limit(worker: Worker, two: ClassCalls, source: str) -> None:
    run = worker.run([START, source, CHUNKS], two, Limits(memory=200 << 20))
    assert "Error" in run.cells[1].error or "exit status" in run.cells[1].error
    assert goes_on(worker)


def test_threads_have_a_limit_and_no_more_rights(worker: Worker) -> None:
    source = """
import os, threading, time
started, refused = 0, []
def work():
    for forbidden in (os.fork, lambda: os.kill(1, 0) if os.getpid() != 1 else os.fork()):
        try:
            forbidden()
        except PermissionError:
            refused.append(1)
    time.sleep(20)
try:
    for _ in range(500):
        threading.Thread(target=work, daemon=True).start()
        started += 1
except RuntimeError:
    pass
while len(refused) < 2 * started:
    time.sleep(0.01)
print(0 < started < 100)
"""
    assert printed(worker, source) == "True\n"


def test_output_is_cut(worker: Worker, two: ClassCalls) -> None:
    flood = "for _ in range(1000):\n    print('x' * 100_000)"
    cells = [START, flood, with_line(CHUNKS, "print('x' * 10_000_000)")]
    run = worker.run(cells, two, Limits(memory=80 << 20))
    assert run.cells[1].error == ""
    assert 1000 < len(run.cells[1].output) < 5000
    assert only_outcome(run.exercises["set_forget_bias"]).problem is None


def test_messages_are_cut_and_cleaned(worker: Worker, two: ClassCalls) -> None:
    line = "raise ValueError('\\x1b[31m\\x00' + '\\ud800' + 'x' * 10_000_000)"
    run = worker.run([START, line, with_line(CHUNKS, line)], two)
    problem = only_outcome(run.exercises["set_forget_bias"]).problem
    for text in (run.cells[1].error, problem.text if problem else ""):
        assert 100 < len(text) < 1000
        assert all(c.isprintable() for c in text)


def test_large_files_cannot_be_written(worker: Worker) -> None:
    assert "File too large" in printed(worker, "open('a', 'wb').write(bytes(20 << 20))")
    many = "for k in range(5000):\n    open(f'{k}', 'w').close()"
    assert "No space left" in printed(worker, many)
    assert goes_on(worker)


def test_a_cell_too_long_to_send_is_not_run(worker: Worker) -> None:
    run = worker.run(["x = '" + "\0" * 100_000 + "'", "print(1)"], NOTHING)
    assert "characters" in run.cells[0].error
    assert run.cells[1].output == "1\n"


# ------------------------------------------------------------------ reading and reaching out


def test_nothing_of_the_instructors_can_be_read(worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "marks_of_the_class.db").touch()
    root = Path(rnncourse.__file__).parents[1]
    for place in (root / "tests", root / "solutions", Path.home() / ".bashrc", "/etc/passwd"):
        assert "FileNotFoundError" in printed(worker, f"open({str(place)!r})\n")
    find = (
        "import os\n"
        "everything = [os.path.join(d, f) for d, _, fs in os.walk('/') for f in fs]\n"
        "print([f for f in everything if f.endswith({!r})])"
    ).format(
        (
            "grading/worker/__main__.py",
            "sandbox/host.py",
            "marks_of_the_class.db",
            "solutions/lstm/lstm.ipynb",
        )
    )
    assert printed(worker, find) == "['/course/rnncourse/grading/worker/__main__.py']\n"


@pytest.mark.parametrize(
    "module",
    [
        "tests",
        "tools",
        "rnncourse.grading.hidden_test",
        "rnncourse.grading.solutions",
        "rnncourse.grading.sandbox.host",
    ],
)
def test_nothing_of_the_instructors_side_can_be_imported(worker: Worker, module: str) -> None:
    assert "ModuleNotFoundError" in printed(worker, f"import {module}")


def test_other_processes_cannot_be_seen(worker: Worker) -> None:
    assert printed(worker, "import os\nprint(os.listdir('/proc'))") == "[]\n"
    assert "FileNotFoundError" in printed(worker, "open('/proc/1/environ')")
    assert printed(worker, "import os\nprint(os.getpid())") == "1\n"


def test_the_environment_holds_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRADEBOOK_PASSWORD", "hush")
    with Worker(small()) as fresh:
        assert "hush" not in printed(fresh, "import os\nprint(dict(os.environ))")


def test_there_is_no_network(worker: Worker) -> None:
    source = "import socket\nsocket.create_connection(('{}', {}), 1)"
    assert "Operation not permitted" in printed(worker, source.format("1.1.1.1", 53))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        assert "Operation not permitted" in printed(worker, source.format(*address))


def test_nothing_survives_into_the_next_submission(worker: Worker, two: ClassCalls) -> None:
    leave = (
        "import os, rnncourse\n"
        "for folder in ('.', '/tmp', '/dev/shm', '/', os.path.expanduser('~')):\n"
        "    try: open(folder + '/left', 'w').write('here')\n"
        "    except OSError: pass\n"
        "rnncourse.left = True\nos.environ['LEFT'] = '1'"
    )
    worker.run([START, CHUNKS, leave], two)
    look = (
        "import os, rnncourse\n"
        "print(*(os.listdir(d) for d in ('.', '/tmp', '/dev/shm')), os.path.exists('/left'),"
        " hasattr(rnncourse, 'left'), 'LEFT' in os.environ)"
    )
    assert printed(worker, look) == "[] [] [] False False False\n"
    problem = only_outcome(worker.run([START], two).exercises["set_forget_bias"]).problem
    assert problem and problem.kind == "unfilled"


def test_no_process_survives_into_the_next_submission(unfiltered_worker: Worker) -> None:
    """Where nothing forbids it to start some."""
    source = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)\n"
    before = len(running())
    unfiltered_worker.run([source], NOTHING)
    assert goes_on(unfiltered_worker)
    wait_until(lambda: len(running()) <= before)


def test_forks_have_a_limit_and_end_with_their_submission(unfiltered_worker: Worker) -> None:
    source = (
        "import os, time\nfor k in range(100):\n    if os.fork() == 0:\n        time.sleep(1000)\n"
    )
    before = len(running())
    said = printed(unfiltered_worker, source)
    assert "BlockingIOError" in said or os.getuid() == 0  # Linux does not count root's processes
    assert goes_on(unfiltered_worker)
    wait_until(lambda: len(running()) <= before)


def test_there_is_no_network_where_nothing_forbids_to_try(unfiltered_worker: Worker) -> None:
    source = "import socket\nsocket.create_connection(('1.1.1.1', 53), 1)"
    assert "Network is unreachable" in printed(unfiltered_worker, source)


@pytest.mark.parametrize("whom", ["worker", "unfiltered_worker", "crowded_worker"])
def test_a_child_cannot_end_the_worker(request: pytest.FixtureRequest, whom: str) -> None:
    worker: Worker = request.getfixturevalue(whom)
    before = worker._process
    source = "import os\nfor pid in (-1, 0, os.getppid()):\n    os.kill(pid, 9)"
    printed(worker, source)
    assert goes_on(worker)
    assert worker._process is before or whom == "crowded_worker"


def test_the_worker_cannot_be_read_where_it_can_be_seen(crowded_worker: Worker) -> None:
    look = (
        "import os\n"
        "worker = f'/proc/{os.getppid()}'\n"
        "assert b'rnncourse.grading.worker' in open(f'{worker}/cmdline', 'rb').read()\n"
        "for see in (open, os.readlink):\n"
        "    for name in ('mem', 'maps', 'environ', 'cwd', 'fd/3', 'root'):\n"
        "        try: print(see(f'{worker}/{name}'))\n"
        "        except OSError: pass"
    )
    assert printed(crowded_worker, look) == ""


def test_a_child_has_no_capabilities_and_one_descriptor(worker: Worker) -> None:
    mount = "import ctypes\nprint(ctypes.CDLL(None).mount(b'a', b'/tmp', b'tmpfs', 0, None))"
    assert printed(worker, mount) == "-1\n"
    descriptors = (
        "import os\n"
        "def is_open(fd):\n"
        "    try: os.fstat(fd)\n"
        "    except OSError: return False\n"
        "    return True\n"
        "print([fd for fd in range(1000) if is_open(fd)])"
    )
    assert printed(worker, descriptors) == "[0, 1, 2, 3]\n"


# ------------------------------------------------------------------ a child that speaks for itself


@pytest.mark.parametrize(
    "sent",
    [
        "b'garbage' * 1000",
        "b'\\xff' * 100",
        "b'\\x02\\0\\0\\0\\0\\0\\0\\0{}'",
        "b'\\x02\\0\\0\\0\\0\\0\\0\\0[]'",
        "frame({'arrays': []})",
        "frame({'arrays': [], 'problem': ['passed', 'x']})",
        "frame({'arrays': [['x', 'float32', [1 << 40]]]})",
    ],
)
def test_nonsense_costs_only_the_one_who_sends_it(
    worker: Worker, two: ClassCalls, sent: str
) -> None:
    helper = (
        "import json, os, struct\n"
        "def frame(header):\n"
        "    raw = json.dumps(header).encode()\n"
        "    return struct.pack('<II', len(raw), 0) + raw\n"
    )
    cells = [START + "\n" + helper, with_line(CHUNKS, f"os.write(3, {sent})"), UNPACK]
    run = worker.run(cells, two)
    ran = run.exercises["set_forget_bias"]
    assert ran.ended == "died" and "sent what the grader does not take" in ran.note
    assert run.exercises["unpack_gates"].ended == "done"
    in_a_cell = worker.run([START + "\n" + helper, f"os.write(3, {sent})"], two)
    assert {ran.ended for ran in in_a_cell.exercises.values()} == {"died"}


def test_results_that_are_left_out_do_not_pass(worker: Worker, two: ClassCalls) -> None:
    forged = (
        "from rnncourse.checks.drivers import Driver, Outcome\n"
        "Driver.__call__ = lambda *a, **k: Outcome()"
    )
    run = worker.run([START, UNPACK, forged], two)
    assert run.exercises["unpack_gates"].ended == "died"
    assert "does not take" in run.exercises["unpack_gates"].note


def test_trickled_bytes_do_not_move_the_deadline(worker: Worker, two: ClassCalls) -> None:
    line = "import os, time; os.write(3, bytes([255, 0, 0, 0] + [0] * 4))"
    line += "\n    while True: os.write(3, b' '); time.sleep(0.05)"
    run = worker.run([START, with_line(CHUNKS, line), UNPACK], two, Impatient())
    assert run.exercises["set_forget_bias"].ended == "slept"
    assert run.exercises["set_forget_bias"].note == "it waited or slept for 1 seconds"
    assert run.exercises["unpack_gates"].ended == "done"


# ------------------------------------------------------------------ the worker itself


def test_a_worker_that_dies_is_replaced_once_and_silently(two: ClassCalls) -> None:
    with Worker(small()) as fragile:
        first = fragile._process
        killer = threading.Thread(target=kill_at_work, args=(fragile, 1))
        killer.start()
        run = fragile.run([START, "import time\ntime.sleep(3)", CHUNKS, UNPACK], two)
        killer.join()
        assert [ran.ended for ran in run.exercises.values()] == ["done"] * 2
        assert fragile._process not in (first, None)


@pytest.mark.only_long
def test_a_submission_that_brings_the_worker_down_twice_is_given_up(two: ClassCalls) -> None:
    with Worker(small()) as fragile:
        killer = threading.Thread(target=kill_at_work, args=(fragile, 2))
        killer.start()
        run = fragile.run([START, "import time\ntime.sleep(10**6)"], two)
        killer.join()
        assert {ran.ended for ran in run.exercises.values()} == {"died"}
        assert "twice" in run.exercises["set_forget_bias"].note
        assert goes_on(fragile)


def test_a_child_that_does_not_come_to_life_is_not_the_learners_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(child_session, "END_SECONDS", 0.05)
    ours, theirs = socket.socketpair()
    with theirs, pytest.raises(WorkerDiedError):
        child_session.ChildSession(
            ours, RunState(["1"], NOTHING, Limits(), None, {}, unknown)
        ).hold()


def kill_at_work(worker: Worker, times: int) -> None:
    """End a worker's process from outside while it has a child, and those that take its place."""
    killed = None
    for _ in range(times):
        wait_until(lambda: worker._process not in (killed, None))  # noqa: B023
        killed = worker._process
        assert killed is not None
        wait_until(lambda: has_child(worker))
        killed._process.kill()


def has_child(worker: Worker) -> bool:
    """Whether a submission is at work, besides bubblewrap, the worker, and the one that keeps the
    namespaces for its children."""
    settled = 3 if "namespaces" in worker.layers.names else 2
    with contextlib.suppress(psutil.Error):
        return len(processes(worker)) > settled
    return False


@pytest.mark.only_long
def test_without_namespaces_each_child_has_a_sandbox_of_its_own(
    crowded_worker: Worker, two: ClassCalls
) -> None:
    assert str(crowded_worker.layers) == f"bubblewrap {version()}+seccomp+rlimits"
    cells = [START, CHUNKS, UNPACK, "open('/tmp/left', 'w').close()"]
    run = crowded_worker.run(cells, two)
    assert [ran.ended for ran in run.exercises.values()] == ["done"] * 2
    assert "FileNotFoundError" in printed(crowded_worker, "open('/tmp/left')")


@pytest.mark.only_long
def test_several_threads_can_have_a_worker_each(two: ClassCalls) -> None:
    ended: list[str] = []

    def grade() -> None:
        with Worker(small()) as mine:
            for _ in range(3):
                run = mine.run([START, CHUNKS, UNPACK], two)
                ended.extend(ran.ended for ran in run.exercises.values())

    threads = [threading.Thread(target=grade) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == ["done"] * 12


def test_a_worker_that_is_closed_while_it_runs_ends_and_is_not_replaced() -> None:
    before = len(running())
    fragile = Worker(small()).__enter__()
    failed: list[BaseException] = []

    def grade() -> None:
        try:
            fragile.run(["import time\ntime.sleep(10**6)"], NOTHING)
        except SandboxError as error:
            failed.append(error)

    thread = threading.Thread(target=grade)
    thread.start()
    wait_until(lambda: has_child(fragile))
    fragile.__exit__()
    thread.join()
    assert "closed" in str(failed[0])
    wait_until(lambda: len(running()) <= before)


def test_new_questions_are_asked_at_once(worker: Worker, class_calls: ClassCalls) -> None:
    first = ClassCalls({"unpack_gates": class_calls.cases["unpack_gates"]})
    second = ClassCalls({"set_forget_bias": class_calls.cases["set_forget_bias"]})
    for asked in (first, second, first):
        run = worker.run([START, CHUNKS, UNPACK], asked)
        assert run.exercises.keys() == asked.cases.keys()
        assert {ran.ended for ran in run.exercises.values()} == {"done"}


def test_questions_and_runs_can_be_pickled(worker: Worker, two: ClassCalls) -> None:
    asked: ClassCalls = pickle.loads(pickle.dumps(two))
    run = worker.run([START, CHUNKS, UNPACK, PLOT], asked)
    copy = pickle.loads(pickle.dumps(run))
    assert copy.cells == run.cells
    for name, ran in run.exercises.items():
        for k, outcome in ran.outcomes.items():
            for array_name, array in outcome.arrays.items():
                assert torch.equal(copy.exercises[name].outcomes[k].arrays[array_name], array)


def test_the_unsafe_mode_runs_the_same_and_is_called_none(two: ClassCalls) -> None:
    with Worker(unsafe()) as worker:
        assert str(worker.layers) == "none"
        run = worker.run([START, with_line(CHUNKS, "while True: pass"), UNPACK], two, QUICK)
        assert run.exercises["set_forget_bias"].ended == "timeout"
        assert run.exercises["unpack_gates"].ended == "done"
        assert only_outcome(run.exercises["unpack_gates"]).problem is None
        assert printed(worker, "import os\nprint(os.listdir('.'))") == "[]\n"


def test_a_worker_that_does_not_start_says_why() -> None:
    broken = Launch(["/bin/sh", "-c", "echo no torch here >&2; exit 1"], {}, sandboxed=False)
    with pytest.raises(SandboxError, match="no torch here"):
        Worker(broken).__enter__()
    slow = Launch(["/bin/sleep", "100"], {}, sandboxed=False)
    with pytest.raises(SandboxError, match="not ready in time"):
        Worker(slow, start_seconds=0.2).__enter__()


def running() -> list[psutil.Process]:
    """The processes that this one has started, directly or not, that run the worker's program."""
    family = psutil.Process().children(recursive=True)
    return [p for p in family if "rnncourse.grading.worker" in " ".join(_arguments(p))]


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_of_what_was_used_only_known_names_are_taken() -> None:
    """A process could send what it has seen as the name of a function."""
    asked = ClassCalls({"lstm_cell": {}}, {"lstm_cell": ("torch.nn.LSTM",)})
    progress = RunState([], asked, Limits(), None, {}, unknown)
    for used in (["lstm_cell", "lstm_0.25_0.5"], ["nn.LSTM", "nn.LSTM: 0.25", "lstm_cell"]):
        progress.flag_used("lstm_cell", Frame({"used": used}))
    while_it_ran = "while it ran it called torch's "
    assert progress.flags == {"lstm_cell": (f"{while_it_ran}lstm_cell", f"{while_it_ran}nn.LSTM")}
