"""What this machine can do for the course, told also where an installation is broken.

Only the standard library is imported here. Packages are tried in processes of their own, as one
that is broken may end its process, or never come back.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from . import __version__
from ._exercise import CHAPTERS
from ._installation import PACKAGE, checkout, install_command, requirement

PACKAGES = ("numpy", "matplotlib", "IPython", "torch")
"""What the exercises import."""

SECONDS = 120
"""How long a package may take to be imported."""

LITTLE_SPACE = 10**9
"""Bytes on the disk."""

_VERSION = "import {0}; print({0}.__version__)"
_TORCH = (
    "import json, torch; from rnncourse._device import DeviceError, described\n"
    "try: device = described(), 'ok'\n"
    "except DeviceError as error: device = str(error), 'missing'\n"
    "print(json.dumps([torch.__version__, torch.get_num_threads(), *device]))"
)
_KERNEL = (
    "from jupyter_client.kernelspec import KernelSpecManager;"
    "print(KernelSpecManager().get_kernel_spec('python3').argv[0])"
)


@dataclass(frozen=True)
class Finding:
    """One thing about this machine.

    Attributes:
        said: in a few words, with what to type where something should be done.
        state: "missing" is what no exercise runs without; "note" is worth a look.
    """

    name: str
    said: str
    state: Literal["ok", "note", "missing"] = "ok"


@dataclass(frozen=True)
class _Answer:
    """What a process printed, or why it did not."""

    text: str
    error: str = ""


def findings() -> Iterator[Finding]:
    """One at a time, as some take seconds."""
    yield Finding("Python", f"{platform.python_version()}, {sys.executable}")
    root = checkout()
    place = f"the checkout {root}" if root else f"installed in {PACKAGE.parent}"
    yield Finding("rnncourse", f"{__version__}, {place}")
    codes = [_VERSION.format(name) for name in PACKAGES if name != "torch"]
    with ThreadPoolExecutor() as pool:
        *others, torch, kernel = pool.map(_answer, [*codes, _TORCH, _KERNEL])
    packages = [*map(_package, PACKAGES, others), *_torch(torch)]
    yield from packages
    yield from _notebooks(kernel)
    yield _workspace()
    yield _disk()
    broken = [found.name for found in packages if found.state == "missing"]
    yield from _grader(broken)


def missing(found: Sequence[Finding]) -> list[str]:
    """The names of what the exercises need and is not there."""
    return [each.name for each in found if each.state == "missing"]


def as_json(found: Sequence[Finding]) -> str:
    """One object: `ready`, `missing`, and `findings` by name."""
    by_name = {each.name: {"state": each.state, "said": each.said} for each in found}
    lacking = missing(found)
    return json.dumps({"ready": not lacking, "missing": lacking, "findings": by_name}, indent=2)


def _answer(code: str) -> _Answer:
    """Run code in a process of its own."""
    command = [sys.executable, "-c", code]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return _Answer("", f"it takes more than {SECONDS} seconds")
    said, complaint = done.stdout.strip().splitlines(), done.stderr.strip().splitlines()
    if done.returncode == 0 and said:
        return _Answer(said[-1])
    ended = f"the process ended with status {done.returncode}"
    return _Answer("", complaint[-1] if complaint else ended)


def _package(name: str, answer: _Answer) -> Finding:
    if not answer.error:
        return Finding(name, answer.text)
    wanted = requirement(name)
    if answer.error.startswith("ModuleNotFoundError") and find_spec(name) is None:
        return Finding(name, f'not installed: pip install "{wanted}"', "missing")
    again = f'pip install --force-reinstall "{wanted}"'
    return Finding(name, f"cannot be imported ({answer.error}): {again}", "missing")


def _torch(answer: _Answer) -> Iterator[Finding]:
    if answer.error:
        yield _package("torch", answer)
        return
    name, threads, device, state = json.loads(answer.text)
    yield Finding("torch", f"{name}, {threads} threads")
    yield Finding("training on", device, state)


def _notebooks(kernel: _Answer) -> Iterator[Finding]:
    """What opens notebooks, and whether they run in this Python."""
    if named := _installed("jupyterlab", "notebook"):
        yield Finding("notebooks", named)
        yield _kernel(kernel)
    elif named := _installed("ipykernel"):
        yield Finding("notebooks", f"{named}, for an editor that opens notebooks")
    else:
        yield Finding("notebooks", "not installed: pip install jupyterlab", "missing")


def _kernel(answer: _Answer) -> Finding:
    ours = _script_folders()
    here = f"start  {sys.executable} -m jupyter lab"
    program = shutil.which("jupyter")
    if program is None:
        return Finding("kernel", f"the command jupyter is not on the PATH: {here}", "note")
    if _folder(program) not in ours:
        return Finding("kernel", f"{program} is another Python's: {here}", "note")
    if answer.error:
        return Finding("kernel", f"Jupyter finds no Python ({answer.error})", "note")
    if Path(answer.text).is_absolute() and _folder(answer.text) not in ours:
        mend = f"{sys.executable} -m ipykernel install --sys-prefix"
        said = f"notebooks run in another Python, {answer.text}; for this one: {mend}"
        return Finding("kernel", said, "note")
    return Finding("kernel", "notebooks run in this Python")


def _script_folders() -> set[Path]:
    """Where this Python and the commands of its packages are."""
    schemes = {sysconfig.get_default_scheme(), f"{os.name}_user"} & {*sysconfig.get_scheme_names()}
    scripts = {Path(sysconfig.get_path("scripts", scheme)) for scheme in schemes}
    return {_folder(sys.executable), *scripts}


def _folder(program: str) -> Path:
    # Not resolved: a virtual environment's Python is a link to another one.
    return Path(program).absolute().parent


def _workspace() -> Finding:
    here = Path.cwd()
    places = ((name, here / name / f"{name}.ipynb", here / f"{name}.ipynb") for name in CHAPTERS)
    found = [name for name, *paths in places if any(path.exists() for path in paths)]
    if not found:
        said = f"none in {here}: rnncourse start DIR  makes one"
        return Finding("workspace", said)
    return Finding("workspace", f"{here}: {', '.join(found)}")


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    state: Literal["ok", "note"] = "note" if free < LITTLE_SPACE else "ok"
    return Finding("disk", f"{free / 1e9:.1f} GB free here", state)


def _grader(broken: Sequence[str]) -> Iterator[Finding]:
    """Only instructors need it: learners' code runs inside the sandbox when it is graded."""
    named = _installed("nbgrader")
    if not named:
        yield Finding("nbgrader", f"only for instructors: {install_command('grading')}")
        yield Finding("sandbox", "only for instructors")
        return
    yield Finding("nbgrader", named)
    if broken:
        yield Finding("sandbox", f"not tried without {', '.join(broken)}")
        return
    try:
        yield from _sandbox()
    except ImportError as error:
        yield Finding("sandbox", f"{error}: {install_command('grading')}", "note")


def _sandbox() -> Iterator[Finding]:
    """It is started, as only that tells what a machine allows."""
    from .grading.sandbox import bubblewrap
    from .grading.sandbox.host import Worker
    from .grading.sandbox.launch import SandboxError, obstacle, sandboxed

    if number := bubblewrap.version():
        warning = bubblewrap.caution(f"bubblewrap {number}")
        yield Finding("bubblewrap", warning or number, "note" if warning else "ok")
    if reason := obstacle():
        yield Finding("sandbox", reason, "note")
        return
    try:
        with Worker(sandboxed()) as worker:
            yield Finding("sandbox", worker.layers.in_words())
    except SandboxError as error:
        yield Finding("sandbox", str(error), "note")


def _installed(*packages: str) -> str:
    """The first of the packages that is installed, with its version; "" if none is."""
    for package in packages:
        try:
            return f"{package} {version(package)}"
        except PackageNotFoundError:
            continue
    return ""
