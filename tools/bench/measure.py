"""A command, and what it takes: time, memory, processor time, and what others took meanwhile."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil

SECONDS_BETWEEN_SAMPLES = 0.5
SECONDS_TO_END = 10.0
_PR_SET_CHILD_SUBREAPER = 36


class FailedError(Exception):
    """A command ended with an error. The message shows the end of what it said."""


@dataclass(frozen=True)
class Sample:
    """How it stood at one moment.

    Attributes:
        seconds: since the start.
        done: how much was done.
        main: resident memory of the process itself, in bytes.
        tree: memory of it and all below it, in bytes.
        cpu: processor seconds of all these, and of those they have waited for.
    """

    seconds: float
    done: int
    main: int
    tree: int
    cpu: float = 0.0


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes:
        wall: seconds from start to end.
        cpu: processor seconds of its process and all that came from it.
        main: the most resident memory of its process, in bytes.
        tree: the most memory of all its processes together, in bytes, where pages that several
            share count once (proportional set size); sampled.
        others: what everything else on the machine used meanwhile, in cores.
        samples: in order.
    """

    wall: float
    cpu: float
    main: int
    tree: int
    others: float
    samples: tuple[Sample, ...]


def measure(
    arguments: tuple[str, ...],
    folder: Path,
    environment: dict[str, str],
    log: Path,
    done: Callable[[], int] = lambda: 0,
) -> Cost:
    """Run a command to its end. Whatever happens, nothing that it started is left running.

    Args:
        log: a file for what it prints.
        done: how much it has done, asked now and then.

    Raises:
        FailedError: its exit status is not 0.
    """
    _adopt_orphans()
    busy, own, below = _busy(), time.process_time(), _cpu_of_children()
    start = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # an interrupt from the keyboard is handled here, for all
        )
    sampler = _Sampler(process.pid, start, done)
    try:
        status = _wait_for(process)
        wall = time.perf_counter() - start
    finally:
        sampler.stop()
        _end_all(process)
    cpu = with_lost(_cpu_of_children() - below, sampler.samples)
    others = _busy() - busy - cpu - (time.process_time() - own)
    if status:
        raise FailedError(f"{' '.join(arguments)}\nended with {status}:\n{log.read_text()[-4000:]}")
    main, tree = (
        max((getattr(s, k) for s in sampler.samples), default=0) for k in ("main", "tree")
    )
    return Cost(wall, cpu, main, tree, max(0.0, others / wall), tuple(sampler.samples))


class _Sampler:
    """Looks at a process and all below it now and then, in a thread of its own."""

    def __init__(self, pid: int, start: float, done: Callable[[], int]) -> None:
        self.samples: list[Sample] = []
        self._process, self._start, self._done = psutil.Process(pid), start, done
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        cpu = 0.0
        while not self._stopped.wait(SECONDS_BETWEEN_SAMPLES):
            try:
                main = self._process.memory_info().rss
                everyone = self._everyone()
                tree, before, cpu = sum(map(_memory, everyone)), cpu, sum(map(_cpu, everyone))
                if cpu < before:  # one has ended between its parent's turn and its own
                    cpu = max(cpu, sum(map(_cpu, self._everyone())))
            except psutil.Error:
                return
            seconds = time.perf_counter() - self._start
            self.samples.append(Sample(seconds, self._done(), main, tree, cpu))

    def _everyone(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]


def _cpu(process: psutil.Process) -> float:
    try:
        return float(sum(process.cpu_times()[:4]))
    except psutil.Error:
        return 0.0


def with_lost(counted: float, samples: list[Sample]) -> float:
    """Processor seconds, with those of processes that nobody waited for: what is ended with a whole
    process namespace, as a sandbox may be, disappears from all accounts."""
    seen = [*(sample.cpu for sample in samples), counted]
    return counted + sum(max(0.0, a - b) for a, b in pairwise(seen))


def _memory(process: psutil.Process) -> int:
    """The proportional set size, 0 for a process that has ended. One that may not be looked into
    counts with all that is resident."""
    try:
        try:
            return int(process.memory_full_info().pss)
        except (psutil.AccessDenied, AttributeError):
            return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _adopt_orphans() -> None:
    """Become the parent of all below whose own parent ends: then they are found and counted."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait_for(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process and for adopted ones that end before it; its exit status."""
    while process.returncode is None:
        pid, status = os.wait()
        if pid == process.pid:
            process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode


def _end_all(process: subprocess.Popen[bytes]) -> None:
    """End everything below this process, and wait for it."""
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + SECONDS_TO_END
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
    me = psutil.Process()
    while left := me.children(recursive=True):
        for one in left:
            try:
                one.kill()
            except psutil.NoSuchProcess:
                continue
        for one in me.children():
            try:
                os.waitpid(one.pid, 0)
            except ChildProcessError:
                continue


def _busy() -> float:
    """Processor seconds that the machine has spent on anything."""
    times = psutil.cpu_times()
    return float(sum(times[:8]) - times.idle - getattr(times, "iowait", 0.0))


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
