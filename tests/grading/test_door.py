"""nbgrader's own commands give what `rnncourse grade` gives, and still do their own work."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.converters import NbGraderException
from nbgrader.coursedir import CourseDirectory

from rnncourse._notebook import grade_id
from rnncourse.grading.course import Course
from rnncourse.grading.gradebook.schema import making_tables
from rnncourse.grading.nbgrader_plugin import CourseAutograde, CourseFeedback, CourseGrader
from rnncourse.grading.sandbox.launch import obstacle
from rnncourse.grading.sandbox.limits import Limits
from tests.grading.class_dump import dump
from tests.grading.nbgrader_course import essay, hand_in, nbgrader, new_course, rnncourse_grade
from tools.demonstration.learners import ROOT, filled, solutions, write_class

NO_SANDBOX = obstacle()
needs_sandbox = pytest.mark.skipif(NO_SANDBOX is not None, reason=str(NO_SANDBOX))

SHORT = "c.CourseGrader.submission_seconds = 30"
LATE = "c.LateSubmissionPlugin.penalty_method = 'zero'"
SEED = '{"seed": 12345}\n'


@dataclass(frozen=True)
class Doors:
    """One class, graded through each door; the secret seed is the same and was recorded before.

    Attributes:
        exchange: nbgrader's, which each of them has in its configuration.
    """

    command: Path
    nbgrader: Path
    exchange: Path
    log: str

    def __iter__(self) -> Iterator[Path]:
        return iter((self.command, self.nbgrader))

    def dumps(self) -> list[dict[str, list[tuple[Any, ...]]]]:
        return [dump(gradebook(course)) for course in self]

    def copied_to(self, folder: Path) -> Doors:
        """The same, for whoever changes something in it."""
        places, exchange = [folder / "command", folder / "nbgrader"], folder / "exchange"
        for course, place in zip(self, places, strict=True):
            shutil.copytree(course, place, symlinks=True)
            config = place / "nbgrader_config.py"
            text = config.read_text("utf-8").replace(repr(str(self.exchange)), repr(str(exchange)))
            config.write_text(text, "utf-8")
        exchange.mkdir()
        return Doors(*places, exchange, self.log)


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Doors:
    places = [tmp_path_factory.mktemp("doors") for _ in range(2)]
    command, nbgraders = (place / "class" for place in places)
    exchange = tmp_path_factory.mktemp("exchange")
    new_course(nbgraders, LATE, SHORT, f"c.Exchange.root = {str(exchange)!r}")
    write_class(nbgraders)
    write_damaged(nbgraders)
    (nbgraders / "records").mkdir()
    (nbgraders / "records" / "lstm.seed.json").write_text(SEED, "utf-8")
    with making_tables(), Gradebook(gradebook(nbgraders), "class") as book:
        book.update_or_create_assignment("lstm", duedate="2026-03-01 12:00 UTC")
    shutil.copytree(nbgraders, command, symlinks=True)
    assert rnncourse_grade(command).returncode == 1  # some are refused
    done = nbgrader(nbgraders, "autograde", "lstm")
    assert done.returncode == 1
    return Doors(command, nbgraders, exchange, done.stderr)


@pytest.fixture
def copied(doors: Doors, tmp_path: Path) -> Doors:
    """A copy of it that a test may change."""
    return doors.copied_to(tmp_path)


def write_damaged(course: Path) -> None:
    """What nbgrader stumbles over, one that is late, and one that sleeps."""
    right = json.loads(filled(solutions()))
    check = next(c for c in right["cells"] if grade_id(c) == "check_lstm_cell")
    hand_in(course, "twice", json.dumps(right | {"cells": [*right["cells"], check]}))
    bare = [{**c, "metadata": {}} for c in right["cells"]]
    hand_in(course, "bare", json.dumps(right | {"cells": bare}))
    renamed = hand_in(course, "renamed", json.dumps(right))
    (renamed / "lstm.ipynb").rename(renamed / "lstm (1).ipynb")
    old = nbformat.reads(json.dumps(right), as_version=3)
    hand_in(course, "old", nbformat.writes(old, version=3))
    (course / "submitted/linked/lstm").mkdir(parents=True)
    (course / "submitted/linked/lstm/lstm.ipynb").symlink_to(course / "records/lstm.seed.json")
    (course / "submitted/nothing/lstm").mkdir(parents=True)
    late = hand_in(course, "late", json.dumps(right))
    (late / "timestamp.txt").write_text("2026-03-02 12:00:00 UTC", "utf-8")
    (late / "submission_secret.txt").write_text("abc", "utf-8")
    sleeps = "import time; time.sleep(10**6)\n" + solutions()["set_forget_bias"]
    hand_in(course, "sleepy", filled(solutions() | {"set_forget_bias": sleeps}))


def gradebook(course: Path) -> str:
    return f"sqlite:///{course / 'gradebook.db'}"


def door(kind: type[CourseGrader], course: Path, **choice: str) -> CourseGrader:
    """What nbgrader's command starts for lstm, in this process."""
    config = Course.open(course).config
    coursedir = CourseDirectory(config=config, root=str(course), assignment_id="lstm", **choice)
    return kind(coursedir=coursedir, config=config)


@needs_sandbox
def test_both_doors_leave_the_same_rows(doors: Doors) -> None:
    ours, nbgraders = doors.dumps()
    assert ours == nbgraders
    students = {row[0] for row in nbgraders["grades"]}
    assert students == {path.name for path in (doors.nbgrader / "submitted").iterdir()}


@needs_sandbox
def test_both_doors_leave_the_same_files(doors: Doors) -> None:
    def files(course: Path) -> set[str]:
        rooms = ("autograded", "feedback", "records", "class")
        found = (path for room in rooms for path in (course / room).rglob("*"))
        return {str(path.relative_to(course)) for path in found}

    assert files(doors.command) == files(doors.nbgrader)
    copied = [path for path in (doors.nbgrader / "autograded").rglob("*.*") if path.is_file()]
    assert {path.name for path in copied} == {"lstm.ipynb"}


@needs_sandbox
def test_the_log_has_a_line_a_submission(doors: Doors) -> None:
    assert "ada: 20 of 20\n" in doors.log
    for damaged in ("bare", "late", "old", "renamed", "twice"):
        assert f"{damaged}: 20 of 20\n" in doors.log
    assert "goran: 0 of 20, refused: lstm.ipynb" in doors.log
    last = doors.log.strip().splitlines()[-1]
    assert last.endswith("refused, and marked 0: goran, linked, nothing; the lines above say why.")
    assert "Traceback" not in doors.log and "DEBUG" not in doors.log


@needs_sandbox
def test_late_points_are_taken_off_by_nbgraders_plugin(doors: Doors) -> None:
    with Gradebook(gradebook(doors.nbgrader)) as book:
        submission = book.find_submission("lstm", "late")
        assert submission.total_seconds_late == 24 * 3600
        assert submission.late_submission_penalty == submission.score == 20
        assert not book.find_submission("lstm", "ada").late_submission_penalty


@needs_sandbox
def test_what_has_not_changed_is_left_as_it_is(
    doors: Doors, caplog: pytest.LogCaptureFixture
) -> None:
    before = doors.dumps()
    again = door(
        CourseAutograde, doors.nbgrader, student_id="[ab]*", student_id_exclude="bare,bilal"
    )
    again.config.Execute.enabled = False
    with caplog.at_level("INFO", again.log.name):
        again.start()
    assert caplog.messages == [
        "--no-execute has no meaning for lstm: it is run.",
        "ada: 20 of 20, as before: nothing has changed",
    ]
    assert doors.dumps() == before


@needs_sandbox
def test_marks_and_comments_of_people_stay(copied: Doors) -> None:
    for course in copied:
        with Gradebook(gradebook(course)) as book:
            book.find_grade("check_lstm_cell", "lstm", "lstm", "dora").manual_score = 3.25
            comment = book.find_comment("lstm_cell", "lstm", "lstm", "dora")
            comment.manual_comment = "Well **explained**!"
            book.db.commit()
    forced = nbgrader(copied.nbgrader, "autograde", "lstm", "--student", "dora", "--force")
    assert forced.returncode == 0, forced.stderr
    assert "dora: 16.4 of 20\n" in forced.stderr and "ada" not in forced.stderr
    again = rnncourse_grade(copied.command, "--student", "dora", "--again")
    assert again.returncode == 0, again.stderr
    ours, nbgraders = copied.dumps()
    assert ours == nbgraders
    assert any(row[0] == "dora" and row[5] == 3.25 for row in nbgraders["grades"])
    assert (copied.nbgrader / "records/lstm.seed.json").read_text("utf-8") == SEED


@pytest.mark.only_long
@needs_sandbox
def test_they_reach_the_feedback_page_the_export_and_the_exchange(copied: Doors) -> None:
    course = copied.nbgrader
    with Gradebook(gradebook(course)) as book:
        book.find_grade("check_lstm_layer", "lstm", "lstm", "late").manual_score = 1.75
        comment = book.find_comment("lstm_layer", "lstm", "lstm", "late")
        comment.manual_comment = "This loop is **elegant**."
        book.db.commit()
        submissions = book.assignment_submissions("lstm")
        marks = {
            s.student.id: max(0, s.score - (s.late_submission_penalty or 0)) for s in submissions
        }
    page = course / "feedback/late/lstm/lstm.html"
    others = course / "feedback/ada/lstm/lstm.html"
    before = others.stat().st_mtime_ns
    done = nbgrader(course, "generate_feedback", "lstm", "--student", "l*e")
    assert done.returncode == 0, done.stderr
    assert "elegant" in page.read_text("utf-8") and "1.75" in page.read_text("utf-8")
    assert others.stat().st_mtime_ns == before

    assert nbgrader(course, "export").returncode == 0
    with (course / "grades.csv").open(encoding="utf-8") as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert exported == pytest.approx(marks)

    done = nbgrader(course, "release_feedback", "lstm", "--student", "late")
    assert done.returncode == 0, done.stderr
    (released,) = (copied.exchange / "class" / "feedback").glob("*.html")
    assert released.read_bytes() == page.read_bytes()


@needs_sandbox
def test_without_bubblewrap_nothing_is_graded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = new_course(tmp_path / "class")
    hand_in(course, "ida", filled({}))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    with pytest.raises(NbGraderException, match="bubblewrap"):
        door(CourseAutograde, course).start()
    assert not (course / "gradebook.db").exists() and not (course / "records").exists()


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ({"student_id": "nobody"}, "nothing of nobody is there for lstm, or not chosen."),
        ({"notebook_id": "other*"}, "lstm has no notebook other*.ipynb."),
    ],
)
def test_a_choice_that_fits_nothing_is_said(
    tmp_path: Path, choice: dict[str, str], sentence: str
) -> None:
    course = new_course(tmp_path / "class")
    hand_in(course, "goran", "{")
    with pytest.raises(NbGraderException) as error:
        door(CourseAutograde, course, **choice).start()
    assert str(error.value) == sentence
    assert not (course / "records").exists()


def test_whoever_takes_the_checkout_out_runs_nothing(tmp_path: Path) -> None:
    course, marker = new_course(tmp_path / "class"), tmp_path / "marker"
    own = f"open({str(marker)!r}, 'w').close()\n" + solutions()["set_forget_bias"]
    hand_in(course, "ada", filled({"set_forget_bias": own}))
    done = nbgrader(course, "autograde", "lstm", "--CourseGrader.checkout=")
    assert done.returncode == 1
    assert "CourseGrader.checkout is empty" in done.stderr and "Traceback" not in done.stderr
    assert not marker.exists() and not (course / "autograded").exists()


@needs_sandbox
def test_the_courses_own_limits_hold(doors: Doors) -> None:
    """The time on the clock for all of a submission bounds how long a cell may sleep."""
    for course in doors:
        record = course / "records/lstm/sleepy.json"
        exercises = json.loads(record.read_text("utf-8"))["exercises"]
        verdicts = {e["exercise"]: e["verdict"] for e in exercises}
        assert verdicts.pop("set_forget_bias") == "error"
        assert set(verdicts.values()) == {"passed"}
        (message,) = (e["message"] for e in exercises if e["verdict"] == "error")
        waited = re.search(r"it waited or slept for ([\d.]+) seconds", message)
        assert waited and float(waited[1]) < Limits().idle


def test_feedback_needs_something_graded(tmp_path: Path) -> None:
    course = new_course(tmp_path / "class")
    hand_in(course, "goran", "{")
    with pytest.raises(NbGraderException, match="no submission of lstm has been graded yet"):
        door(CourseFeedback, course).start()


@pytest.mark.only_long
def test_nbgrader_grades_an_assignment_without_hidden_specs(tmp_path: Path) -> None:
    course = new_course(tmp_path / "class")
    (course / "source/essay").mkdir()
    (course / "source/essay/essay.ipynb").write_text(essay("Why do gates help?"), "utf-8")
    assert nbgrader(course, "generate_assignment", "essay").returncode == 0
    hand_in(course, "ida", essay("They remember.", "print(6 * 7)"), "essay")
    hand_in(course, "x;=1+1", essay("They remember."), "essay")
    refused = nbgrader(course, "autograde", "essay")
    assert refused.returncode != 0 and "Traceback" not in refused.stderr
    assert "c.CourseGrader.unsandboxed = ['essay']" in refused.stderr
    assert not (course / "autograded").exists()
    with (course / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write("c.CourseGrader.unsandboxed = ['essay']\n")
    done = nbgrader(course, "autograde", "essay")
    assert done.returncode == 0, done.stderr
    assert "essay has no hidden tests: nbgrader grades it itself, without a sandbox" in done.stderr
    assert "42" in (course / "autograded/ida/essay/essay.ipynb").read_text("utf-8")
    with Gradebook(gradebook(course)) as book:
        assert book.find_submission("essay", "ida").needs_manual_grade
        assert [student.id for student in book.students if "=" in student.id] == []
    assert "these folders need other names" in done.stderr and "'x;=1+1'" in done.stderr


def test_the_checkouts_own_configuration_has_the_door(tmp_path: Path) -> None:
    course = Course.open(ROOT)
    assert course.course_id == "rnncourse"
    assert Path(course.config.CourseGrader.checkout) == ROOT
