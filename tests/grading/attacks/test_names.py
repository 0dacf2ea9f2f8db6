"""Names of folders that are too long for a file, or that nobody can print: the class is graded."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from rnncourse.grading.sandbox.launch import obstacle
from tools.demonstration.learners import ASSIGNMENT

from .attack import WORTH
from .classroom import Graded, graded
from .outward import ALIKE, BYSTANDERS, LONG_NAME, REFUSED_NAMES, UNPRINTABLE

pytestmark = pytest.mark.skipif(obstacle() is not None, reason=str(obstacle()))
FIRST, LAST = BYSTANDERS[0], BYSTANDERS[-1]
STRANGE = (LONG_NAME, *UNPRINTABLE, *REFUSED_NAMES)


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    def renamed(course: Path) -> None:
        for name in (*STRANGE, ALIKE):
            shutil.copytree(course / "submitted" / FIRST.name, course / "submitted" / name)

    folder = tmp_path_factory.mktemp("strange")
    return graded(folder, [FIRST, LAST], terminal=True, meanwhile=renamed)


def test_others_are_graded(strange: Graded) -> None:
    assert strange.points(FIRST.name) == strange.points(LAST.name) == WORTH, strange.output
    assert {row["student"] for row in strange.rows}.isdisjoint(STRANGE)


def test_the_run_ends_with_sentences(strange: Graded) -> None:
    assert "Traceback" not in strange.output, strange.output
    assert strange.done.returncode == 1
    assert "these folders need other names" in strange.output
    for name in STRANGE:
        assert ascii(name) in re.sub(r"\r?\n", "", strange.output), ascii(name)


def test_names_that_look_alike_are_told_apart(strange: Graded) -> None:
    """In the terminal and on the class page; the report has the name itself."""
    assert strange.points(ALIKE) == WORTH
    page = (strange.place.course / "class" / f"{ASSIGNMENT}.html").read_text("utf-8")
    for shown in (strange.output, page):
        assert f"{ALIKE} \u27e8Cyrillic\u27e9" in shown
        assert len(re.findall(f"(?<!/){ALIKE}(?! \u27e8)", shown)) == 0


def test_nothing_of_a_name_reaches_the_terminal(strange: Graded) -> None:
    assert "\x1b]0;" not in strange.output and "\u202e" not in strange.output
