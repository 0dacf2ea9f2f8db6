"""Exercises on a device of their own: no tensor is forgotten on the CPU."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rnncourse._exercise import CHAPTERS
from rnncourse._notebook import source
from tests import strength
from tests.devices.notebook import error_on_fake

ROOT = Path(__file__).parents[2]
CHEAP = ["rnn", "lstm"]
"""Those that are run in any case."""


@pytest.mark.long
@pytest.mark.parametrize("chapter", CHAPTERS if strength.full() else CHEAP)
def test_a_solved_exercise_stays_on_its_device(chapter: str, tmp_path: Path) -> None:
    notebook = json.loads((ROOT / f"solutions/{chapter}/{chapter}.ipynb").read_text("utf-8"))
    cells = [source(cell) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert any("train.device()" in cell for cell in cells)
    assert error_on_fake(cells, tmp_path) == ""
