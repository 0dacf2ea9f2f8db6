"""What this machine can do for the course."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import torch

from .train import device


def findings() -> Iterator[tuple[str, str]]:
    """A name and a finding at a time."""
    yield "Python", platform.python_version()
    yield "torch", f"{torch.__version__}, {torch.get_num_threads()} threads"
    yield "training on", _device()
    yield "notebooks", _installed("jupyterlab", "notebook")
    yield "nbgrader", _installed("nbgrader")
    yield "sandbox", _sandbox()


def _device() -> str:
    return torch.cuda.get_device_name() if device().type == "cuda" else "the CPU"


def _installed(*packages: str) -> str:
    for package in packages:
        try:
            return f"{package} {version(package)}"
        except PackageNotFoundError:
            continue
    return f"not installed (pip install {packages[0]})"


def _sandbox() -> str:
    """Only instructors need it: learners' code runs inside it when it is graded. It is started, as
    only that tells what a machine allows."""
    if find_spec("nbgrader") is None:
        return "not needed; it comes with rnncourse[grading]"
    from .grading.sandbox.host import Worker
    from .grading.sandbox.launch import SandboxError, obstacle, sandboxed

    if reason := obstacle():
        return reason
    try:
        with Worker(sandboxed()) as worker:
            return worker.layers.in_words()
    except SandboxError as error:
        return str(error)
