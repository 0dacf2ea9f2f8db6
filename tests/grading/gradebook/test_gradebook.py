"""Marks in nbgrader's gradebook, on SQLite and on PostgreSQL: never lost, never half, and the rows
that nbgrader itself would have made."""

from __future__ import annotations

import contextlib
import csv
import itertools
import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import nbformat
import pytest
from nbgrader.api import Base, Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.dbutil import _temp_alembic_ini
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import Table, create_engine, select
from traitlets.config import Config

import rnncourse.grading.gradebook.database
from rnncourse._errors import CourseError
from rnncourse.grading.checkout import Checkout
from rnncourse.grading.course import Course
from rnncourse.grading.gradebook.gradebook import Book
from rnncourse.grading.gradebook.schema import schema_version
from rnncourse.grading.record import ByHand
from tests.grading.gradebook.mixed import NAME, WORTH, record, write_mixed
from tests.grading.nbgrader_course import nbgrader
from tests.grading.postgresql import Server
from tests.strength import share

FULL: dict[str, float | None] = {"double": 3.0, "halve": 2.0}
NOON = datetime(2026, 11, 20, 12)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return write_mixed(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, checkout: Checkout) -> Path:
    """A file with a gradebook in which the assignment is registered: copying it is quicker."""
    folder = tmp_path_factory.mktemp("empty")
    Book.open(Course.open(folder), checkout, NAME)
    return folder / "gradebook.db"


@pytest.fixture(scope="module")
def empty_database(
    server: Server, tmp_path_factory: pytest.TempPathFactory, checkout: Checkout
) -> str:
    """The same as a database of the server."""
    name = "empty"
    course = Course.open(tmp_path_factory.mktemp(name), server.new(name))
    Book.open(course, checkout, NAME).close()
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def course(request: pytest.FixtureRequest, tmp_path: Path) -> Course:
    """A course without submissions, its gradebook in either database."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty"), tmp_path / "gradebook.db")
        return configured(tmp_path, f"sqlite:///{tmp_path}/gradebook.db")
    server: Server = request.getfixturevalue("server")
    template = request.getfixturevalue("empty_database")
    return configured(tmp_path, server.new(tmp_path.name, template))


def configured(folder: Path, url: str, *lines: str) -> Course:
    text = "\n".join(("c = get_config()", f"c.CourseDirectory.db_url = {url!r}", *lines))
    (folder / "nbgrader_config.py").write_text(text + "\n", encoding="utf-8")
    return Course.open(folder)


def change(course: Course, work: Callable[[Any], None]) -> None:
    """What a person does in formgrader, through nbgrader's own objects."""
    in_file = course.gradebook.startswith("sqlite")  # others may have it for longer than 5 seconds
    with Gradebook(course.gradebook + "?timeout=600" * in_file) as gradebook:
        work(gradebook)
        gradebook.db.commit()


def grade_of(course: Course, cell: str, student: str = "ada", notebook: str = NAME) -> Any:
    with Gradebook(course.gradebook) as gradebook:
        grade = gradebook.find_grade(cell, notebook, NAME, student)
        return {**grade.to_dict(), "score": grade.score}


def comment_of(course: Course, cell: str, student: str = "ada") -> Any:
    with Gradebook(course.gradebook) as gradebook:
        return gradebook.find_comment(cell, NAME, NAME, student).to_dict()


def set_grade(cell: str, student: str = "ada", **values: Any) -> Callable[[Any], None]:
    def work(gradebook: Any) -> None:
        grade = gradebook.find_grade(cell, NAME, NAME, student)
        for name, value in values.items():
            setattr(grade, name, value)

    return work


def rows(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all of nbgrader's tables; each identifier is replaced by what it stands for."""
    engine = create_engine(url)
    found: dict[str, list[tuple[Any, ...]]] = {}
    meaning: dict[str, str] = {}
    with engine.connect() as connection:
        content = {
            t: connection.execute(select(t)).mappings().all() for t in Base.metadata.sorted_tables
        }
    engine.dispose()
    for table, lines in content.items():
        for line in lines:
            key = [str(meaning.get(line[c], line[c])) for c in _natural_key(table)]
            meaning.setdefault(str(line["id"]), f"{table.name}({', '.join(key)})")
    for table, lines in content.items():
        found[table.name] = sorted(
            (
                tuple(meaning.get(str(v), v) if v is not None else None for v in line.values())
                for line in lines
            ),
            key=repr,
        )
    return found


def _natural_key(table: Table) -> list[str]:
    keys = {
        "course": ["id"],
        "student": ["id"],
        "assignment": ["name"],
        "submitted_assignment": ["assignment_id", "student_id"],
        "submitted_notebook": ["notebook_id", "assignment_id"],
        "notebook": ["assignment_id", "name"],
        "base_cell": ["notebook_id", "type", "name"],
        "source_cell": ["notebook_id", "name"],
    }
    return keys.get(table.name, ["cell_id", "notebook_id"] if "cell_id" in table.c else ["id"])


def nbgraders_own(checkout: Checkout, folder: Path, url: str) -> None:
    """What nbgrader makes of the assignment, and of a submission that was graded."""
    config = Config()
    config.CourseDirectory.root = str(checkout.root)
    config.CourseDirectory.source_directory = "solutions"
    config.CourseDirectory.release_directory = str(folder / "release")
    config.CourseDirectory.assignment_id = NAME
    config.CourseDirectory.course_id = "default_course"
    config.CourseDirectory.db_url = url
    GenerateAssignment(coursedir=CourseDirectory(config=config), config=config).start()
    with Gradebook(url) as gradebook:
        gradebook.update_or_create_student("ada")
        gradebook.update_or_create_submission(NAME, "ada", timestamp=NOON)
    for cell, values in {
        "check_double": {"auto_score": 3.0, "needs_manual_grade": False},
        "check_halve": {"auto_score": None, "needs_manual_grade": True},
    }.items():
        with Gradebook(url) as gradebook:
            set_grade(cell, **values)(gradebook)
            comment = gradebook.find_comment(cell.removeprefix("check_"), NAME, NAME, "ada")
            comment.auto_comment = "Good."
            gradebook.db.commit()


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # of nbgrader's own objects
def test_the_rows_are_those_that_nbgrader_makes(
    course: Course, checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Book.open(course, checkout, NAME)
    book.commit(record("ada", {"double": 3.0, "halve": None}, "Good."), NOON)
    programs = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    url = f"sqlite:///{tmp_path}/nbgraders.db"
    nbgraders_own(checkout, tmp_path, url)
    theirs, ours = rows(url), rows(course.gradebook)
    assert set(theirs) == set(ours)
    for table in theirs:
        assert ours[table] == theirs[table], table
    assert sum(len(lines) for lines in theirs.values()) > 40


def test_opening_again_changes_nothing(course: Course, checkout: Checkout) -> None:
    Book.open(course, checkout, NAME).commit(record("ada", FULL))
    before = rows(course.gradebook)
    Book.open(course, checkout, NAME)
    assert rows(course.gradebook) == before


def test_nbgrader_reads_what_was_written(course: Course, checkout: Checkout) -> None:
    book = Book.open(course, checkout, NAME)
    book.commit(record("ada", FULL), NOON)
    book.commit(record("bob", {"double": 1.5, "halve": 0.0}))
    config = Config()
    config.CourseDirectory.root = str(course.root)
    config.CourseDirectory.db_url = course.gradebook
    config.CourseDirectory.source_directory = str(checkout.root / "solutions")
    api = NbGraderAPI(CourseDirectory(config=config))
    ada, bob = sorted(api.get_submissions(NAME), key=lambda s: s["student"])
    assert (ada["score"], bob["score"]) == (5, 1.5)
    assert ada["max_score"] == 15 and ada["needs_manual_grade"]  # the essay, the task, the survey
    (assignment,) = (a for a in api.get_assignments() if a["name"] == NAME)
    assert assignment["average_score"] == 3.25
    assert {s["id"]: s["score"] for s in api.get_students()} == {"ada": 5, "bob": 1.5}


def test_a_regrade_keeps_what_people_entered(course: Course, checkout: Checkout) -> None:
    book = Book.open(course, checkout, NAME)
    book.commit(record("ada", FULL, "First."))

    def review(gradebook: Any) -> None:
        reviewed = {"manual_score": 2.5, "extra_credit": 0.5, "needs_manual_grade": False}
        set_grade("check_double", **reviewed)(gradebook)
        gradebook.find_comment("double", NAME, NAME, "ada").manual_comment = "Well done."
        gradebook.find_submission_notebook(NAME, NAME, "ada").flagged = True

    change(course, review)
    by_hand = book.commit(record("ada", {"double": 1.0, "halve": 1.0}, "Second."))
    assert by_hand == ByHand({"double": 2.5}, {"double": 0.5}, {"double": "Well done."}, 0.0)
    double, halve = grade_of(course, "check_double"), grade_of(course, "check_halve")
    assert (double["auto_score"], double["manual_score"], double["score"]) == (1.0, 2.5, 3.0)
    assert double["needs_manual_grade"]  # a person sees that there is a new automatic mark
    assert (halve["auto_score"], halve["needs_manual_grade"]) == (1.0, False)
    comment = comment_of(course, "double")
    assert (comment["auto_comment"], comment["manual_comment"]) == ("Second.", "Well done.")
    with Gradebook(course.gradebook) as gradebook:
        assert gradebook.find_submission_notebook(NAME, NAME, "ada").flagged


def test_no_automatic_mark_waits_for_a_person(course: Course, checkout: Checkout) -> None:
    book = Book.open(course, checkout, NAME)
    book.commit(record("ada", FULL))
    book.commit(record("ada", {"double": None, "halve": 2.0}))
    grade = grade_of(course, "check_double")
    assert (grade["auto_score"], grade["needs_manual_grade"]) == (None, True)
    book.commit(record("ada", FULL))
    assert grade_of(course, "check_double")["needs_manual_grade"] is False


def test_cells_that_only_people_mark_stay_theirs(course: Course, checkout: Checkout) -> None:
    book = Book.open(course, checkout, NAME)
    book.commit(record("ada", FULL))
    for cell, notebook in (("essay", NAME), ("task", NAME), ("opinion", "survey")):
        grade = grade_of(course, cell, notebook=notebook)
        assert (grade["auto_score"], grade["needs_manual_grade"]) == (None, True)
    change(course, set_grade("essay", manual_score=4.0, needs_manual_grade=False))
    book.commit(record("ada", FULL))
    essay = grade_of(course, "essay")
    assert (essay["manual_score"], essay["needs_manual_grade"]) == (4.0, False)
    assert book.by_hand("ada").scores == {"essay": 4.0}


def test_what_is_known_of_everybody(course: Course, checkout: Checkout) -> None:
    book = Book.open(course, checkout, NAME)
    assert book.scores() == {} and book.everyone() == {} and book.by_hand("ada") == ByHand()
    for student in ("ada", "bob", "chen"):
        book.commit(record(student, {"double": 1.25, "halve": None}))
    assert book.scores() == dict.fromkeys(("ada", "bob", "chen"), {"double": 1.25, "halve": None})
    change(course, set_grade("check_double", "ada", manual_score=0.0))
    change(course, set_grade("check_halve", "bob", extra_credit=1.0))
    everyone = book.everyone()
    assert everyone == {"ada": ByHand({"double": 0.0}), "bob": ByHand({}, {"halve": 1.0})}
    assert {s: book.by_hand(s) for s in ("ada", "bob", "chen")} == everyone | {"chen": ByHand()}


def test_the_time_of_handing_in_is_kept_until_there_is_another(
    course: Course, checkout: Checkout
) -> None:
    def kept() -> Any:
        with Gradebook(course.gradebook) as gradebook:
            return gradebook.find_submission(NAME, "ada").timestamp

    book = Book.open(course, checkout, NAME)
    book.commit(record("ada", FULL))
    assert kept() is None
    book.commit(record("ada", FULL), NOON)
    book.commit(record("ada", FULL))
    assert kept() == NOON
    book.commit(record("ada", FULL), NOON + timedelta(days=1))
    assert kept() == NOON + timedelta(days=1)


def test_a_comment_says_all_in_characters_that_can_be_kept(
    course: Course, checkout: Checkout
) -> None:
    book = Book.open(course, checkout, NAME)
    odd = "A zero \0, half a \ud83d pair, é, 数."
    book.commit(record("ada", FULL, odd, ["One cell was doubled."]))
    said = "A zero , half a ? pair, é, 数."
    assert comment_of(course, "double")["auto_comment"] == f"{said} One cell was doubled."
    assert comment_of(course, "halve")["auto_comment"] == said
    book.commit(record("ada", FULL, "long " * 1000))
    assert len(comment_of(course, "halve")["auto_comment"]) == 2000


# Handing in late.

A_POINT_AN_HOUR = """
from nbgrader.plugins import BasePlugin

class Hourly(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return {rule}
"""


def late_course(course: Course, rule: str) -> Course:
    """The course with a plugin beside its configuration, as nbgrader's documentation has it."""
    module = f"late_{abs(hash((course.root, rule)))}"
    (course.root / f"{module}.py").write_text(A_POINT_AN_HOUR.format(rule=rule), encoding="utf-8")
    plugin = f"c.AssignLatePenalties.plugin_class = '{module}.Hourly'"
    return configured(course.root, course.gradebook, plugin)


def due(moment: datetime) -> Callable[[Any], None]:
    return lambda gradebook: gradebook.update_or_create_assignment(NAME, duedate=moment)


def nbgraders_penalty(course: Course, monkeypatch: pytest.MonkeyPatch) -> float | None:
    """What nbgrader itself then takes off."""
    monkeypatch.syspath_prepend(str(course.root))
    of = {"notebook": NAME, "assignment": NAME, "student": "ada", "db_url": course.gradebook}
    resources = {"nbgrader": of}
    notebook = nbformat.v4.new_notebook()
    AssignLatePenalties(config=course.config).preprocess(notebook, resources)
    return penalty_of(course)


def penalty_of(course: Course) -> float | None:
    with Gradebook(course.gradebook) as gradebook:
        notebook = gradebook.find_submission_notebook(NAME, NAME, "ada")
        penalty: float | None = notebook.late_submission_penalty
        return penalty


@pytest.mark.parametrize(
    ("rule", "hours", "expected"),
    [
        ("total_seconds_late / 3600", 2, 2.0),
        ("total_seconds_late / 3600", 99, 5.5),  # not more than there is
        ("score / 2", 1, 2.75),
        ("-1", 1, 0.0),
        ("None", 1, None),
        ("1", 0, None),
        ("1", -5, None),
    ],
)
def test_late_penalties_are_nbgraders(
    course: Course,
    checkout: Checkout,
    monkeypatch: pytest.MonkeyPatch,
    rule: str,
    hours: int,
    expected: float | None,
) -> None:
    course = late_course(course, rule)
    book = Book.open(course, checkout, NAME)
    book.commit(record("ada", FULL))
    change(course, set_grade("check_double", manual_score=3.0, extra_credit=0.5))
    change(course, due(NOON))
    by_hand = book.commit(record("ada", FULL), NOON + timedelta(hours=hours))
    assert penalty_of(course) == expected
    assert by_hand.penalty == book.by_hand("ada").penalty == (expected or 0.0)
    assert nbgraders_penalty(course, monkeypatch) == expected


def test_an_extension_takes_the_penalty_back(course: Course, checkout: Checkout) -> None:
    course = late_course(course, "1")
    book = Book.open(course, checkout, NAME)
    book.commit(record("ada", FULL), NOON + timedelta(hours=1))
    change(course, due(NOON))
    assert book.commit(record("ada", FULL)).penalty == 1
    change(course, lambda gradebook: gradebook.grant_extension(NAME, "ada", hours=2))
    assert book.commit(record("ada", FULL)).penalty == 0
    assert penalty_of(course) is None


def test_nbgraders_own_plugin_takes_all(course: Course, checkout: Checkout) -> None:
    zero = "c.LateSubmissionPlugin.penalty_method = 'zero'"
    book = Book.open(configured(course.root, course.gradebook, zero), checkout, NAME)
    change(course, due(NOON))
    assert book.commit(record("ada", FULL), NOON + timedelta(seconds=1)).penalty == 5


@pytest.mark.parametrize("rule", ["1 / 0", "'much'", "float('nan')"])
def test_a_plugin_that_fails_costs_no_marks(course: Course, checkout: Checkout, rule: str) -> None:
    course = late_course(course, rule)
    book = Book.open(course, checkout, NAME)
    change(course, due(NOON))
    with pytest.raises(CourseError) as told:
        book.commit(record("ada", FULL), NOON + timedelta(hours=1))
    assert str(told.value).startswith(
        "ada has marks, but the plugin Hourly could not say what being late costs: "
    )
    assert book.scores() == {"ada": FULL}


def test_a_plugin_that_is_not_there_is_said_at_once(course: Course, checkout: Checkout) -> None:
    plugin = "c.AssignLatePenalties.plugin_class = 'no_such_module.Plugin'"
    course = configured(course.root, course.gradebook, plugin)
    with pytest.raises(CourseError, match="no_such_module"):
        Book.open(course, checkout, NAME)


# The instructor's notebook changes after submissions came in.


def test_a_new_exercise_gets_its_rows_for_everybody(
    course: Course, checkout: Checkout, tmp_path: Path
) -> None:
    book = Book.open(course, checkout, NAME)
    for student in ("ada", "bob"):
        book.commit(record(student, FULL))
    change(course, set_grade("check_double", manual_score=1.0))
    more = write_mixed(tmp_path / "more", WORTH | {"square": 1.0}, note="Read this again.")
    book = Book.open(course, more, NAME)
    for student in ("ada", "bob"):
        grade = grade_of(course, "check_square", student)
        assert (grade["auto_score"], grade["needs_manual_grade"]) == (None, True)
        assert comment_of(course, "square", student)["auto_comment"] is None
    assert grade_of(course, "check_double")["manual_score"] == 1.0
    book.commit(record("bob", FULL | {"square": 1.0}))
    assert book.scores()["bob"] == FULL | {"square": 1.0}
    with Gradebook(course.gradebook) as gradebook:
        assert gradebook.find_notebook(NAME, NAME).max_score == 15
        assert gradebook.find_source_cell("note", NAME, NAME).source == "Read this again."


def test_other_points_change_no_marks(course: Course, checkout: Checkout, tmp_path: Path) -> None:
    Book.open(course, checkout, NAME).commit(record("ada", FULL))
    other = write_mixed(tmp_path / "other", {"double": 6.0, "halve": 2.0})
    assert Book.open(course, other, NAME).scores() == {"ada": FULL}
    assert grade_of(course, "check_double")["max_score"] == 6


def test_a_removed_exercise_takes_its_automatic_marks_along(
    course: Course, checkout: Checkout, tmp_path: Path
) -> None:
    Book.open(course, checkout, NAME).commit(record("ada", FULL))
    fewer = write_mixed(tmp_path / "fewer", {"double": 3.0}, essay=False)
    book = Book.open(course, fewer, NAME)
    assert book.scores() == {"ada": {"double": 3.0}}
    kept = [tuple(row) for table in rows(course.gradebook).values() for row in table]
    gone = ("halve", "essay", "task")
    assert not [row for row in kept if any(name in str(value) for value in row for name in gone)]
    with Gradebook(course.gradebook) as gradebook:
        assert gradebook.find_notebook(NAME, NAME).max_score == 3
        assert gradebook.find_submission(NAME, "ada").max_score == 4


@pytest.mark.parametrize("entered", ["manual_score", "extra_credit", "comment"])
def test_a_removed_exercise_with_something_by_a_person_is_not_removed(
    course: Course, checkout: Checkout, tmp_path: Path, entered: str
) -> None:
    book = Book.open(course, checkout, NAME)
    book.commit(record("ada", FULL))

    def enter(gradebook: Any) -> None:
        if entered == "comment":
            gradebook.find_comment("halve", NAME, NAME, "ada").manual_comment = "Look here."
        else:
            set_grade("check_halve", **{entered: 0.0})(gradebook)

    change(course, enter)
    before = rows(course.gradebook)
    with pytest.raises(CourseError, match=r"the cell (check_)?halve is no longer in the instr"):
        Book.open(course, write_mixed(tmp_path / "fewer", {"double": 3.0}), NAME)
    assert rows(course.gradebook) == before


def test_a_notebook_that_was_registered_anew_meanwhile_is_said(
    course: Course, checkout: Checkout
) -> None:
    book = Book.open(course, checkout, NAME)
    change(course, lambda gradebook: gradebook.remove_notebook(NAME, NAME))
    Book.open(course, checkout, NAME)
    with pytest.raises(CourseError, match="registered anew in the gradebook meanwhile: run the"):
        book.commit(record("ada", FULL))


def test_a_check_that_is_not_in_the_notebook_is_said(course: Course, checkout: Checkout) -> None:
    book = Book.open(course, checkout, NAME)
    with pytest.raises(CourseError, match="the instructor's notebook has no cell check_square"):
        book.commit(record("ada", FULL | {"square": 1.0}))
    assert book.scores() == {}


def test_a_notebook_that_nbgrader_refuses_is_said(course: Course, tmp_path: Path) -> None:
    broken = write_mixed(tmp_path / "broken")
    path = broken.root / "solutions" / NAME / f"{NAME}.ipynb"
    path.write_text(path.read_text("utf-8").replace('"check_halve"', '"check_double"'), "utf-8")
    before = rows(course.gradebook)
    with pytest.raises(CourseError, match=f"{NAME}.ipynb cannot be graded: .*"):
        Book.open(course, broken, NAME)
    assert rows(course.gradebook) == before


# Export.


def test_nbgrader_exports_all_marks(course: Course, checkout: Checkout) -> None:
    book = Book.open(course, checkout, NAME)
    change(course, due(NOON))
    book.commit(record("ada", FULL), NOON)
    book.commit(record("bob", {"double": 0.1 + 0.2, "halve": None}))
    change(course, set_grade("check_halve", "bob", manual_score=1.0))
    done = nbgrader(course.root, "export", "--to", "marks.csv")
    assert done.returncode == 0, done.stderr
    with (course.root / "marks.csv").open(encoding="utf-8", newline="") as file:
        lines = {line["student_id"]: line for line in csv.DictReader(file)}
    assert {student: float(line["score"]) for student, line in lines.items()} == {
        "ada": 5.0,
        "bob": 1.0 + (0.1 + 0.2),
    }
    assert {line["max_score"] for line in lines.values()} == {"15.0"}
    assert lines["ada"]["timestamp"] == lines["ada"]["duedate"] == "2026-11-20 12:00:00"


# What goes wrong with the database itself.


def test_a_file_that_is_no_gradebook_is_said(tmp_path: Path, checkout: Checkout) -> None:
    path = tmp_path / "gradebook.db"
    path.write_text("hello, I am no database", encoding="utf-8")
    with pytest.raises(CourseError) as told:
        Book.open(Course.open(tmp_path), checkout, NAME)
    assert str(told.value) == f"{path} cannot be used: file is not a database."


def test_a_folder_that_is_not_there_is_said(tmp_path: Path, checkout: Checkout) -> None:
    course = Course.open(tmp_path, f"sqlite:///{tmp_path}/nowhere/marks.db")
    with pytest.raises(CourseError, match="there is no folder .*nowhere for .*marks.db"):
        Book.open(course, checkout, NAME)


def test_a_database_of_something_else_is_said(tmp_path: Path, checkout: Checkout) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "gradebook.db")) as connection:
        connection.execute("create table recipes (name text)")
    with pytest.raises(CourseError, match="gradebook.db cannot be used: no such table: course"):
        Book.open(Course.open(tmp_path), checkout, NAME)


def test_an_empty_file_becomes_a_gradebook(tmp_path: Path, checkout: Checkout) -> None:
    (tmp_path / "gradebook.db").touch()
    book = Book.open(Course.open(tmp_path), checkout, NAME)
    book.commit(record("ada", FULL))
    assert book.scores() == {"ada": FULL}


def test_who_holds_the_gradebook_for_ever_is_said(
    tmp_path: Path, empty: Path, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(empty, tmp_path)
    course = Course.open(tmp_path)
    book = Book.open(course, checkout, NAME)
    book.commit(record("ada", FULL))
    monkeypatch.setattr(rnncourse.grading.gradebook.database, "BUSY_SECONDS", 0.2)
    impatient = Book.open(course, checkout, NAME)
    with contextlib.closing(sqlite3.connect(tmp_path / "gradebook.db")) as other:
        other.execute("begin exclusive")
        with pytest.raises(CourseError, match="gradebook.db cannot be used: database is locked"):
            impatient.commit(record("ada", {"double": 0.0, "halve": 0.0}))
    assert book.scores() == {"ada": FULL}


# Several at once, and killed.


def test_two_that_make_the_gradebook_at_once(tmp_path: Path, checkout: Checkout) -> None:
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.starmap(commit_one, [(tmp_path, checkout, student) for student in ("ada", "bob")])
    assert Book.open(Course.open(tmp_path), checkout, NAME).scores() == {"ada": FULL, "bob": FULL}
    assert [path.name for path in tmp_path.iterdir()] == ["gradebook.db"]


def commit_one(folder: Path, checkout: Checkout, student: str) -> None:
    Book.open(Course.open(folder), checkout, NAME).commit(record(student, FULL))


TOGETHER = [f"learner-{number}" for number in range(40)]


def test_several_write_at_once_and_nothing_is_lost(course: Course, checkout: Checkout) -> None:
    """Two graders with the same learners, and a person in formgrader."""
    Book.open(course, checkout, NAME).commit(record("ada", FULL))
    processes = multiprocessing.get_context("fork").Pool(3)
    with processes as pool:
        work = [("grade", 1.0), ("grade", 2.0), ("review", 0.5)]
        pool.starmap(at_work, [(course.root, checkout, *task) for task in work], chunksize=1)
    book = Book.open(course, checkout, NAME)
    scores = book.scores()
    assert set(scores) == {"ada", *TOGETHER}
    for student in TOGETHER:
        assert scores[student] in ({"double": p, "halve": p} for p in (1.0, 2.0))
    assert book.everyone() == {"ada": ByHand({"essay": 0.5})}
    tables = rows(course.gradebook)
    assert len(tables["submitted_notebook"]) == 3 * (1 + len(TOGETHER))
    assert len(tables["grade"]) == len(tables["comment"]) == 5 * (1 + len(TOGETHER))


def at_work(root: Path, checkout: Checkout, what: str, points: float) -> None:
    course = Course.open(root)
    if what == "review":
        for _ in range(20):
            change(course, set_grade("essay", manual_score=points, needs_manual_grade=False))
            time.sleep(0.005)
        return
    book = Book.open(course, checkout, NAME)
    for student in TOGETHER:
        book.commit(record(student, {"double": points, "halve": points}, f"{points} points"))


KILLS = share(40)


@pytest.mark.long
def test_a_killed_commit_leaves_old_rows_or_new_ones(course: Course, checkout: Checkout) -> None:
    moments = random.Random(3)
    book = Book.open(course, checkout, NAME)
    book.commit(record("ada", {"double": 0.0, "halve": 0.0}, "0.0"))
    begun, there = 0, {"ada"}
    for number in range(KILLS):
        commits = moments.randrange(1, 6)
        kill_in_a_commit(course, checkout, number, commits, moments.uniform(0, 0.006))
        scores = book.scores()
        (points,) = set(scores["ada"].values())
        assert {comment_of(course, name)["auto_comment"] for name in WORTH} == {str(points)}
        assert set(scores) - there <= {f"learner-{number}"}
        there |= set(scores)
        begun += commits >= 3  # two were over
    tables = rows(course.gradebook)
    assert len(tables["grade"]) == len(tables["comment"]) == 5 * len(there)
    assert len(tables["student"]) == len(tables["submitted_assignment"]) == len(there) > begun > 0


def kill_in_a_commit(
    course: Course, checkout: Checkout, number: int, commits: int, seconds: float
) -> None:
    """Kill a process some time after it began its so many-th commit."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        commit_for_ever(course, checkout, number, writer)
    for _ in range(commits):
        os.read(reader, 1)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(reader)
    os.close(writer)


def commit_for_ever(course: Course, checkout: Checkout, number: int, begins: int) -> NoReturn:
    """In a process that will be killed: regrade one learner again and again, and add another."""
    try:
        book = Book.open(course, checkout, NAME)
        for step in itertools.count():
            points = number + step / 1000
            for one in (
                record("ada", {"double": points, "halve": points}, str(points)),
                record(f"learner-{number}", FULL),
            ):
                os.write(begins, b"x")
                book.commit(one)
    finally:
        os._exit(1)


def test_the_version_of_the_tables_is_the_one_that_nbgrader_would_find() -> None:
    with _temp_alembic_ini("sqlite:///gradebook.db") as ini:
        command = [Path(sys.executable).with_name("alembic"), "-c", ini, "heads"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert schema_version() == said.split()[0]
