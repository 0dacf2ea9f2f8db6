"""How long learners' code may take: computing time, and a limit on the clock."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from rnncourse.grading.sandbox.deadline import SLACK, ChildClock, CpuBudget, Deadline, SleptError
from rnncourse.grading.sandbox.host import Worker
from rnncourse.grading.sandbox.job import ClassCalls
from rnncourse.grading.sandbox.limits import Limits
from tests.grading.sandboxes import needs_sandbox, processes, wait_until


class Clock(ChildClock):
    """A child's clock that shows what a test sets."""

    def __init__(self) -> None:
        super().__init__()
        self.shows = 0.0
        self.waits = 0.0
        self.looks = 0

    def read(self) -> float:
        self.looks += 1
        return self.shows

    def queued(self) -> float:
        return self.waits


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time on the clock, which a test moves on."""
    shown = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: shown[0])
    return shown


def test_the_kernel_is_not_asked_before_the_time_is_up(now: list[float]) -> None:
    clock = Clock()
    budget = CpuBudget(2, clock, 0)
    for seconds in (0, 1, 0.9):
        now[0] += seconds
        assert 0 < budget() <= 2
    assert clock.looks == 0


def test_whoever_has_used_less_gets_the_rest(now: list[float]) -> None:
    clock = Clock()
    budget = CpuBudget(2, clock, 5)
    now[0] += 2
    clock.shows = 5.5
    assert budget() == pytest.approx(1.5)
    now[0] += 1.5
    clock.shows = 7
    with pytest.raises(TimeoutError, match="it used 2 seconds of computing time"):
        budget()


def test_whoever_only_sleeps_ends_as_well(now: list[float]) -> None:
    budget = CpuBudget(2, Clock(), 0)
    for _ in range(SLACK - 1):
        now[0] += 2
        assert 0 < budget() <= 2
    now[0] += 2
    with pytest.raises(SleptError, match=f"it waited or slept for {2 * SLACK} seconds"):
        budget()


def test_whoever_hardly_computes_for_a_while_ends_before(now: list[float]) -> None:
    clock = Clock()
    budget = CpuBudget(20, clock, 0, idle=3)
    for computed in (1, 0.4):  # a busy machine is no sleep
        now[0] += 3
        clock.shows += computed
        assert 0 < budget() <= 3
    now[0] += 3
    clock.shows += 0.2
    with pytest.raises(SleptError, match="it waited or slept for 3 seconds"):
        budget()


def test_whoever_computes_now_and_then_did_not_sleep(now: list[float]) -> None:
    clock = Clock()
    budget = CpuBudget(20, clock, 0, latest=now[0] + 9, idle=3)
    for _ in range(2):
        now[0] += 3
        clock.shows += 1
        budget()
    now[0] += 3
    clock.shows += 1
    with pytest.raises(TimeoutError, match="it did not end within 9 seconds") as error:
        budget()
    assert not isinstance(error.value, SleptError)


def test_whoever_has_no_processor_did_not_sleep(now: list[float]) -> None:
    """On a machine on which fifty compute at once."""
    clock = Clock()
    budget = CpuBudget(2, clock, 0, idle=3)
    for _ in range(20):
        now[0] += 10
        clock.shows += 0.09
        clock.waits += 9.91
        assert 0 < budget() <= 3
    now[0] += 10
    clock.shows += 0.3
    with pytest.raises(TimeoutError, match="it used 2 seconds of computing time"):
        budget()


def test_no_wait_for_a_processor_goes_beyond_the_latest_instant(now: list[float]) -> None:
    clock = Clock()
    budget = CpuBudget(2, clock, 0, latest=now[0] + 9)
    for _ in range(2):
        now[0] += 4
        clock.waits += 4
        assert 0 < budget() <= 2
    now[0] += 1
    clock.waits += 1
    with pytest.raises(TimeoutError, match="it did not end within 9 seconds") as error:
        budget()
    assert not isinstance(error.value, SleptError)


def test_a_wait_before_it_began_does_not_count(now: list[float]) -> None:
    clock = Clock()
    clock.waits = 100
    budget = CpuBudget(20, clock, 0, idle=3)
    now[0] += 3
    with pytest.raises(SleptError, match="it waited or slept for 3 seconds"):
        budget()


def test_who_slept_is_told_the_limit_however_late_somebody_looks(now: list[float]) -> None:
    budget = CpuBudget(20, Clock(), 0, idle=3)
    now[0] += 3.7
    with pytest.raises(SleptError, match="it waited or slept for 3 seconds"):
        budget()


def test_waits_are_not_so_short_that_they_are_many(now: list[float]) -> None:
    clock = Clock()
    budget = CpuBudget(1, clock, 0)
    clock.shows = 0.999999
    now[0] += 1
    assert budget() > 0.01


def test_an_instant_stays_where_it_is(now: list[float]) -> None:
    deadline = Deadline(3)
    now[0] += 2
    assert deadline() == pytest.approx(1)
    now[0] += 1
    with pytest.raises(TimeoutError):
        deadline()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of other processes")
def test_a_clock_counts_what_its_process_computes() -> None:
    clock = ChildClock()
    program = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True); input()"
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with child:
        assert child.stdout is not None and child.stdin is not None
        clock.follow(child.pid)
        child.stdout.readline()
        used, began = clock.read(), time.monotonic()
        time.sleep(0.5)
        assert 0.3 <= used <= clock.read() < used + (time.monotonic() - began) / 2
        child.stdin.close()
    assert clock.read() >= 0  # it is no more


@pytest.mark.skipif(
    not Path("/proc/self/schedstat").exists(), reason="this kernel does not tell of waits"
)
def test_a_clock_counts_waits_for_a_processor() -> None:
    """Of a program that shares one with another that never ends."""
    begin = "import os, time\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    begin += "print(flush=True)\n"
    computes = "while time.process_time() < 1: pass\nprint(flush=True); input()"
    loops = subprocess.Popen(
        [sys.executable, "-c", begin + "while True: pass"], stdout=subprocess.PIPE
    )
    with loops:
        assert loops.stdout is not None and loops.stdout.readline()
        child = subprocess.Popen(
            [sys.executable, "-c", begin + computes], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        with child:
            assert child.stdout is not None and child.stdin is not None
            clock = ChildClock()
            assert child.stdout.readline()
            clock.follow(child.pid)
            before = clock.queued()
            assert child.stdout.readline()
            loops.kill()
            waited = clock.queued()
            assert waited - before > 0.3
            child.stdin.close()
    assert clock.queued() >= waited  # it is no more


def test_where_nothing_is_known_time_on_the_clock_counts(now: list[float]) -> None:
    clock = ChildClock()
    clock.follow(0)
    now[0] += 4
    assert clock.read() == 4


# ------------------------------------------------------------------ in a worker

CELL = """
from rnncourse import fill
import time

@fill
def set_forget_bias(b_ih, b_hh, value):
    {body}
    return b_ih, b_hh
"""


@pytest.fixture
def busy() -> Iterator[None]:
    """A machine on which others compute as well: four times as many as it has cores for."""
    cores = os.cpu_count() or 1
    loop = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(loop) for _ in range(4 * cores)]
    yield
    for other in others:
        other.kill()
        other.wait()


def note(worker: Worker, class_calls: ClassCalls, body: str, limits: Limits) -> tuple[str, str]:
    run = worker.run([CELL.format(body=body)], class_calls, limits, only=["set_forget_bias"])
    ran = run.exercises["set_forget_bias"]
    return ran.ended, ran.note


COMPUTE = "end = time.process_time() + 0.06\n    while time.process_time() < end: pass"
"""Seven calls use 0.42 seconds of computing time."""


@needs_sandbox
def test_an_honest_computation_on_a_busy_machine_has_its_time(
    worker: Worker, class_calls: ClassCalls, busy: None
) -> None:
    assert note(worker, class_calls, COMPUTE, Limits(exercise=5)) == ("done", "")


UNTIL_HELD_UP = (
    "before = time.monotonic()\n"
    "    while not hasattr(time, 'held_up'):\n"
    "        before, gap = time.monotonic(), time.monotonic() - before\n"
    "        if gap > 2: time.held_up = True"
)
"""The first call computes until it has been held up for more than two seconds."""
HELD_UP = Limits(exercise=3)


@needs_sandbox
def test_time_in_which_a_child_is_not_let_run_is_not_counted(
    worker: Worker, class_calls: ClassCalls
) -> None:
    """As on a machine on which others always come first."""
    settled, done = processes(worker), threading.Event()
    holder = threading.Thread(target=hold_up_child, args=(worker, settled, done))
    holder.start()
    started = time.monotonic()
    try:
        assert note(worker, class_calls, UNTIL_HELD_UP, HELD_UP) == ("done", "")
    finally:
        done.set()
        holder.join()
    assert time.monotonic() - started > HELD_UP.exercise


def hold_up_child(worker: Worker, settled: list[psutil.Process], done: threading.Event) -> None:
    """Stop a worker's new child that computes, for longer than it may compute."""

    def computes() -> psutil.Process | None:
        for process in processes(worker):
            with suppress(psutil.Error):
                if process not in settled and process.cpu_times().user > 0.5:
                    return process
        return None

    wait_until(lambda: computes() or done.is_set())
    child = computes()
    if child:
        child.suspend()
        time.sleep(HELD_UP.exercise + 1)
        child.resume()


@needs_sandbox
def test_sleep_is_not_computing_and_ends_later(worker: Worker, class_calls: ClassCalls) -> None:
    assert note(worker, class_calls, "time.sleep(0.2)", Limits(exercise=1)) == ("done", "")
    sleeping = note(worker, class_calls, "time.sleep(10**6)", Limits(exercise=0.2))
    assert sleeping == ("slept", "it waited or slept for 2 seconds")


@needs_sandbox
def test_a_loop_ends_when_its_computing_time_is_used(
    worker: Worker, class_calls: ClassCalls
) -> None:
    looping = note(worker, class_calls, "while True: pass", Limits(exercise=0.4))
    assert looping == ("timeout", "it used 0.4 seconds of computing time")


@needs_sandbox
def test_threads_count_together(plain_worker: Worker, class_calls: ClassCalls) -> None:
    """A second thread that computes while the first one sleeps is no way out."""
    body = (
        "import threading, hashlib\n"
        "    def loop():\n"
        "        while True: hashlib.sha256(bytes(1 << 20))\n"
        "    threading.Thread(target=loop, daemon=True).start()\n"
        "    time.sleep(10**6)"
    )
    run = note(plain_worker, class_calls, body, Limits(exercise=0.5))
    assert run == ("timeout", "it used 0.5 seconds of computing time") or os.getuid() == 0


@needs_sandbox
def test_what_one_exercise_used_is_not_counted_for_the_next(
    worker: Worker, class_calls: ClassCalls
) -> None:
    compute = "end = time.process_time() + {}\n{}while time.process_time() < end: pass"
    cells = ["import time\n" + compute.format(1.0, "")]
    cells += [CELL.format(body=compute.format(0.01, "    "))]
    run = worker.run(cells, class_calls, Limits(exercise=0.9), only=["set_forget_bias"])
    assert run.exercises["set_forget_bias"].ended == "done"
