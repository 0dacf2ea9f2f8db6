"""How a worker is started, and what is said where none can be."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from rnncourse.grading.sandbox import launch
from rnncourse.grading.sandbox.host import Worker
from rnncourse.grading.sandbox.launch import Layers, SandboxError, obstacle, sandboxed, unsafe
from tests.grading.sandboxes import printed

NO_SANDBOX = obstacle()
needs_sandbox = pytest.mark.skipif(NO_SANDBOX is not None, reason=str(NO_SANDBOX))


def inside(source: str) -> subprocess.CompletedProcess[str]:
    """Run a line of Python where a worker would run."""
    launch = sandboxed()
    command = [*launch.command[: launch.command.index("-P")], "-I", "-S", "-c", source]
    return subprocess.run(command, env=launch.environment, capture_output=True, text=True)


def listed(folder: str) -> list[str]:
    """The names in a folder of the sandbox."""
    return inside(f"import os; print(*os.listdir({folder!r}))").stdout.split()


def test_missing_bubblewrap_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    said = obstacle()
    assert said is not None and "sudo apt install bubblewrap" in said
    with pytest.raises(SandboxError, match="apt install bubblewrap"):
        sandboxed()


def test_bubblewrap_that_does_not_start_is_quoted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho No permissions to create new namespace >&2\nexit 1")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    said = obstacle()
    assert said is not None and "No permissions to create new namespace" in said


def test_other_systems_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "Linux" in str(obstacle())


def test_layers_are_written_in_one_word() -> None:
    assert str(Layers()) == "none"
    assert str(Layers(("bubblewrap", "rlimits"))) == "bubblewrap+rlimits"
    assert str(Layers(("bubblewrap", "rlimits"), "0.12.0")) == "bubblewrap 0.12.0+rlimits"
    assert str(unsafe().layers(namespaces=True, seccomp=True)) == "none"


@needs_sandbox
def test_bubblewrap_itself_has_an_empty_environment_and_stays_outside(worker: Worker) -> None:
    process = worker._process
    assert process is not None
    bubblewrap = psutil.Process(process._process.pid)
    assert bubblewrap.name() == "bwrap" and bubblewrap.environ() == {}
    assert (
        inside("import os; print([p for p in os.listdir('/proc') if p.isdigit()])").stdout
        == "['1']\n"
    )


@needs_sandbox
def test_a_worker_has_none_of_the_callers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADEBOOK_PASSWORD", "hush")
    assert "hush" not in inside("import os; print(os.environ)").stdout
    assert not {"GRADEBOOK_PASSWORD", "USER"} & set(unsafe().environment)


@needs_sandbox
def test_of_the_package_only_what_the_worker_needs_is_there() -> None:
    assert listed("/course") == ["rnncourse"]
    assert listed("/course/rnncourse/grading") == ["worker"]
    there = {name for name in listed(f"/course/rnncourse/{launch.WORKER}") if name[0] != "_"}
    room = Path(launch.__file__).parents[2] / launch.WORKER
    assert there == {path.name for path in room.glob("[!_]*.py")}


@needs_sandbox
def test_the_repository_homes_and_programs_are_not_there() -> None:
    root = Path(launch.__file__).parents[3]
    for folder in (str(root), "/home", "/usr/bin", "/bin", "/sbin", "/var", "/sys", "/run"):
        assert inside(f"import os; os.listdir({folder!r})").returncode != 0
    base = Path(sys.base_prefix).parts[1]
    allowed = {"course", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "site", "tmp"}
    assert set(listed("/")) <= allowed | {"usr", base}
    assert set(listed("/etc")) <= {"alternatives", "ld.so.cache"}


@needs_sandbox
@pytest.mark.parametrize(
    "folder",
    [
        *(
            "/",
            "/dev",
            "/dev/shm",
            "/course/rnncourse/grading",
            "/course/rnncourse/grading/worker",
        ),
        *("/usr", "/site", "/site/0"),
    ],
)
def test_only_tmp_can_be_written_to(folder: str) -> None:
    assert "Read-only file system" in inside(f"open({folder + '/left'!r}, 'w')").stderr
    assert inside("open('/tmp/left', 'w')").returncode == 0


@needs_sandbox
def test_a_virtual_environment_in_the_repository_shows_only_its_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    packages = tmp_path / "course" / ".venv" / "lib" / "python3" / "site-packages"
    (packages / "rnncourse" / "grading").mkdir(parents=True)
    (packages / "rnncourse" / "grading" / "spec.py").touch()
    (packages / "other.py").touch()
    (tmp_path / "course" / "gradebook.db").touch()
    monkeypatch.setattr(sys, "path", [str(packages)])
    assert sorted(listed("/site/0")) == ["other.py", "rnncourse"]
    assert listed("/site/0/rnncourse") == []
    find = "import os; print('gradebook.db' in {f for _, _, fs in os.walk('/') for f in fs})"
    assert inside(find).stdout == "False\n"


@needs_sandbox
def test_packages_of_python_itself_hide_the_grader_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As where everything is installed for the whole machine, without a virtual environment."""
    python = tmp_path / "python"
    packages = python / "lib" / "python3" / "site-packages"
    (packages / "rnncourse" / "grading").mkdir(parents=True)
    (packages / "rnncourse" / "grading" / "spec.py").touch()
    (python / "lib" / "other.so").touch()
    (python / "share").mkdir()
    program = launch._base_python()
    libraries = str(Path(sys.base_prefix, "lib"))
    monkeypatch.setattr(sys, "path", [str(packages)])
    monkeypatch.setattr(sys, "base_prefix", str(python))
    monkeypatch.setattr(launch, "_base_python", lambda: program)
    original = launch._system()
    monkeypatch.setattr(launch, "_system", lambda: [*original, "--ro-bind", libraries, libraries])
    assert sorted(listed(str(python / "lib"))) == ["other.so", "python3"]
    assert listed(str(packages / "rnncourse")) == listed("/site/0/rnncourse") == []
    assert listed(str(python)) == ["lib"]


@needs_sandbox
def test_the_host_has_another_name_inside() -> None:
    assert inside("import os; print(os.uname().nodename)").stdout == f"{launch.HOST_NAME}\n"


PLACE = "/home/mallory/checkout"
"""Where the instructor's sources are said to be."""


@needs_sandbox
@pytest.mark.parametrize("among_libraries", [False, True])
def test_installed_packages_do_not_tell_where_sources_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, among_libraries: bool
) -> None:
    """In a virtual environment, and where everything is installed for the whole machine."""
    packages = tmp_path / "lib" / "python3" / "site-packages"
    telling = (
        "_editable_impl_course.pth",
        "course.egg-link",
        "course-1.dist-info/direct_url.json",
        "__editable___course_finder.py",
        "__pycache__/__editable___course_finder.cpython-311.pyc",
    )
    for name in telling:
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text(f"{PLACE}\n", "utf-8")
    (packages / "namespace.pth").write_text("import sys\n", "utf-8")
    monkeypatch.setattr(sys, "path", [str(packages)])
    if among_libraries:
        program, libraries = launch._base_python(), str(Path(sys.base_prefix, "lib"))
        original = launch._system()
        monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
        monkeypatch.setattr(launch, "_base_python", lambda: program)
        shown = [
            *original,
            "--ro-bind",
            libraries,
            libraries,
            "--ro-bind",
            *[f"{tmp_path}/lib"] * 2,
        ]
        monkeypatch.setattr(launch, "_system", lambda: shown)
    places = ["/site/0", *([str(packages)] if among_libraries else [])]
    search = (
        "import os\n"
        f"for place in {places!r}:\n"
        "  for folder, _, names in os.walk(place):\n"
        "    for name in names:\n"
        "      try: print(name if 'mallory' in open(f'{folder}/{name}').read() else 'fine', name)\n"
        "      except PermissionError: pass\n"
    )
    done = inside(f"exec({search!r})")
    assert (done.stdout, done.stderr) == ("fine namespace.pth\n" * len(places), "")


@needs_sandbox
def test_the_checkout_is_named_in_no_text_of_a_package(worker: Worker) -> None:
    """The compiled files name it: a virtual environment in the checkout has its path in each."""
    root = str(Path(launch.__file__).parents[3])
    search = (
        "import os\nfound = []\n"
        "for folder, _, names in os.walk('/site'):\n"
        "    for name in names:\n"
        "        if name.endswith(('.pth', '.json', '.egg-link')) or '.dist-info' in folder:\n"
        "            try: content = open(f'{folder}/{name}', 'rb').read()\n"
        "            except OSError: continue\n"
        f"            if {root!r}.encode() in content: found.append(name)\n"
        "print(found)"
    )
    assert printed(worker, search) == "[]\n"


@needs_sandbox
def test_no_library_is_loaded_from_scratch(worker: Worker) -> None:
    said = printed(
        worker,
        "import _ctypes, ctypes, shutil\n"
        "ctypes.CDLL(_ctypes.__file__)\n"
        "shutil.copyfile(_ctypes.__file__, 'own.so')\n"
        "ctypes.CDLL('./own.so')",
    )
    assert said.startswith("OSError") and "own.so" in said, said


def test_children_share_no_memory_that_they_can_write_to(crowded_worker: Worker) -> None:
    """One child's would be the next one's. Here a child can see its own memory."""
    shared = (
        "lines = [line.split() for line in open('/proc/self/maps')]\n"
        "print(len(lines) > 50, [line for line in lines if line[1] in ('rw-s', 'rwxs')])"
    )
    assert printed(crowded_worker, shared) == "True []\n"
