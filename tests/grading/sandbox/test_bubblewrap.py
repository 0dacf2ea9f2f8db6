"""Which bubblewrap runs, and what is said of an old one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rnncourse.grading.sandbox.bubblewrap import caution, version
from rnncourse.grading.sandbox.launch import Launch


def program(folder: Path, script: str) -> str:
    path = folder / "bwrap"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo bubblewrap 0.11.2", "0.11.2"),
        ("echo bubblewrap 1.0", "1.0"),
        ("echo bubblewrap", ""),
        ("exit 1", ""),
    ],
)
def test_the_program_is_asked_for_its_version(
    script: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = program(tmp_path, script)
    monkeypatch.setattr(shutil, "which", lambda name: place)
    assert version() == expected
    layers = Launch([], {}, True).layers(namespaces=False, seccomp=True)
    named = f"bubblewrap {expected}" if expected else "bubblewrap"
    assert str(layers) == f"{named}+seccomp+rlimits"


def test_no_program_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert version() == ""


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_this_machines_program_says_its_version() -> None:
    said = subprocess.run(["bwrap", "--version"], capture_output=True, text=True, check=True)
    assert version() and version() in said.stdout


SETUID, SETUP = "CVE-2026-41163", "GHSA-pxhw-h44j-8pfx"


@pytest.mark.parametrize(
    ("numbers", "holes"),
    [
        ("0.8.0", {SETUP}),
        ("0.9", {SETUP}),
        ("0.11.0", {SETUID, SETUP}),
        ("0.11.1", {SETUID, SETUP}),
        ("0.11.2", {SETUP}),
        ("0.11.10", {SETUP}),
        ("0.12.0", set()),
        ("0.12", set()),
        ("0.12.1", set()),
        ("1.0.0", set()),
    ],
)
def test_old_versions_have_published_holes(numbers: str, holes: set[str]) -> None:
    said = caution(f"bubblewrap {numbers}+namespaces+rlimits")
    assert {hole for hole in (SETUID, SETUP) if hole in said} == holes
    assert bool(said) == bool(holes)
    if said:
        assert said.startswith(f"bubblewrap {numbers} has published holes")


@pytest.mark.parametrize("layers", ["none", "not run", "bubblewrap+rlimits", ""])
def test_what_names_no_version_gets_no_warning(layers: str) -> None:
    assert caution(layers) == ""
