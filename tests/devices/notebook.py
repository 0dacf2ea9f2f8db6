"""Code cells on the fake device, each notebook in a process that is forked with torch loaded."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import torch
from IPython.core.interactiveshell import InteractiveShell

from rnncourse import train
from rnncourse._device import VARIABLE
from tests.devices import fake

BATCHES = 2
NOT_SHOWN = "Nothing to see yet"
"""What a demonstration prints where it fails, and goes on."""


def error_on_fake(cells: list[str], folder: Path) -> str:
    """Run code cells one after the other in a folder.

    Returns:
        the first error's traceback, else what demonstrations print that fail, else "".
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.devices.preload"])
    answer, end = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(cells, folder, end))
    process.start()
    end.close()
    try:
        return str(answer.recv())
    except EOFError:
        return "the process has died"
    finally:
        process.join()


def _run(cells: list[str], folder: Path, answer: Connection) -> None:
    os.chdir(folder)
    os.environ[VARIABLE] = fake.NAME
    matplotlib.use("agg")
    plt.show = lambda: plt.close("all")  # as in a notebook
    torch.set_num_threads(1)
    fake.install()
    _shorten_training()
    shell = InteractiveShell.instance()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        for source in cells:
            result = shell.run_cell(source)
            error = result.error_before_exec or result.error_in_exec
            if error is not None:
                answer.send("".join(traceback.format_exception(error)))
                return
    answer.send("\n".join(line for line in said.getvalue().splitlines() if NOT_SHOWN in line))


def _shorten_training() -> None:
    """A few batches are enough to see on which device tensors are."""
    fit = train.fit

    def fit_briefly(model: Any, draw: Any, loss_fn: Any, steps: int, **rest: Any) -> list[float]:
        losses = fit(model, draw, loss_fn, steps=min(steps, BATCHES), **rest)
        return losses * (steps // len(losses) + 1)

    train.fit = fit_briefly
