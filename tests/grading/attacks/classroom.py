"""A class of attackers and bystanders, graded by the real command, with secrets all around it."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import pty
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from nbgrader.api import Gradebook

from rnncourse.checks.fingerprints import load
from rnncourse.checks.plan import plan_of
from rnncourse.grading.gradebook.schema import making_tables
from tools.demonstration.learners import ASSIGNMENT, ROOT

from .attack import WORTH, Attack, Place

SECRET = f"squirrel-{secrets.token_hex(8)}"
"""Planted wherever an attacker looks. Attackers know how it begins."""

ROOMS = ("feedback", "autograded")
SECONDS_TO_END = 120
"""After which a process that should have ended never will."""


@dataclass
class Graded:
    """What came of a class.

    Attributes:
        secret_seed: of the hidden inputs.
        peak: bytes of memory that the grader itself had at most.
        reached: what came over the network.
        left: processes that were still there afterwards.
    """

    place: Place
    done: subprocess.CompletedProcess[bytes]
    rows: list[dict[str, Any]]
    before: dict[Path, tuple[int, int]]
    outside: tuple[Path, ...]
    peak: int = 0
    reached: list[bytes] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        return (self.done.stdout + self.done.stderr).decode(errors="replace")

    @property
    def secret_seed(self) -> str:
        path = self.place.course / "records" / f"{ASSIGNMENT}.seed.json"
        return str(json.loads(path.read_text("utf-8"))["seed"])

    def points(self, learner: str) -> dict[str, float | None]:
        return {r["exercise"]: r["points"] for r in self.rows if r["student"] == learner}

    def record(self, learner: str) -> dict[str, Any]:
        path = self.place.course / "records" / ASSIGNMENT / f"{learner}.json"
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return content

    def earned(self, learner: str, exercise: str) -> float:
        """What the calls gave is worth, also where a person has to look."""
        found = next(e for e in self.record(learner)["exercises"] if e["exercise"] == exercise)
        stored = load(ASSIGNMENT)[exercise].fixtures
        stages = plan_of(exercise).stages_on(stored)
        weights = {s.name: s.weight for s in stages if s.weight}
        passed = [s["name"] for s in found["report"]["stages"] if s["status"] == "passed"]
        earned = sum(weights.get(name, 0) for name in passed)
        return WORTH[exercise] * earned / sum(weights.values())

    def said(self, learner: str) -> str:
        """What the learner's cells printed and how they failed."""
        cells = self.record(learner)["cells"]
        return "\n".join(cell["output"] + cell["error"] for cell in cells)

    def returned(self, learner: str) -> str:
        """All that was made of a learner's submission."""
        folders = (self.place.course / room / learner for room in ROOMS)
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        files.append(self.place.course / "records" / ASSIGNMENT / f"{learner}.json")
        texts = [path.read_text("utf-8") for path in files]
        return "\n".join([*texts, json.dumps([r for r in self.rows if r["student"] == learner])])

    def after(self) -> dict[Path, tuple[int, int]]:
        return snapshot(self.outside)


def graded(
    folder: Path,
    attacks: Sequence[Attack],
    *options: str,
    terminal: bool = False,
    meanwhile: Callable[[Path], None] | None = None,
) -> Graded:
    """Hand in all attacks, and grade them.

    Args:
        options: of the command.
        terminal: whether its output is a terminal.
        meanwhile: done to the course folder before it is graded.
    """
    course, home, scratch = folder / "course", folder / "home", folder / "scratch"
    for each in (course, home, scratch):
        each.mkdir()
    with listening(home) as (port, reached):
        place = Place(course, home, port)
        plant_secrets(place)
        for attack in attacks:
            attack.hand_in(place)
        if meanwhile:
            meanwhile(course)
        outside = (home, scratch, *(ROOT / room for room in ("solutions", "exercises")))
        before = snapshot(outside)
        report = course / "report.json"
        command = [sys.executable, "-m", "rnncourse", "grade", ASSIGNMENT, "--course", str(course)]
        command += ["--report", str(report), "--workers", "2", *options]
        variables = {
            "HOME": str(home),
            "TMPDIR": str(scratch),
            "COLUMNS": "200",
            "GRADEBOOK_PASSWORD": SECRET,
            "MPLCONFIGDIR": str(folder / "matplotlib"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with shared_secrets(), alone_with_children() as left:
            done, peak = watched(command, variables, terminal)
        rows = json.loads(report.read_text("utf-8")) if report.exists() else []
    return Graded(place, done, rows, before, outside, peak, reached, left)


def plant_secrets(place: Place) -> None:
    """Where the instructor has secrets, and where classmates have."""
    for path in (place.home / "secret.txt", place.course / "secret.txt"):
        path.write_text(f"{SECRET}\n", "utf-8")
    (place.home / ".ssh").mkdir()
    (place.home / ".ssh" / "id_secret").write_text(f"{SECRET}\n", "utf-8")
    gradebook = f"sqlite:///{place.course / 'gradebook.db'}"
    with making_tables(), Gradebook(gradebook) as book:
        book.add_student("not-in-class", last_name=SECRET)
    for name in ("bystander_1", "bystander_2"):
        note = place.course / "submitted" / name / ASSIGNMENT / "lstm-notes.txt"
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(f"{SECRET}\n", "utf-8")


@contextlib.contextmanager
def shared_secrets() -> Iterator[None]:
    """A secret in shared memory and one in the keys of this session, while a class is graded."""
    libc = ctypes.CDLL(None, use_errno=True)
    add_key, keyctl = (248, 250) if platform.machine() == "x86_64" else (217, 219)
    key = libc.syscall(add_key, b"user", b"rnncourse", SECRET.encode(), len(SECRET), -3)
    segment = libc.shmget(0x5EED, 4096, 0o1600)
    file = Path("/dev/shm") / SECRET
    if file.parent.is_dir():
        file.write_text(SECRET, "utf-8")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        libc.shmctl(segment, 0, None)
        libc.syscall(keyctl, 9, key, -3)


@contextlib.contextmanager
def listening(home: Path) -> Iterator[tuple[int, list[bytes]]]:
    """Somebody who waits for messages of this machine: yields a port and what has come."""
    heard: list[bytes] = []
    port = _free_port()
    listeners = [
        _bound(socket.AF_INET, socket.SOCK_STREAM, ("0.0.0.0", port)),
        _bound(socket.AF_INET, socket.SOCK_DGRAM, ("0.0.0.0", port)),
        _bound(socket.AF_UNIX, socket.SOCK_STREAM, f"\0rnncourse-{port}"),
    ]

    def hear(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                if listener.type == socket.SOCK_DGRAM:
                    if not (said := listener.recv(100)):
                        return  # it was shut
                    heard.append(said)
                    continue
                with listener.accept()[0] as peer:
                    heard.append(b"connected")
                    peer.settimeout(1)

    threads = [threading.Thread(target=hear, args=(each,), daemon=True) for each in listeners]
    for thread in threads:
        thread.start()
    try:
        yield port, heard
    finally:
        for listener in listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()


@contextlib.contextmanager
def alone_with_children() -> Iterator[list[str]]:
    """Yields a list that at the end holds the processes that were started here, directly or not,
    and are still there."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans come to this process
    before = set(psutil.Process().children(recursive=True))
    left: list[str] = []
    yield left
    deadline = time.monotonic() + SECONDS_TO_END
    while (now := _running(before)) and time.monotonic() < deadline:
        time.sleep(0.05)
    left += [" ".join(process.cmdline()) for process in now]


def watched(
    command: list[str], variables: dict[str, str], terminal: bool
) -> tuple[subprocess.CompletedProcess[bytes], int]:
    """Run a command; its result and the most memory that it had itself.

    Args:
        terminal: whether its output is a terminal.
    """
    ours, theirs = pty.openpty() if terminal else os.pipe()
    said = bytearray()

    def hear() -> None:
        with contextlib.suppress(OSError):  # of a terminal that nobody writes to any more
            while part := os.read(ours, 65536):
                said.extend(part)

    reader = threading.Thread(target=hear)
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.STDOUT,
    )
    os.close(theirs)
    reader.start()
    peak = 0
    while process.poll() is None:
        peak = max(peak, _high_water(process.pid))
        time.sleep(0.05)
    reader.join(SECONDS_TO_END)
    os.close(ours)
    return subprocess.CompletedProcess(command, process.returncode, bytes(said), b""), peak


def snapshot(folders: Sequence[Path]) -> dict[Path, tuple[int, int]]:
    """Size and time of all files in folders."""
    files = [path for folder in folders for path in folder.rglob("*")]
    return {path: (path.lstat().st_size, path.lstat().st_mtime_ns) for path in files}


def _running(before: set[psutil.Process]) -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if before & {process, *process.parents()}:  # such as a browser of other tests
                continue
            if process.status() == psutil.STATUS_ZOMBIE:
                process.wait(0)
            else:
                found.append(process)
    return found


def _high_water(pid: int) -> int:
    """The most memory that a process had, in bytes."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) << 10
    return 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _bound(family: int, kind: int, address: Any) -> socket.socket:
    found = socket.socket(family, kind)
    found.bind(address)
    if kind == socket.SOCK_STREAM:
        found.listen()
    return found
