"""Run every lesson's and every solved exercise's notebook on a GPU, and write what became of it.

    make gpu

Needs a machine with a GPU that torch can use. The table, which book/status.md shows, names the GPU,
the day and the version of torch.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import nbformat
import torch
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

from rnncourse._device import VARIABLE, DeviceError, described, device

ROOT = Path(__file__).parents[1]
LESSONS = ROOT / "_build/html/notebooks"
TABLE = ROOT / "book/stored/gpu.md"
HANGS_SECONDS = 3600
"""After which a cell hangs and is ended."""


@dataclass(frozen=True)
class Run:
    """A notebook after Run All.

    Attributes:
        name: of the notebook.
        seconds: on the clock, the start of the kernel included.
        error: the line that names its first error, or "".
    """

    name: str
    seconds: float
    error: str = ""


def main() -> None:
    """Run the notebooks and write the table, or say in a sentence why not."""
    parser = argparse.ArgumentParser(prog="python -m tools.gpu")
    parser.add_argument("--lessons", type=Path, default=LESSONS, metavar="FOLDER")
    parser.add_argument("--table", type=Path, default=TABLE, metavar="FILE")
    options = parser.parse_args()
    try:
        place, words = device(), described()
    except DeviceError as error:
        sys.exit(f"tools.gpu: {error}")
    if place.type == "cpu":
        sys.exit(f"tools.gpu: this needs a GPU, and torch computes on {words}.")
    lessons = sorted(options.lessons.glob("lesson-*.ipynb"))
    if not lessons:
        sys.exit(f"tools.gpu: there are no lessons in {options.lessons}: make site first.")
    os.environ[VARIABLE] = str(place)
    runs = list(run_all([*lessons, *sorted(ROOT.glob("solutions/*/*.ipynb"))]))
    options.table.write_text(table(runs, words), encoding="utf-8")
    print(f"written  {options.table}")
    sys.exit(any(run.error for run in runs))


def run_all(notebooks: Iterable[Path]) -> Iterator[Run]:
    """Run notebooks one after the other, and print a line for each."""
    for path in notebooks:
        run = run_one(path)
        print(f"{run.name:24} {run.seconds:5.0f} s  {run.error or 'ran'}", flush=True)
        yield run


def run_one(path: Path) -> Run:
    """Run a notebook in an empty folder, but for the stored results that lie beside it."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        if (stored := path.parent / "stored").is_dir():
            shutil.copytree(stored, Path(folder) / "stored")
        place = {"metadata": {"path": folder}}
        limits = {"timeout": HANGS_SECONDS, "startup_timeout": HANGS_SECONDS}
        begin = time.monotonic()
        error = ""
        try:
            NotebookClient(notebook, resources=place, **limits).execute()
        except CellExecutionError as caught:
            error = f"{caught.ename}: {caught.evalue}".splitlines()[0]
        except (DeadKernelError, TimeoutError) as caught:
            error = str(caught).splitlines()[0]
        error = error or _not_shown(notebook)
        return Run(path.stem, time.monotonic() - begin, error)


def _not_shown(notebook: NotebookNode) -> str:
    """What a demonstration printed that failed, after which its notebook goes on; or ""."""
    said = [
        line
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        for line in str(output.get("text", "")).splitlines()
    ]
    return next((line for line in said if line.startswith("Nothing to see yet")), "")


def table(runs: Iterable[Run], words: str) -> str:
    """The runs as Markdown, under a sentence on the device, the day and torch."""
    rows = [
        f"| {run.name} | {run.seconds:.0f} | {run.error.replace('|', '/') or 'ran'} |"
        for run in runs
    ]
    head = f"Run on {words}, on {date.today()}, with torch {torch.__version__}."
    return "\n".join([head, "", "| notebook | seconds | |", "|---|---|---|", *rows, ""])


if __name__ == "__main__":
    main()
