"""Results that a page reads from a file are the ones its script writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .site import ROOT

STORED = ROOT / "book" / "stored"
TINY = ["--distances", "2", "3", "--seeds", "1", "--updates", "2", "--hidden", "2", "--batch", "4"]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the script writes with a budget of seconds."""
    out = tmp_path_factory.mktemp("stored") / "forgetting.json"
    command = [sys.executable, "-m", "book.stored.forgetting", *TINY, "--out", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    written: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return written


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((STORED / "forgetting.json").read_text(encoding="utf-8"))
    return read


def cells(found: dict[str, Any]) -> list[tuple[int, str, float, int]]:
    return [(one["distance"], one["kind"], one["lr"], one["seed"]) for one in found["results"]]


def test_the_stored_file_has_the_shape_of_what_the_script_writes(
    fresh: dict[str, Any], stored: dict[str, Any]
) -> None:
    assert stored.keys() == fresh.keys()
    assert stored["settings"].keys() == fresh["settings"].keys()
    for one in stored["results"]:
        assert one.keys() == fresh["results"][0].keys()
        assert 0 <= one["right"] <= 1


def test_no_result_is_left_out(fresh: dict[str, Any], stored: dict[str, Any]) -> None:
    kinds = list(dict.fromkeys(one["kind"] for one in fresh["results"]))
    for found in (fresh, stored):
        settings = found["settings"]
        assert cells(found) == [
            (distance, kind, lr, seed)
            for distance in settings["distances"]
            for kind in kinds
            for lr in settings["lr"]
            for seed in range(settings["seeds"])
        ]


@pytest.mark.only_long
def test_the_script_runs_by_its_path_too(tmp_path: Path) -> None:
    out = tmp_path / "forgetting.json"
    command = [sys.executable, "book/stored/forgetting.py", *TINY, "--out", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert out.is_file()
