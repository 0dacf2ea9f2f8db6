"""A function that never ends is stopped, told, and nothing else is harmed."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import rnncourse._carry
import rnncourse.checks.public
from rnncourse import carry_over, check
from rnncourse._exercise import find
from rnncourse._limits import TimeLimit, TimeUpError
from rnncourse.checks import CheckFailedError, examine, examine_within
from rnncourse.checks.display import text
from tools.demonstration.learners import ENDLESS_LOOP, filled, solutions

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers here")
HANGS = 600
COMPUTED = "set_forget_bias did not end within 0.5 seconds of computing time: is there a loop"
WAITED = "set_forget_bias did not end: it waited or slept for 1.5 seconds. Is there a time.sleep"
TIMERS = (signal.ITIMER_PROF, signal.ITIMER_REAL)
SIGNALS = (signal.SIGPROF, signal.SIGALRM)


def set_forget_bias(b_ih: Any, b_hh: Any, value: float) -> Any:
    while True:
        try:
            b_ih = b_ih + 1
        except Exception:
            continue


def catching_all(b_ih: Any, b_hh: Any, value: float) -> Any:
    for _ in range(3):
        try:
            while True:
                pass
        except:  # noqa: E722  # as learners write it
            pass
    return b_ih, b_hh


def sleeping(b_ih: Any, b_hh: Any, value: float) -> Any:
    time.sleep(HANGS)


def timers_running() -> list[bool]:
    """Who runs the tests may have set a timer."""
    return [signal.getitimer(timer) != (0.0, 0.0) for timer in TIMERS]


@pytest.fixture(scope="module", autouse=True)
def torch_is_loaded() -> None:
    """A first call of torch's functions takes longer than the limits here."""
    for name in ("set_forget_bias", "lstm_layer"):
        examine(find(name))


@pytest.mark.parametrize(
    ("function", "sentence"),
    [(set_forget_bias, COMPUTED), (catching_all, COMPUTED), (sleeping, WAITED)],
)
def test_a_report_says_what_did_not_end(function: Any, sentence: str) -> None:
    entry = find("set_forget_bias")
    entry.filled = function
    before = [signal.getsignal(number) for number in SIGNALS]
    running = timers_running()
    report = examine_within(0.5, entry)
    assert text(report).startswith(f"✗ {sentence}")
    assert (report.complete, report.failed, report.passed) == (False, True, 0)
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert timers_running() == running


def test_a_report_says_in_which_other_exercise_it_was() -> None:
    def lstm_cell(*arrays: Any) -> Any:
        while True:
            pass

    def lstm_layer(*arrays: Any, **options: Any) -> Any:
        return lstm_cell(*arrays)

    find("lstm_cell").filled = lstm_cell
    entry = find("lstm_layer")
    entry.filled = lstm_layer
    # What torch computes for comparison, on several threads, must fit in as well.
    said = text(examine_within(5, entry))
    assert "✗ lstm_layer did not end within 5 seconds of computing time" in said
    assert "It was in lstm_cell then, which it calls." in said


def test_what_others_had_set_is_set_again() -> None:
    def mine(number: int, frame: object) -> None: ...

    handler = signal.signal(signal.SIGALRM, mine)
    outer = signal.setitimer(signal.ITIMER_REAL, HANGS, 7)
    try:
        with TimeLimit(HANGS), TimeLimit(0.01):
            pass
        assert signal.getsignal(signal.SIGALRM) is mine
        left, interval = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left <= HANGS and round(interval) == 7
    finally:
        signal.setitimer(signal.ITIMER_REAL, *outer)
        signal.signal(signal.SIGALRM, handler)


def test_a_limit_inside_a_limit_leaves_the_outer_one() -> None:
    with pytest.raises(TimeUpError, match="did not end within 0.5 seconds"), TimeLimit(0.5):
        with TimeLimit(HANGS):
            pass
        while True:
            pass


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_goes_through() -> None:
    running = timers_running()
    with pytest.raises(KeyboardInterrupt), TimeLimit(HANGS):
        signal.raise_signal(signal.SIGINT)
    assert timers_running() == running


def test_a_limit_set_up_or_taken_down_is_not_interrupted_between_its_timers() -> None:
    """The interruption is tried at each line of the code that sets timers and puts them back."""
    running = timers_running()
    for code in (TimeLimit.__enter__.__code__, TimeLimit.__exit__.__code__):
        for line in {line for _, _, line in code.co_lines() if line}:
            limit = TimeLimit(HANGS)

            def interrupt(
                frame: Any, event: str, _: Any, limit: Any = limit, at: Any = (code, line)
            ) -> Any:
                if event == "line" and (frame.f_code, frame.f_lineno) == at:
                    limit._computed(signal.SIGPROF, frame)
                return interrupt

            before = sys.gettrace()
            sys.settrace(interrupt)
            try:
                with limit:
                    pass
            finally:
                sys.settrace(before)
            assert timers_running() == running


def test_another_thread_has_no_limit_and_no_error() -> None:
    reports: list[str] = []

    def work() -> None:
        with TimeLimit(0.001) as limit:
            sum(range(10**6))
        reports.append(limit.exceeded)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(HANGS)
    assert reports == [""]


def test_nbgrader_gets_an_error_for_a_loop(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rnncourse.checks.public, "EXERCISE_SECONDS", 0.5)
    monkeypatch.setenv("NBGRADER_VALIDATING", "1")
    with pytest.raises(CheckFailedError, match="set_forget_bias: 0 of 7 checks passed"):
        check(set_forget_bias)
    assert COMPUTED in capsys.readouterr().out


def test_a_kernel_goes_on_after_a_loop(tmp_path: Path) -> None:
    cells = (
        "import torch, rnncourse.checks.public\nfrom rnncourse import check, fill\n"
        "rnncourse.checks.public.EXERCISE_SECONDS = 2",
        ENDLESS_LOOP + "\nlstm_cell = lambda x, h, c, *weights: (h, c)\ncheck(lstm_layer)",
        "print('still', 'here')",
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    place = {"metadata": {"path": tmp_path}}
    NotebookClient(notebook, timeout=HANGS, kernel_name="python3", resources=place).execute()
    shown = json.dumps(notebook)
    assert "lstm_layer did not end within 2 seconds of computing time" in shown
    assert "still here" in shown


def test_what_is_carried_over_cannot_hang_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rnncourse._carry, "EXERCISE_SECONDS", 1)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "lstm.ipynb"
    path.write_text(filled(solutions() | {"lstm_layer": ENDLESS_LOOP}), encoding="utf-8")
    carry_over("lstm_layer")
    assert capsys.readouterr().out == "lstm_layer: torch's, as yours in lstm.ipynb does not end.\n"
    find("lstm_layer").filled = None
    monkeypatch.setattr(rnncourse._carry, "CELL_SECONDS", 1)
    loop = "class Endless:\n    while True:\n        pass\n"
    path.write_text(filled(solutions() | {"lstm_layer": loop}), encoding="utf-8")
    carry_over("lstm_layer")
    assert "yours in lstm.ipynb is not filled in or cannot be read" in capsys.readouterr().out
