"""`rnncourse course DIR` makes a folder in which nbgrader and this grader work at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnncourse._errors import CourseError
from rnncourse.grading.checkout import Checkout
from rnncourse.grading.course import Course
from rnncourse.grading.setup_course import set_up_course
from tests.grading.nbgrader_course import nbgrader
from tools.demonstration.learners import ROOT

MADE = {"nbgrader_config.py", "README.md", "source", "submitted"}


def make(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rnncourse", "course", str(folder)],
        cwd=folder.parent,
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_makes_a_course_that_nbgrader_knows(tmp_path: Path) -> None:
    folder = tmp_path / "RNNs, spring 2027"
    done = make(folder)
    assert done.returncode == 0, done.stderr
    assert "(course RNNs-spring-2027)" in done.stdout
    assert {path.name for path in folder.iterdir()} == MADE
    course = Course.open(folder)
    assert course.course_id == "RNNs-spring-2027"
    assert course.url.database == str(folder / "gradebook.db")

    done = nbgrader(folder, "generate_assignment", "lstm")
    assert done.returncode == 0, done.stderr
    released, expected = (
        json.loads((root / "lstm/lstm.ipynb").read_text("utf-8"))["cells"]
        for root in (folder / "release", ROOT / "exercises")
    )
    assert released == expected


def test_it_overwrites_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "class"
    set_up_course(folder, Checkout(ROOT))
    config = folder / "nbgrader_config.py"
    config.write_text("# mine\n", "utf-8")
    done = make(folder)
    assert done.returncode == 1
    assert done.stderr == (
        f"rnncourse: {folder} holds a nbgrader_config.py already: nothing was made.\n"
    )
    assert config.read_text("utf-8") == "# mine\n"


def test_a_folder_with_submissions_keeps_them(tmp_path: Path) -> None:
    mine = tmp_path / "submitted/ada/lstm/lstm.ipynb"
    mine.parent.mkdir(parents=True)
    mine.write_text("{}", "utf-8")
    set_up_course(tmp_path, Checkout(ROOT))
    assert mine.read_text("utf-8") == "{}"
    assert {path.name for path in tmp_path.iterdir()} >= MADE


def test_what_is_in_the_way_is_named_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "source").symlink_to(tmp_path / "nowhere")
    with pytest.raises(CourseError, match="holds a source already: nothing was made"):
        set_up_course(tmp_path, Checkout(ROOT))
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_a_file_is_no_folder_for_a_class(tmp_path: Path) -> None:
    (tmp_path / "afile").write_text("mine", "utf-8")
    with pytest.raises(CourseError, match="afile is a file; a class needs a folder"):
        set_up_course(tmp_path / "afile", Checkout(ROOT))
    with pytest.raises(CourseError, match="below cannot be made: Not a directory"):
        set_up_course(tmp_path / "afile/below", Checkout(ROOT))


def test_a_class_lies_outside_the_checkout(tmp_path: Path) -> None:
    for folder in (tmp_path / "checkout", tmp_path / "checkout/class"):
        with pytest.raises(CourseError, match="lies in the checkout .*outside it"):
            set_up_course(folder, Checkout(tmp_path / "checkout"))
    assert list(tmp_path.iterdir()) == []
