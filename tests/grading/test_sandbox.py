"""How a worker is started, and what is said where none can be."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rnncourse.grading import sandbox
from rnncourse.grading.sandbox import Layers, SandboxError, obstacle, sandboxed, unsafe

NO_SANDBOX = obstacle()
needs_sandbox = pytest.mark.skipif(NO_SANDBOX is not None, reason=str(NO_SANDBOX))


def inside(*program: str) -> subprocess.CompletedProcess[str]:
    """Run a program where a worker would run."""
    launch = sandboxed()
    worker = launch.command.index("-P") - 1
    command = [*launch.command[:worker], *program]
    return subprocess.run(command, env=launch.environment, capture_output=True, text=True)


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
    assert str(unsafe().layers(namespaces=True, seccomp=True)) == "none"


@needs_sandbox
def test_bubblewrap_itself_has_an_empty_environment() -> None:
    assert sandboxed().environment == {}
    seen = inside("/usr/bin/cat", "/proc/1/environ")
    assert seen.returncode == 0
    assert seen.stdout == ""


@needs_sandbox
def test_a_worker_has_none_of_the_callers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADEBOOK_PASSWORD", "hush")
    assert "hush" not in inside("/usr/bin/env").stdout
    assert not {"GRADEBOOK_PASSWORD", "USER"} & set(unsafe().environment)


@needs_sandbox
def test_of_the_package_only_what_the_worker_needs_is_there() -> None:
    listed = inside("/usr/bin/ls", "/course", "/course/rnncourse/grading").stdout.split()
    assert sorted(listed) == sorted(
        ["/course:", "rnncourse", "/course/rnncourse/grading:", *sandbox.MODULES]
    )


@needs_sandbox
def test_the_repository_and_homes_are_not_there() -> None:
    root = Path(sandbox.__file__).parents[2]
    assert inside("/usr/bin/ls", str(root)).returncode != 0
    assert inside("/usr/bin/ls", "/home").returncode != 0
    top = set(inside("/usr/bin/ls", "/").stdout.split())
    base = Path(sys.base_prefix).parts[1]
    allowed = {"bin", "course", "dev", "etc", "lib", "lib32", "lib64", "proc", "sbin", "site"}
    assert top <= allowed | {"tmp", "usr", base}


@needs_sandbox
@pytest.mark.parametrize("folder", ["/", "/dev", "/dev/shm", "/course/rnncourse/grading", "/usr"])
def test_only_tmp_can_be_written_to(folder: str) -> None:
    assert inside("/usr/bin/touch", f"{folder}/left").returncode != 0
    assert inside("/usr/bin/touch", "/tmp/left").returncode == 0


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
    assert inside("/usr/bin/ls", "/site/0").stdout.split() == ["other.py", "rnncourse"]
    assert inside("/usr/bin/ls", "/site/0/rnncourse").stdout == ""
    assert inside("/usr/bin/find", "/", "-name", "gradebook.db").stdout == ""
