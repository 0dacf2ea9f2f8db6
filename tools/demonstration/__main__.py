"""The steps of `make course`, one after the other, each with the time it took."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from rnncourse._errors import CourseError
from rnncourse.grading.commands import Options, grade_assignments, release_assignments
from rnncourse.grading.sandbox import launch
from tools.demonstration.learners import ROOT, write_class
from tools.demonstration.server import claim, start, stop

BUILD = ROOT / "_build"
SITE = BUILD / "html"
CLASS = BUILD / "class"
NOTE = BUILD / "server.pid"
SECONDS = 3.0
"""The deadline of an exercise here: one of the seven never ends."""
PROGRESS = "Lessons: "
"""What a line begins with by which the book's extension fresh_outputs says how far it is."""

console = Console(soft_wrap=True, highlight=False)


def main() -> None:
    """Do what `make course` does, or a part of it."""
    parser = argparse.ArgumentParser(prog="python -m tools.demonstration")
    parser.add_argument("--only", choices=("site", "class", "stop"))
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    if options.only == "stop":
        console.print("The server is stopped." if stop(NOTE) else "No server is running.")
        return
    if options.only is None:
        stop(NOTE)
        try:
            claim(options.port)  # before minutes of work, not after
        except OSError as error:
            sys.exit(str(error))
    if options.only != "class":
        build_site()
    if options.only != "site":
        release()
        grade_class()
    if options.only is None:
        serve(options.port)


def build_site() -> None:
    """Build the website from the lessons."""
    with step("The site: lessons are run, pages written"):
        name = "jupyter-book"
        said = []
        with subprocess.Popen(
            [Path(sys.executable).parent / name, "build", ROOT, "-W", "-n", "--keep-going"],
            cwd=ROOT,
            env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as building:
            for line in building.stdout or ():
                said.append(line)
                if line.startswith(PROGRESS):
                    console.print(f"  {line.strip()}", markup=False)
    if building.returncode:
        print("".join(said)[-12_000:], file=sys.stderr)
        sys.exit(f"{name} failed: see above.")


def release() -> None:
    """Make the learners' notebooks from the instructor's."""
    with step("The exercises: released from solutions/"):
        release_assignments(None, console)


def grade_class() -> None:
    """Seven submissions, among them one that never ends and one that cannot be read."""
    shutil.rmtree(CLASS, ignore_errors=True)
    write_class(CLASS)
    obstacle = launch.obstacle()
    if obstacle:
        console.print(f"No sandbox: {obstacle}")
        console.print("These seven files are the course's own, so they are graded without one.")
    report = CLASS / "report.json"
    with step("The class: seven submissions graded"):
        try:
            grade_assignments(
                ["lstm"],
                CLASS,
                console,
                Options(
                    specs=ROOT,
                    report=report,
                    seconds=SECONDS,
                    protected=obstacle is None,
                ),
            )
        except CourseError as error:
            console.print(f"{error}")
    rows = json.loads(report.read_text(encoding="utf-8"))
    if {row["student"] for row in rows if row["verdict"] == "refused"} != {"goran"}:
        sys.exit("The class was not graded as it should be: see above.")


def serve(port: int) -> None:
    """Serve site and class on this machine, and print the address."""
    try:
        address = start(SITE, CLASS, port, NOTE)
    except OSError as error:
        sys.exit(str(error))
    console.print(f"\nThe class       {address}class/lstm.html")
    console.print(f"The course      {address}  (until make stop)")


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print how long something took."""
    console.print(f"{title} ...")
    began = time.monotonic()
    yield
    console.print(f"  {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
