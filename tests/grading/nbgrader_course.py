"""What tests of nbgrader's doors share: course folders with submissions, nbgrader's commands run as
people run them, and a Jupyter server with formgrader."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rnncourse.grading.checkout import Checkout
from rnncourse.grading.setup_course import set_up_course
from tools.demonstration.learners import ASSIGNMENT, ROOT

SECONDS = 1
"""The deadline of an exercise in these courses."""

STOPS_SECONDS = 60
"""After which a server that does not end is ended."""


def new_course(folder: Path, *lines: str) -> Path:
    """A course folder as `rnncourse course` makes it, with more lines in its configuration."""
    set_up_course(folder, Checkout(ROOT))
    config = folder / "nbgrader_config.py"
    more = "\n".join((f"c.CourseGrader.seconds = {SECONDS}", *lines))
    config.write_text(config.read_text("utf-8") + more + "\n", "utf-8")
    return folder


def hand_in(course: Path, student: str, text: str, assignment: str = ASSIGNMENT) -> Path:
    """Write a submission, and give its folder."""
    path = course / "submitted" / student / assignment / f"{assignment}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path.parent


def nbgrader(course: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of nbgrader in a course folder."""
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env=environment(course) | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def rnncourse_grade(course: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run `rnncourse grade lstm` in a course folder."""
    command = [sys.executable, "-m", "rnncourse", "grade", ASSIGNMENT, "--seconds", str(SECONDS)]
    return subprocess.run(
        [*command, "--workers", "1", "--specs", str(ROOT), *more],
        cwd=course,
        env=environment(course) | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def environment(course: Path) -> dict[str, str]:
    """This environment, without the Jupyter settings of whoever runs the tests."""
    home = course.parent / f"{course.name}-home"
    folders = {f"JUPYTER_{kind}_DIR": str(home / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | folders | {"PATH": path, "IPYTHONDIR": str(home / "ipython")}


@contextmanager
def jupyter(course: Path) -> Iterator[tuple[str, str]]:
    """A Jupyter server in a course folder: yields its address and its token."""
    token = secrets.token_hex(8)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "IdentityProvider.token": token,
    }
    log = course.parent / f"{course.name}-server.log"
    with log.open("w") as lines:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *(f"--{k}={v}" for k, v in options.items())],
            cwd=course,
            env=environment(course),
            stdout=lines,
            stderr=subprocess.STDOUT,
        )
    try:
        root = f"http://127.0.0.1:{port}"
        _wait_for(f"{root}/formgrader/api/status?token={token}", server, log)
        yield root, token
    finally:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=STOPS_SECONDS)
        server.kill()  # one that waits for its kernels or clients
        server.wait()


def essay(answer: str, output_code: str = "") -> str:
    """A notebook that people mark: a Markdown answer worth 5 points, and a cell of code."""
    marked = {
        "grade": True,
        "grade_id": "essay",
        "locked": False,
        "points": 5,
        "schema_version": 3,
        "solution": True,
        "task": False,
    }
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "id": "a", "metadata": {"nbgrader": marked}, "source": answer},
        {
            "cell_type": "code",
            "id": "b",
            "metadata": {},
            "source": output_code,
            "execution_count": None,
            "outputs": [],
        },
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    while server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=60).close()
            return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    raise OSError(f"the Jupyter server did not start: {log.read_text('utf-8')[-3000:]}")
