"""Workers to run code in, for the tests of the sandbox."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from rnncourse.grading.sandbox.host import Worker
from rnncourse.grading.sandbox.job import ClassCalls
from rnncourse.grading.sandbox.launch import Launch, SandboxError, obstacle, sandboxed
from rnncourse.grading.sandbox.limits import Limits
from rnncourse.grading.worker import seccomp
from tools.answers import solutions

NO_SANDBOX = obstacle()
needs_sandbox = pytest.mark.skipif(NO_SANDBOX is not None, reason=str(NO_SANDBOX))
NOTHING = ClassCalls()

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
POWERLESS = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


class Impatient(Limits):
    """The usual limits, but who does not compute for a second has slept enough."""

    @property
    def idle(self) -> float:
        return 1.0


def printed(worker: Worker, source: str) -> str:
    """What a cell prints, or the error that it ends with."""
    cell = worker.run([source], NOTHING).cells[0]
    return cell.error or cell.output


def wait_until(happens: Callable[[], object]) -> None:
    """Wait for something; what never happens is a test that hangs."""
    while not happens():
        time.sleep(0.01)


def processes(worker: Worker) -> list[psutil.Process]:
    """What runs in a worker's sandbox, with what started it."""
    assert worker._process is not None
    sandbox = psutil.Process(worker._process._process.pid)
    return [sandbox, *sandbox.children(recursive=True)]


def behind(launch: Launch, *prefix: str) -> Launch:
    """A worker that another program starts."""
    return replace(launch, command=[*prefix, *launch.command])


def small(*options: str) -> Launch:
    """A sandboxed worker that starts sooner, as it is asked lstm's exercises only."""
    return sandboxed(*options).warming_up(solutions("lstm").sources)


def plain_worker() -> Worker:
    """A worker that has been started by somebody who is not root; the caller closes it.

    Nobody may not be let into the folders of this checkout and this Python; then root gives up its
    rights instead.
    """
    if os.getuid() != 0:
        return Worker(sandboxed()).__enter__()
    for name, *options in (NOBODY, POWERLESS):
        program = shutil.which(name)
        if program is None:
            continue
        with suppress(SandboxError):
            return Worker(behind(sandboxed(), program, *options, "--")).__enter__()
    raise RuntimeError("there is no way to be a plain user here")


def unfiltered() -> Launch:
    """A worker on what looks like a kernel without filters for system calls: asked for one, it
    answers EINVAL."""
    root = str(Path(seccomp.__file__).parents[3])
    return behind(sandboxed(), sys.executable, "-c", _REFUSE_FILTERS, root)


_REFUSE_FILTERS = """
import ctypes, os, platform, struct, sys
sys.path.insert(0, sys.argv[1])
from rnncourse.grading.worker import calls, isolation
number = calls.NUMBERS["prctl"][list(calls.ARCHITECTURES).index(platform.machine())]
code = [(0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, 16), (0x15, 0, 1, 22),
        (6, 0, 0, 0x50000 | 22), (6, 0, 0, 0x7FFF0000)]
raw = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
head = struct.pack("HxxxxxxQ", len(code), ctypes.addressof(raw))
head = ctypes.create_string_buffer(head)
isolation.prctl(38, 1)
isolation.prctl(22, 2, ctypes.addressof(head))
os.execve(sys.argv[2], sys.argv[2:], {})
"""
