"""The same through nbgrader's own commands, and what becomes of it in their tables and pages."""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from rnncourse.grading.sandbox.launch import obstacle
from tests.grading.nbgrader_course import nbgrader, new_course
from tools.demonstration.learners import ASSIGNMENT

from .attack import WORTH, Attack, Place
from .conftest import QUICK
from .outward import BYSTANDERS, ODD_NAMES, REFUSED_NAMES
from .test_attacks import Elements

pytestmark = pytest.mark.skipif(obstacle() is not None, reason=str(obstacle()))

NAMES = (
    "manual_score",
    "ast_transformer",
    "tensor_subclass",
    "do_execute",
    "modules_beside",
    "results_beside",
    "outputs_that_praise",
    "more_points",
    "driver_patched",
    "reads_the_gradebook",
    "reads_environment_of_parents",
    "exits_in_a_cell",
    "check_twice",
    "metadata_lost",
    "wrong_file_name",
    "invalid_json",
    "link_to_the_gradebook",
    "linked_folder",
    "fifo",
    "evil_markdown",
    "evil_outputs",
    "says_script",
)
SECRET = "squirrel-in-the-config"


@dataclass(frozen=True)
class Through:
    """A class that went through nbgrader's commands."""

    course: Path
    home: Path
    log: str
    exported: list[dict[str, str]]


pytestmark = pytest.mark.only_long
CHOSEN = [*BYSTANDERS[:3], *(a for a in QUICK if a.name in NAMES), *ODD_NAMES]


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory) -> Through:
    folder = tmp_path_factory.mktemp("door")
    home = folder / "home"
    home.mkdir()
    course = new_course(folder / "class")
    (course / "secret.txt").write_text(SECRET, "utf-8")
    place = Place(course, home, 9)
    for attack in (*CHOSEN, *(Attack(name) for name in REFUSED_NAMES)):
        attack.hand_in(place)
    variables = {"GRADEBOOK_PASSWORD": SECRET, "HOME": str(home)}
    log = nbgrader(course, "autograde", ASSIGNMENT, **variables).stderr
    log += nbgrader(course, "generate_feedback", ASSIGNMENT, **variables).stderr
    log += nbgrader(course, "export", **variables).stderr
    with (course / "grades.csv").open(encoding="utf-8", newline="") as file:
        exported = list(csv.DictReader(file))
    return Through(course, home, log, exported)


@pytest.mark.parametrize("attack", CHOSEN, ids=[attack.name for attack in CHOSEN])
def test_no_mark_is_gained(through: Through, attack: Attack) -> None:
    with Gradebook(f"sqlite:///{through.course / 'gradebook.db'}") as gradebook:
        submission = gradebook.find_submission(ASSIGNMENT, attack.name)
        assert submission.max_score == sum(WORTH.values())
        (notebook,) = submission.notebooks
        grades = {grade.name.removeprefix("check_"): grade for grade in notebook.grades}
        assert set(grades) == set(WORTH)
        for exercise, grade in grades.items():
            deserved = attack.deserves.get(exercise, 0.0)
            assert grade.manual_score is None
            if grade.needs_manual_grade:
                assert grade.auto_score is None and deserved
            else:
                assert grade.auto_score == pytest.approx(deserved)


def test_no_file_is_copied_and_no_module_is_run(through: Through) -> None:
    assert not list(through.course.parent.rglob("pwned*"))
    for room in ("autograded", "feedback"):
        names = {path.name for path in (through.course / room).rglob("*") if path.is_file()}
        assert names <= {f"{ASSIGNMENT}.ipynb", f"{ASSIGNMENT}.html"}
        assert not [path for path in (through.course / room).rglob("*") if path.is_symlink()]
        for path in (through.course / room).rglob("*.*"):
            assert not path.is_file() or SECRET not in path.read_text("utf-8"), path


def test_nothing_runs_on_pages(through: Through) -> None:
    for path in (through.course / "feedback").rglob("*.html"):
        page = Elements.of(path.read_text("utf-8"))
        assert (page.scripts, page.evil) == (0, []), path


def test_no_traceback_and_no_escape_in_the_log(through: Through) -> None:
    assert "Traceback" not in through.log, through.log
    assert "\x1b]" not in through.log and "\u202e" not in through.log


def test_an_exported_table_holds_no_formula(through: Through) -> None:
    """A spreadsheet runs a cell that begins with one of these, wherever it takes a cell to end, and
    whatever width its signs have."""
    assert {row["student_id"] for row in through.exported} >= {a.name for a in BYSTANDERS[:3]}
    cells = [value for row in through.exported for value in row.values() if value]
    narrow = [unicodedata.normalize("NFKC", value) for value in cells]
    parts = [part.strip() for value in narrow for part in re.split(r"[;\t|\n\"':]", value)]
    assert [part for part in parts if re.match(r"[=+@\u2212]|-(?![\d.]+$)", part)] == []
    assert all(ascii(name) in through.log for name in REFUSED_NAMES)


def test_nobody_shifts_a_column_of_the_table(through: Through) -> None:
    """nbgrader writes names into it as they are."""
    assert through.exported
    for row in through.exported:
        assert None not in row and None not in row.values(), row
        assert float(row["max_score"]) == sum(WORTH.values())
    students = [row["student_id"] for row in through.exported]
    assert sorted(students) == sorted(a.name for a in CHOSEN)
