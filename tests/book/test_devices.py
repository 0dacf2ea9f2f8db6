"""Lessons on a device of their own: no tensor is forgotten on the CPU."""

from __future__ import annotations

import re
import shutil
from importlib import import_module
from pathlib import Path

import pytest

from tests import strength
from tests.devices.notebook import error_on_fake

from .site import CHAPTERS, ROOT, code_cells

lesson_notebook = import_module("lesson_notebook")

TRAINS_LONG = (
    re.compile(r"(?<=\brange\()(?:\d{3,}|updates|epochs)(?=\))"),
    re.compile(r"(?<=\bupdates=)\d{2,}|(?<=\bepochs=)\d{2,}"),
)
"""How long a lesson trains: three updates show where its tensors are."""
OVER_MANY_UPDATES = ".unfold(1, 20, 20)"
"""In cells that draw a mean over many updates, which three have not."""
BEGINNING = 3
"""How many of a lesson's cells are run in any case: training takes minutes on the fake device."""


@pytest.mark.long
@pytest.mark.parametrize("page", [*strength.some(CHAPTERS), "book/conventions"])
def test_a_lesson_stays_on_its_device(page: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "book/stored", tmp_path / "stored")
    cells = lesson_notebook.visible_sources(code_cells(page))
    assert any("train.use_device()" in cell for cell in cells[:2])
    cells = [shortened(cell) for cell in cells if OVER_MANY_UPDATES not in cell]
    cells = cells if strength.full() else cells[:BEGINNING]
    assert error_on_fake(cells, tmp_path) == ""


def shortened(cell: str) -> str:
    for long in TRAINS_LONG:
        cell = long.sub("3", cell)
    return cell
