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
from pathlib import Path
from typing import Any

import pytest

from rnncourse.grading.course import Course
from rnncourse.grading.sandbox.launch import obstacle
from tests.demonstration.learners import ROOT, write_class
from tests.grading.class_dump import dump

pytest.importorskip("distributed")
NO_SANDBOX = obstacle()
pytestmark = pytest.mark.skipif(NO_SANDBOX is not None, reason=str(NO_SANDBOX))

ENVIRONMENT = os.environ | {"COLUMNS": "200", "DASK_DISTRIBUTED__ADMIN__TICK__LIMIT": "30s"}


def start(module: str, *arguments: str, folder: Path) -> subprocess.Popen[bytes]:
    log = (folder / f"{module.rpartition('.')[2]}-{time.monotonic_ns()}.log").open("wb")
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=log, stderr=log)


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler's address, and its workers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    here = ["--host", "127.0.0.1"]
    boss = "distributed.cli.dask_scheduler"
    started = [start(boss, *here, "--port", str(port), "--no-dashboard", folder=folder)]
    hands = [
        start(
            "distributed.cli.dask_worker",
            *(address, *here, "--nthreads", "1", "--no-nanny", "--no-dashboard"),
            folder=folder,
        )
        for _ in range(workers)
    ]
    try:
        yield address, hands
    finally:
        for process in hands + started:
            process.kill()
            process.wait()


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


def copies(course: Path, count: int) -> None:
    """More learners with the same notebooks."""
    for folder in list((course / "submitted").iterdir()):
        if folder.name != "farah":
            for copy in range(1, count):
                shutil.copytree(folder, folder.with_name(f"{folder.name}-{copy}"))


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not holds():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def test_a_cluster_gives_the_same_even_when_a_worker_is_killed(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    write_class(here)
    copies(here, 8)
    shutil.copytree(here, there)
    alone = grade(here)
    alone.communicate()
    (there / "records").mkdir()
    shutil.copy(here / "records/lstm.seed.json", there / "records/lstm.seed.json")
    with cluster(tmp_path) as (address, workers):
        process = grade(there, "--scheduler", address)
        wait_until(lambda: len(list(there.glob("records/lstm/*.json"))) > 6, process)
        workers[0].kill()
        _, said = process.communicate(timeout=300)
    assert process.returncode == 1 and said.startswith("rnncourse: refused"), said
    assert rows(there) == rows(here)
    assert dump(Course.open(there).gradebook) == dump(Course.open(here).gradebook)


def test_a_run_on_a_cluster_that_was_killed_goes_on_elsewhere(tmp_path: Path) -> None:
    write_class(tmp_path)
    copies(tmp_path, 8)
    with cluster(tmp_path, workers=1) as (address, _):
        process = grade(tmp_path, "--scheduler", address)
        wait_until(lambda: len(list(tmp_path.glob("records/lstm/*.json"))) > 6, process)
        process.kill()
        process.communicate()
    kept = {p: p.stat().st_mtime_ns for p in tmp_path.glob("records/lstm/*.json")}
    process = grade(tmp_path)
    process.communicate()
    assert len(rows(tmp_path)) == 5 * (6 * 8 + 1)
    unchanged = [p for p, moment in kept.items() if p.stat().st_mtime_ns == moment]
    assert len(unchanged) >= len(kept) - 8  # files that cannot be read are looked at every time


def test_where_no_scheduler_answers_it_says_so(tmp_path: Path) -> None:
    write_class(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = grade(tmp_path, "--scheduler", f"tcp://127.0.0.1:{port}")
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1
    assert said.startswith(f"rnncourse: no Dask scheduler answers at tcp://127.0.0.1:{port}")
    assert not (tmp_path / "feedback").exists()
