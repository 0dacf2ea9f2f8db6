"""A measurement of a few submissions; not how long anything takes."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from rnncourse.grading.sandbox.launch import obstacle
from tools.bench.courses import released
from tools.bench.learners import SHARES, honest_class, submission
from tools.bench.measure import Cost, Sample, with_lost
from tools.bench.table import Row, growth, together
from tools.demonstration.learners import ROOT

NO_SANDBOX = obstacle()
SEED = 952
"""The first learner of its class is right and draws a warning; the second has mistakes."""


def test_a_class_is_the_same_again_and_holds_all_kinds() -> None:
    learners = list(honest_class(200, SEED))
    assert learners == list(honest_class(200, SEED))
    assert learners[:20] == list(honest_class(20, SEED))
    assert learners != list(honest_class(200, SEED + 1))
    assert {learner.kind for learner in learners} == set(SHARES)
    assert len({learner.name for learner in learners}) == 200


def test_what_learners_hand_in_is_a_notebook_with_their_answers() -> None:
    for learner in honest_class(20, SEED):
        notebook = nbformat.reads(submission(learner, released()), as_version=4)
        nbformat.validate(notebook)
        sources = [cell.source for cell in notebook.cells]
        assert all(answer.strip() in sources for answer in learner.answers.values())
        assert all(own.source.strip() in sources for own in learner.own)


def test_a_command_and_what_it_starts_is_measured(tmp_path: Path) -> None:
    """The command's child computes until somebody has looked at it."""
    child = (
        "import os, time\nx = bytearray(50 << 20)\nenough = os.path.getsize('looks') + 2\n"
        "while time.process_time() < 0.5 or os.path.getsize('looks') < enough: pass"
    )
    (tmp_path / "looks").touch()
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    done = measured(parent, tmp_path)
    assert not done.returncode, done.stderr
    wall, cpu, main, tree = map(float, done.stdout.split())
    assert cpu >= 0.5 and wall >= 0.5
    assert 0 < main < tree


def test_a_command_that_fails_is_said_with_its_words(tmp_path: Path) -> None:
    done = measured("raise ValueError('squirrel')", tmp_path)
    assert done.returncode == 1
    assert re.search(r"(?s)FailedError: .*ended with 1.*ValueError: squirrel", done.stderr)


MEASURED = """
import os, sys
from pathlib import Path
from tools.bench.measure import measure

command = sys.executable, "-c", sys.argv[2]
def look():
    with Path(sys.argv[1], "looks").open("ab") as file:
        return file.write(b"x")

cost = measure(command, Path(sys.argv[1]), dict(os.environ), Path(sys.argv[1], "log"), look)
print(cost.wall, cost.cpu, cost.main, cost.tree)
"""


def measured(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own: a measurement ends all that runs below the process that takes it,
    and a browser or a database of other tests would be among them."""
    command = [sys.executable, "-c", MEASURED, str(folder), code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


INTERRUPTED = """
import os, signal, sys
from pathlib import Path
from tools.bench.measure import measure

note = "import os; open('pids', 'a').write(f'{os.getpid()} ')"
sleeps = f"{note}; import time; time.sleep(10**4)"
popen = f"subprocess.Popen([sys.executable, '-c', {sleeps!r}], start_new_session=True)"
leaves_an_orphan = f"import subprocess, sys; {popen}"
run = f"subprocess.run([sys.executable, '-c', {leaves_an_orphan!r}])"
command = sys.executable, "-c", f"import subprocess, sys; {run}; {sleeps}"
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background ignore it
measure(command, Path(sys.argv[1]), dict(os.environ), Path(sys.argv[1], "log"))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    """Not even a process that has left its session, as kernels do, and whose parent has ended."""
    note = tmp_path / "pids"
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path)]
    bench = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        while len(pids := note.read_text().split() if note.exists() else []) < 2:
            assert bench.poll() is None
            time.sleep(0.05)
        bench.send_signal(number)
        assert bench.wait() != 0
        assert not [pid for pid in pids if psutil.pid_exists(int(pid))]
    finally:
        bench.kill()
        bench.wait()


def test_time_of_processes_that_nobody_waits_for_is_counted() -> None:
    samples = [Sample(t, 0, 1, 2, cpu) for t, cpu in enumerate([1.0, 3.0, 7.0, 2.0, 2.5])]
    assert with_lost(2.75, samples) == 7.75
    assert with_lost(7.25, samples[:3]) == 7.25
    assert with_lost(1.0, []) == 1.0


def test_start_up_is_told_apart() -> None:
    def cost(seconds: float) -> Cost:
        return Cost(seconds, 2 * seconds, 1, 2, 0.0, ())

    row = Row("grading", 11, cost(7.0), cost(2.0))
    assert (row.seconds_each, row.cpu_each, row.start) == (0.5, 1.0, 1.5)
    both = together("both", [row, row])
    assert (both.seconds_each, both.start) == (1.0, 3.0)
    assert Row("grading", 10, cost(7.0)).seconds_each == 0.7


def test_a_long_run_is_told_by_thousands() -> None:
    samples = tuple(Sample(t, 500 * t, t << 20, 2 * t << 20) for t in range(1, 5))
    text = growth(Row("long", 2000, Cost(5.0, 5.0, 1, 2, 0.0, samples)))
    assert [line.split() for line in text.splitlines()[1:]] == [
        ["1000", "2.0", "2", "4"],
        ["2000", "2.0", "4", "8"],
    ]


@pytest.mark.only_long
@pytest.mark.skipif(NO_SANDBOX is not None, reason=str(NO_SANDBOX))
def test_both_graders_are_measured_and_give_the_same_marks(tmp_path: Path) -> None:
    folder = tmp_path / "bench"
    sizes = ["--plain", "2", "--engine", "3", "--whole", "0", "--single", "0", "--workers", "2"]
    command = [sys.executable, "-m", "tools.bench", *sizes, "--seed", str(SEED)]
    done = subprocess.run(
        [*command, "--folder", str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for name, learners in (
        ("nbgrader autograde", 2),
        ("nbgrader generate_feedback", 2),
        ("plain nbgrader", 2),
        ("rnncourse grade, 2 workers", 3),
    ):
        assert re.search(rf"^{name} +{learners} +\d+\.\d ", done.stdout, re.MULTILINE), name
    assert "Marks: 1 of 2 learners have the same in both gradebooks." in done.stdout
    assert (
        "\nlearner-00001 lstm_cell: 6.0 here, 0.0 in nbgrader. "
        "nbgrader gives 0 for a warning on stderr: UserWarning: The use of `x.T`"
    ) in done.stdout
    start = r"^A start, \d+\.\d s: load \d+ ms, draw inputs \d+ ms, start a worker \d+ ms$"
    assert re.search(start, done.stdout, re.M)
    parts = "read|own inputs|fork|cells|calls|compare|gradebook|page"
    each = rf"^A submission, \d+\.\d ms one after the other: (({parts}) -?\d+\.\d ms(, )?){{8}}$"
    assert re.search(each, done.stdout, re.M)
    rows = json.loads((folder / "bench.json").read_text(encoding="utf-8"))["rows"]
    assert [row["learners"] for row in rows] == [2, 2, 2, 3]
    assert all(row["wall_seconds"] > 0 and row["cpu_seconds"] > 0 for row in rows)
    assert not [path for path in folder.iterdir() if path.is_dir()]
    assert (folder / "bench.txt").read_text(encoding="utf-8") == done.stdout
