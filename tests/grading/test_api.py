"""Collecting and grading from a script."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

import rnncourse.grading
from rnncourse._errors import CourseError
from rnncourse.grading import Course, collect, grade
from tests.grading.sandboxes import needs_sandbox
from tools.bench.courses import released
from tools.bench.learners import honest_class, submission


@needs_sandbox
def test_a_script_collects_and_grades(tmp_path: Path) -> None:
    learners = [*honest_class(3, seed=5)]
    with zipfile.ZipFile(tmp_path / "lstm.zip", "w") as archive:
        for learner in learners:
            archive.writestr(f"{learner.name}/lstm.ipynb", submission(learner, released()))
    (tmp_path / "class").mkdir()
    course = Course.open(tmp_path / "class")
    rows = collect(course, tmp_path / "lstm.zip", "lstm").rows
    assert [row.outcome for row in rows] == ["new"] * 3
    records = grade(course, "lstm", workers=1)
    assert {record.student for record in records} == {learner.name for learner in learners}
    right = {learner.name for learner in learners if learner.kind == "all right"}
    assert {one.student for one in records if one.points == one.max_points} >= right
    assert course.overview("lstm").is_file()
    assert grade(course, "lstm") == records  # found done


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    course = Course.open(tmp_path)
    with pytest.raises(CourseError, match="did you mean lstm"):
        grade(course, "lstn")
    with pytest.raises(CourseError, match="there is no folder .*submitted"):
        grade(course, "lstm")
    with pytest.raises(CourseError, match="there is no assignment called lstn: shapes, rnn"):
        collect(course, tmp_path, "lstn")
    assert not list(tmp_path.glob("*/*"))


def test_what_the_grader_offers_to_scripts() -> None:
    assert rnncourse.grading.__all__ == ["Course", "collect", "grade"]
    with pytest.raises(AttributeError, match="no attribute 'grades'"):
        _ = rnncourse.grading.grades
