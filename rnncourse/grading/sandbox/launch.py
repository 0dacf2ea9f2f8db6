"""How a worker is started: inside bubblewrap, or, only where someone says so, without it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import rnncourse

from ..._errors import CourseError
from . import bubblewrap

COURSE, SITE = "/course", "/site"
WORKER = "grading/worker"
"""The only room of the grader that the sandbox sees."""
HOST_NAME = "sandbox"
TELLING = (
    *("*.dist-info/direct_url.json", "*.egg-link"),
    *("__editable__*", "__pycache__/__editable__*"),
)
"""Files of packages that tell where on this machine their sources are, besides *.pth."""
TMP_BYTES = 64 << 20
_PACKAGE = Path(rnncourse.__file__).parent

WORDS = {
    "bubblewrap": "sees none of your files, processes and networks",
    "namespaces": "is alone, in a place that disappears with it",
    "seccomp": "can start no programs, make no connections and tell others at work nothing",
    "rlimits": "has limits on memory, time and files",
}
"""The layers of protection, and what learners' code can or cannot do for each."""


class SandboxError(CourseError):
    """No sandbox, or no worker in it, can be started. The message says why and what to do."""


@dataclass(frozen=True)
class Layers:
    """What stands between a learner's code and the grader.

    Attributes:
        names: of "bubblewrap" (files, network, processes), "namespaces" (each child in its own)
            "seccomp" (system calls) and "rlimits" (memory, time, sizes); none in the unsafe mode.
        version: bubblewrap's, "" if it is not known.
    """

    names: tuple[str, ...] = ()
    version: str = ""

    def __str__(self) -> str:
        """Such as "bubblewrap 0.12.0+seccomp+rlimits"; "none" in the unsafe mode."""
        named = f"bubblewrap {self.version}" if self.version else "bubblewrap"
        return "+".join(named if name == "bubblewrap" else name for name in self.names) or "none"

    def in_words(self) -> str:
        """What each of them does, and which ones there could be besides."""
        there = "; ".join(f"{words} ({n})" for n, words in WORDS.items() if n in self.names)
        missing = ", ".join(name for name in WORDS if name not in self.names)
        return f"learners' code {there}" + (f". Not on this machine: {missing}" if missing else "")


@dataclass(frozen=True)
class Launch:
    """A command that starts a worker.

    Attributes:
        environment: the whole environment of the command, but for a home in the unsafe mode.
        sandboxed: whether it is inside bubblewrap.
    """

    command: list[str]
    environment: dict[str, str]
    sandboxed: bool

    def warming_up(self, exercises: Iterable[str]) -> Launch:
        """The same for a class that is asked these exercises only: it starts sooner."""
        return replace(self, command=[*self.command, *exercises])

    def layers(self, namespaces: bool, seccomp: bool) -> Layers:
        """What there is, given what a worker has found that it can do for its children."""
        if not self.sandboxed:
            return Layers()
        tried = {"namespaces": namespaces, "seccomp": seccomp}
        working = (name for name, works in tried.items() if works)
        return Layers(("bubblewrap", *working, "rlimits"), bubblewrap.version())


def sandboxed(*options: str) -> Launch:
    """A worker inside bubblewrap, which itself has an empty environment: the sandbox could read it.

    Args:
        options: more options for bubblewrap.

    Raises:
        SandboxError: bubblewrap is missing.
    """
    return Launch([*_bubblewrap(), *options, *_worker(_base_python(), "sandboxed")], {}, True)


def unsafe() -> Launch:
    """A worker without any sandbox: a learner's code can do what the caller can, and is given only
    limits on memory and time."""
    return Launch(_worker(sys.executable, "plain"), _environment(str(_PACKAGE.parent)), False)


def obstacle() -> str | None:
    """Why no sandbox can be started on this machine, in a sentence or two; None if one can.

    It starts one, as only that tells: containers often forbid what bubblewrap needs.
    """
    if sys.platform != "linux":
        return "The sandbox is bubblewrap, which needs Linux."
    try:
        command = [*_bubblewrap(), _base_python(), "-I", "-S", "-c", "pass"]
        done = subprocess.run(command, env={}, capture_output=True, text=True, timeout=30)
    except SandboxError as error:
        return str(error)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not start: {error}."
    if done.returncode == 0:
        return None
    said = done.stderr.strip().splitlines()
    return (
        f"bubblewrap is installed but does not start here: {said[-1] if said else 'no message'}. "
        "It needs version 0.8 or newer and a system that allows user namespaces."
    )


def _bubblewrap() -> list[str]:
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError(
            "bubblewrap is not installed: on Debian and Ubuntu, sudo apt install bubblewrap."
        )
    site = {folder: f"{SITE}/{k}" for k, folder in enumerate(_site_folders())}
    # A user other than root inside, so that a child can make namespaces of its own from it.
    alone = ["--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000"]
    alone += ["--hostname", HOST_NAME]
    alone += ["--as-pid-1"]  # no process of bubblewrap's own in there, whose memory could be read
    powerless = ["--cap-drop", "ALL", "--die-with-parent", "--new-session", "--clearenv"]
    places = ["--dev", "/dev", "--proc", "/proc", "--size", str(TMP_BYTES), "--tmpfs", "/tmp"]
    read_only = ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    variables = _environment(":".join([COURSE, *site.values()])) | {"HOME": "/tmp"}
    settings = [part for item in variables.items() for part in ("--setenv", *item)]
    files = [*_system(), *_course(), *_packages(site)]
    return [program, *alone, *powerless, *places, *files, *read_only, *settings]


def _worker(python: str, mode: str) -> list[str]:
    return [python, "-P", "-s", "-m", f"rnncourse.{WORKER.replace('/', '.')}", mode]


def _environment(path: str) -> dict[str, str]:
    """All that a worker has but for its home; nothing of the instructor's."""
    one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
    one_thread["OMP_THREAD_LIMIT"] = "1"  # where a notebook asks for more, it still goes on
    return {
        "PYTHONPATH": path,
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "MPLBACKEND": "Agg",
        **one_thread,
    }


def _system() -> list[str]:
    """The system's libraries, and Python with its own: no programs, nothing else under /usr."""
    options: list[str] = []
    for name in ("lib", "lib32", "lib64", "libx32"):
        top, folder = Path("/", name), f"/usr/{name}"
        options += ["--ro-bind-try", folder, folder]
        if top.is_symlink():
            options += ["--symlink", str(top.readlink()), str(top)]
        elif top.is_dir():
            options += ["--ro-bind", str(top), str(top)]
    for name in ("/etc/ld.so.cache", "/etc/alternatives", "/usr/share/zoneinfo"):
        options += ["--ro-bind-try", name, name]
    python, libraries = _base_python(), str(Path(sys.base_prefix, "lib"))
    return [*options, "--ro-bind", libraries, libraries, "--ro-bind", python, python]


def _course() -> list[str]:
    """This package without its grader, but for the room of the worker."""
    inside = f"{COURSE}/rnncourse"
    return [
        *("--ro-bind", str(_PACKAGE), inside),
        *("--tmpfs", f"{inside}/grading"),
        *("--ro-bind", str(_PACKAGE / WORKER), f"{inside}/{WORKER}"),
        *("--remount-ro", f"{inside}/grading"),
    ]


def _packages(site: dict[str, str]) -> list[str]:
    """The installed packages, each folder at its place inside."""
    options = [part for folder, inside in site.items() for part in ("--ro-bind", folder, inside)]
    for folder, inside in site.items():
        among_libraries = Path(folder).is_relative_to(Path(sys.base_prefix, "lib"))
        for place in (inside, folder) if among_libraries else (inside,):
            if Path(folder, "rnncourse").is_dir():  # installed: its grader is there as well
                hidden = f"{place}/rnncourse"
                options += ["--tmpfs", hidden, "--remount-ro", hidden]
            for name in _telling(Path(folder)):
                options += ["--ro-bind", os.devnull, f"{place}/{name}"]
    return options


def _telling(folder: Path) -> list[str]:
    """Files in a folder of packages that tell where on this machine sources are. Nothing inside
    needs them: what lies elsewhere is not there anyway."""
    found = [path for pattern in TELLING for path in folder.glob(pattern)]
    found += [path for path in folder.glob("*.pth") if _names_a_place(path)]
    return [str(path.relative_to(folder)) for path in found if path.is_file()]


def _names_a_place(path: Path) -> bool:
    """Whether a .pth file holds an absolute path. Others hold code that packages may need."""
    return any(line.startswith(os.sep) for line in path.read_text("utf-8", "replace").splitlines())


def _site_folders() -> list[str]:
    """Where this Python finds installed packages. A virtual environment may lie in the repository;
    of it nothing else is shown."""
    names = ("site-packages", "dist-packages")
    return [folder for folder in sys.path if Path(folder).name in names and Path(folder).is_dir()]


def _base_python() -> str:
    """The program that a virtual environment's `python` leads to."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    program = Path(sys.base_prefix, "bin", version)
    return str(program if program.exists() else Path(sys.executable).resolve())
