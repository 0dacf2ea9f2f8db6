"""Grading on a Dask cluster: a real scheduler and real workers, here on loopback."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rnncourse.grading.course import Course
from rnncourse.grading.sandbox.launch import obstacle
from tests.grading.class_dump import dump
from tests.strength import full
from tools.demonstration.learners import ROOT, write_class

distributed = pytest.importorskip("distributed")
NO_SANDBOX = obstacle()
pytestmark = pytest.mark.skipif(NO_SANDBOX is not None, reason=str(NO_SANDBOX))

COPIES = 4 if full() else 2
"""How many learners hand in each notebook, but for the one that never ends."""
ENVIRONMENT = os.environ | {"COLUMNS": "200", "DASK_DISTRIBUTED__ADMIN__TICK__LIMIT": "30s"}


def start(module: str, *arguments: str, folder: Path) -> subprocess.Popen[bytes]:
    log = (folder / f"{module.rpartition('.')[2]}-{time.monotonic_ns()}.log").open("wb")
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=log, stderr=log)


@dataclass(frozen=True)
class Cluster:
    """A scheduler's address, and what its workers are started with."""

    address: str
    folder: Path

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """One worker more."""
        here = ("--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard")
        module = "distributed.cli.dask_worker"
        with ended(start(module, self.address, *here, folder=self.folder)) as process:
            yield process

    def wait_for_workers(self, number: int) -> None:
        with distributed.Client(self.address, timeout="600s", set_as_default=False) as client:
            client.wait_for_workers(number)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with one worker."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    here = ("--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    folder = tmp_path_factory.mktemp("cluster")
    with ended(start("distributed.cli.dask_scheduler", *here, folder=folder)) as process:
        wait_until(lambda: answers(port), process)
        made = Cluster(f"tcp://127.0.0.1:{port}", folder)
        with made.worker():
            yield made


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is killed at last."""
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class that is graded on this machine."""
    course = tmp_path_factory.mktemp("here") / "class"
    write_class(course)
    for folder in list((course / "submitted").iterdir()):
        if folder.name != "farah":
            for copy in range(1, COPIES):
                shutil.copytree(folder, folder.with_name(f"{folder.name}-{copy}"))
    process = grade(course)
    process.communicate()
    assert process.returncode == 1
    return course


def not_graded(here: Path, there: Path) -> Path:
    """The same class, with the same secret inputs, before it is graded."""
    shutil.copytree(here / "submitted", there / "submitted")
    (there / "records").mkdir()
    shutil.copy(here / "records/lstm.seed.json", there / "records")
    return there


def grade(course: Path, *more: str) -> subprocess.Popen[str]:
    report = ["--report", str(course / "report.json"), "--seconds", "1"]
    command = [sys.executable, "-m", "rnncourse", "grade", "lstm", "--course", str(course)]
    return subprocess.Popen(
        [*command, *report, *more],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def rows(course: Path) -> list[dict[str, Any]]:
    found = json.loads((course / "report.json").read_text("utf-8"))
    return sorted(found, key=lambda row: (row["student"], row["exercise"]))


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[Any]) -> None:
    while not holds():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def graded(course: Path) -> list[Path]:
    """The records of what is graded."""
    return list(course.glob("records/lstm/*.json"))


@pytest.mark.long
def test_a_cluster_gives_the_same_even_when_a_worker_is_killed(
    cluster: Cluster, here: Path, tmp_path: Path
) -> None:
    there = not_graded(here, tmp_path)
    with cluster.worker() as fragile:
        cluster.wait_for_workers(2)
        process = grade(there, "--scheduler", cluster.address)
        wait_until(lambda: len(graded(there)) > 6, process)
        fragile.kill()
        _, said = process.communicate()
    assert process.returncode == 1 and said.startswith("rnncourse: refused"), said
    assert rows(there) == rows(here)
    assert dump(Course.open(there).gradebook) == dump(Course.open(here).gradebook)


@pytest.mark.only_long
def test_a_run_on_a_cluster_that_was_killed_goes_on_elsewhere(
    cluster: Cluster, here: Path, tmp_path: Path
) -> None:
    there = not_graded(here, tmp_path)
    process = grade(there, "--scheduler", cluster.address)
    wait_until(lambda: len(graded(there)) > 6, process)
    process.kill()
    process.communicate()
    kept = {p: p.stat().st_mtime_ns for p in graded(there)}
    process = grade(there)
    process.communicate()
    assert rows(there) == rows(here)
    unchanged = [p for p, moment in kept.items() if p.stat().st_mtime_ns == moment]
    assert len(unchanged) >= len(kept) - COPIES  # who cannot be read is looked at every time
    assert unchanged


def test_where_no_scheduler_answers_it_says_so(tmp_path: Path) -> None:
    write_class(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = grade(tmp_path, "--scheduler", f"tcp://127.0.0.1:{port}")
    _, said = process.communicate()
    assert process.returncode == 1
    assert said.startswith(f"rnncourse: no Dask scheduler answers at tcp://127.0.0.1:{port}")
    assert not (tmp_path / "feedback").exists()
