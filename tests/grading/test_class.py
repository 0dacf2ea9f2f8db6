"""A class of seven through the real command: marks, gradebook, pages, report; and a second class in
which everybody is a case of their own."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook

from rnncourse.grading.commands import TABLE_ROWS
from rnncourse.grading.sandbox.bubblewrap import caution, version
from rnncourse.grading.sandbox.launch import obstacle
from tools.demonstration.learners import ROOT, filled, solutions, write_class

NO_SANDBOX = obstacle()
pytestmark = pytest.mark.skipif(NO_SANDBOX is not None, reason=str(NO_SANDBOX))

FIELDS = {
    "student",
    "assignment",
    "exercise",
    "points",
    "max_points",
    "verdict",
    "mistake",
    "message",
    "flags",
    "sandbox",
}
MARKS = {"ada": 20, "bilal": 20, "chen": 15.2, "dora": 16.4, "emre": 0, "farah": 16, "goran": 0}


@dataclass(frozen=True)
class Graded:
    course: Path
    done: subprocess.CompletedProcess[str]
    rows: list[dict[str, Any]]

    def row(self, student: str, exercise: str) -> dict[str, Any]:
        return next(r for r in self.rows if (r["student"], r["exercise"]) == (student, exercise))


def grade(course: Path, *more: str) -> Graded:
    report = course / "report.json"
    command = [sys.executable, "-m", "rnncourse", "grade", "lstm", "--course", str(course)]
    done = subprocess.run(
        [*command, "--seconds", "1", "--workers", "1", "--report", str(report), *more],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "200", "SECRET_OF_THE_INSTRUCTOR": "squirrel"},
        capture_output=True,
        text=True,
        check=False,
    )
    return Graded(course, done, json.loads(report.read_text(encoding="utf-8")))


def hand_in(course: Path, student: str, text: str, name: str = "lstm.ipynb") -> Path:
    """Write a submission, and give its file."""
    path = course / "submitted" / student / "lstm" / name
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    course = tmp_path_factory.mktemp("class")
    write_class(course)
    return grade(course)


def test_each_gets_what_it_deserves(graded: Graded) -> None:
    totals: dict[str, float] = {}
    for row in graded.rows:
        assert set(row) == FIELDS
        totals[row["student"]] = totals.get(row["student"], 0) + row["points"]
    assert totals == pytest.approx(MARKS)


def test_and_a_sentence_that_says_why(graded: Graded) -> None:
    for student in ("ada", "bilal"):
        assert {r["verdict"] for r in graded.rows if r["student"] == student} == {"passed"}
    chen, dora = graded.row("chen", "lstm_cell"), graded.row("dora", "lstm_cell")
    assert (chen["verdict"], chen["mistake"]) == ("partial", "gates_ifog")
    assert chen["message"] == "Your gates are in the order i, f, o, g; torch's is i, f, g, o."
    assert (dora["verdict"], dora["mistake"]) == ("partial", "second_bias_forgotten")
    assert graded.row("chen", "lstm_layer")["verdict"] == "passed"
    assert {r["verdict"] for r in graded.rows if r["student"] == "emre"} == {"unfilled"}
    farah = {r["exercise"]: r["verdict"] for r in graded.rows if r["student"] == "farah"}
    assert farah["lstm_layer"] == "timeout"
    assert [v for e, v in farah.items() if e != "lstm_layer"] == ["passed"] * 4
    assert "loop that never stops" in graded.row("farah", "lstm_layer")["message"]
    assert {r["verdict"] for r in graded.rows if r["student"] == "goran"} == {"refused"}
    assert all(r["message"] for r in graded.rows)
    layers = {r["student"]: r["sandbox"] for r in graded.rows}
    assert layers.pop("goran") == "not run"
    assert set(layers.values()) == {f"bubblewrap {version()}+namespaces+seccomp+rlimits"}


def test_the_terminal_and_the_class_page_say_how_old_bubblewrap_is(graded: Graded) -> None:
    layers = f"bubblewrap {version()}+namespaces+seccomp+rlimits"
    assert f"Learners' code ran under: {layers}\n" in graded.done.stdout
    warning = caution(layers)
    assert ("Warning: bubblewrap" in graded.done.stdout) == bool(warning)
    page = html.unescape((graded.course / "class/lstm.html").read_text("utf-8"))
    assert f"ran in the sandbox {layers}." in page
    assert warning in page and warning in graded.done.stdout


def test_the_command_prints_a_table_and_names_the_refused(graded: Graded) -> None:
    assert graded.done.returncode == 1
    assert graded.done.stderr == ("rnncourse: refused, and marked 0: goran; the table says why.\n")
    assert re.search(
        r"lstm: 7 graded, 0 had not changed, in \d.* s; nobody waits for a person\n",
        graded.done.stdout,
    )
    for student, mark in MARKS.items():
        assert re.search(rf"{student} .* {mark:g} of 20 ", graded.done.stdout), student


def test_the_gradebook_holds_the_marks(graded: Graded) -> None:
    with Gradebook(f"sqlite:///{graded.course / 'gradebook.db'}", "rnncourse") as gradebook:
        submissions = gradebook.assignment_submissions("lstm")
        assert {s.student.id: s.score for s in submissions} == pytest.approx(MARKS)
        assert all(not s.needs_manual_grade for s in submissions)
        assert gradebook.find_assignment("lstm").max_score == 20


def _exercise(graded: Graded, student: str) -> dict[str, Any]:
    """The record of a learner's first exercise."""
    record = json.loads((graded.course / f"records/lstm/{student}.json").read_text("utf-8"))
    first: dict[str, Any] = record["exercises"][0]
    return first


def test_every_learner_gets_a_page_that_runs_nothing(graded: Graded) -> None:
    for student in MARKS:
        page = (graded.course / "feedback" / student / "lstm" / "lstm.html").read_text("utf-8")
        assert "default-src 'none'" in page and "<script" not in page
        assert student in page
    chen = (graded.course / "feedback/chen/lstm/lstm.html").read_text("utf-8")
    assert "Your gates are in the order i, f, o, g; torch&#39;s is i, f, g, o." in chen
    assert "On public inputs, in “" in chen and "yours is" in chen and "it should be" in chen
    hidden = [stage["sentences"] for stage in _exercise(graded, "chen")["report"]["stages"]]
    said = " ".join(sentence for sentences in hidden for sentence in sentences)
    assert "wrong" in said and not re.search(r"\d", said)  # no number of a secret case leaves


def test_the_autograded_notebook_opens_in_formgrader(graded: Graded) -> None:
    notebook = nbformat.read(graded.course / "autograded/dora/lstm/lstm.ipynb", as_version=4)
    nbformat.validate(notebook)
    check = next(
        c
        for c in notebook.cells
        if c.metadata.get("nbgrader", {}).get("grade_id") == "check_lstm_cell"
    )
    assert "Only b_ih is added" in check.outputs[0].data["text/plain"]
    assert "hidden tests" in check.outputs[0].data["text/plain"]


def test_a_second_run_gives_the_same_and_keeps_manual_marks(graded: Graded, tmp_path: Path) -> None:
    course = tmp_path / "class"
    shutil.copytree(graded.course, course)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "rnncourse") as gradebook:
        grade_row = gradebook.find_grade("check_lstm_cell", "lstm", "lstm", "dora")
        grade_row.manual_score = 5.5
        gradebook.db.commit()
    seed = (course / "records/lstm.seed.json").read_text("utf-8")
    dora = [r for r in graded.rows if r["student"] == "dora"]
    for option in ((), ("--again",)):
        second = grade(course, "--student", "dora", *option)
        assert second.row("dora", "lstm_cell")["points"] == 5.5
        assert second.rows[1:] == dora[1:]
        assert re.search(
            r"dora .* 19\.5 of 20 .* Marked by a person: lstm_cell\.", second.done.stdout
        )
        assert second.done.returncode == 0
        done = "1 graded, 0 had not changed" if option else "0 graded, 1 had not changed"
        assert done in second.done.stdout
    assert (course / "records/lstm.seed.json").read_text("utf-8") == seed
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "rnncourse") as gradebook:
        assert gradebook.find_grade("check_lstm_cell", "lstm", "lstm", "dora").score == 5.5


# ------------------------------------------------------------------ a case each

SNOOP = """
import os, pathlib, sys
found = [str(p) for p in ("{root}", "{course}") if os.path.exists(p)]
found += [m for m in sys.modules if m.startswith(("tests", "nbgrader"))]
found += [k for k in os.environ if "SECRET" in k]
for place in pathlib.Path("/proc").glob("*/environ"):
    try:
        found += [str(place)] if b"squirrel" in place.read_bytes() else []
    except OSError:
        pass
try:
    import rnncourse.grading.hidden_test
    found.append("specs")
except ImportError:
    pass
print("found", found)
"""
SLEEPS = "@fill\ndef lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):\n    time.sleep(10**6)"
MOUNTS = "from google.colab import drive\ndrive.mount('/content/drive')"
EVIL = "print('<script>alert(1)</script>')\nraise ValueError('<img src=x onerror=alert(2)>')"


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """A class in which everybody is a case of their own."""
    course = tmp_path_factory.mktemp("cases")
    answers = solutions()
    snoop = SNOOP.format(root=ROOT, course=course) + answers["lstm_cell"]
    hand_in(course, "snoops", filled(answers | {"lstm_cell": snoop}))
    hand_in(course, "sleeps", with_cell(answers, "import time; time.sleep(10**6)"))
    hand_in(course, "sleeps_inside", with_cell(answers | {"lstm_cell": SLEEPS}, "import time"))
    hand_in(course, "renamed", filled({}), "lstm (1).ipynb")
    hand_in(course, "empty", "")
    hand_in(course, "marked", "\ufeff" + filled(answers))
    (course / "submitted" / "nothing").mkdir()
    hand_in(course, "word", "hello", "answers.docx")
    without_colon = answers["lstm_cell"].replace("b_hh):", "b_hh)")
    hand_in(course, "colon", filled(answers | {"lstm_cell": without_colon}))
    hand_in(course, "script", filled({"lstm_cell": EVIL}))
    uses = answers | {
        "set_forget_bias": answers["set_forget_bias"].replace(
            "value):", "value):\n    F.relu(b_ih)"
        )
    }
    hand_in(course, "mounts", with_cell(uses, f"{MOUNTS}\nimport torch.nn.functional as F"))
    hand_in(course, "loads", with_cell(uses, f"{MOUNTS}\nF = drive.load()"))
    return grade(course, "--submission-seconds", "40")


def with_cell(answers: dict[str, str], source: str) -> str:
    """A notebook with answers and a cell of the learner's own before them."""
    notebook = json.loads(filled(answers))
    own = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    notebook["cells"].insert(4, own | {"source": source})
    return json.dumps(notebook)


def page_of(graded: Graded, student: str) -> str:
    return (graded.course / "feedback" / student / "lstm/lstm.html").read_text("utf-8")


def test_learners_code_cannot_see_the_instructors_side(cases: Graded) -> None:
    """Cells that look for the course folder, the specs and the environment, and report."""
    assert cases.row("snoops", "lstm_cell")["verdict"] == "passed"
    assert "found []" in page_of(cases, "snoops")


@pytest.mark.parametrize(("student", "points"), [("sleeps", 20), ("sleeps_inside", 14)])
def test_who_sleeps_loses_what_sleeps_and_keeps_the_rest(
    cases: Graded, student: str, points: float
) -> None:
    """One learner in a cell of her own, another one in a function."""
    assert sum(r["points"] for r in cases.rows if r["student"] == student) == points


def test_who_sleeps_is_told_so(cases: Graded) -> None:
    said = r"this cell is left out: it waited or slept for [\d.]+ seconds"
    assert re.search(said, page_of(cases, "sleeps"))
    row = cases.row("sleeps_inside", "lstm_cell")
    assert row["verdict"] == "timeout" and "is there a time.sleep" in row["message"]
    assert "pencil and paper" not in page_of(cases, "sleeps_inside")


def test_a_renamed_file_and_an_empty_one_are_said(cases: Graded) -> None:
    assert cases.row("renamed", "lstm_cell")["verdict"] == "unfilled"
    assert "lstm (1).ipynb" in page_of(cases, "renamed")
    assert cases.row("empty", "lstm_cell")["message"] == "lstm.ipynb is empty."
    assert cases.row("marked", "lstm_cell")["verdict"] == "passed"
    assert "Nothing handed in for lstm: nothing" in cases.done.stdout


def test_a_missing_colon_in_the_cell_costs_the_cell_alone(cases: Graded) -> None:
    assert cases.row("colon", "lstm_cell")["verdict"] == "error"
    assert cases.row("colon", "lstm_layer")["points"] == 4


def test_what_a_cell_imports_after_a_line_that_fails_only_here_is_there(cases: Graded) -> None:
    assert sum(row["points"] for row in cases.rows if row["student"] == "mounts") == 20
    assert "ModuleNotFoundError" in page_of(cases, "mounts")


def test_a_missing_name_is_traced_to_the_cell_that_failed(cases: Graded) -> None:
    """In the report, in the terminal, on the learner's page and on the class's."""
    said = (
        "F is not defined: the cell “from google.colab import drive” ended with "
        "ModuleNotFoundError: No module named 'google'"
    )
    row = cases.row("loads", "set_forget_bias")
    assert row["verdict"] == "error" and row["message"].startswith(said)
    assert cases.row("loads", "lstm_cell")["points"] == 6
    terminal = re.sub(r"[\s│]+", " ", cases.done.stdout)
    assert f"set_forget_bias: {said}" in terminal
    class_page = (cases.course / "class/lstm.html").read_text("utf-8")
    for page in (page_of(cases, "loads"), class_page):
        assert said in html.unescape(page)


def test_script_in_output_and_errors_is_only_text(cases: Graded) -> None:
    assert cases.row("script", "lstm_cell")["verdict"] == "error"
    page = page_of(cases, "script")
    assert "<script" not in page and "<img" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.only_long
def test_what_was_refused_and_has_not_changed_is_left_alone(cases: Graded, tmp_path: Path) -> None:
    said = "There is no file lstm.ipynb, only 'answers.docx'."
    assert cases.row("word", "lstm_cell")["message"] == said
    course = tmp_path / "class"
    shutil.copytree(cases.course, course)
    options = ("--student", "word", "--submission-seconds", "40")
    second = grade(course, *options)
    assert "0 graded, 1 had not changed" in second.done.stdout
    assert second.row("word", "lstm_cell")["message"] == said
    path = course / "submitted/word/lstm/lstm.ipynb"
    path.write_text(filled(solutions()), encoding="utf-8")
    third = grade(course, *options)
    assert "1 graded, 0 had not changed" in third.done.stdout
    assert third.row("word", "lstm_cell")["verdict"] == "passed"


def test_the_class_page_says_why_where_no_table_is_printed(tmp_path: Path) -> None:
    for number in range(TABLE_ROWS + 1):
        hand_in(tmp_path, f"s{number:02d}", "")
    done = grade(tmp_path).done
    assert "All hidden tests" not in done.stdout and " of 20 " not in done.stdout
    page = tmp_path / "class/lstm.html"
    assert done.stderr.endswith(f"s60; the class page says why: {page}.\n")


def test_a_broken_gradebook_stops_before_anything_is_graded(tmp_path: Path) -> None:
    hand_in(tmp_path, "ida", filled({}))
    (tmp_path / "gradebook.db").write_text("hello, I am no database", encoding="utf-8")
    command = [sys.executable, "-m", "rnncourse", "grade", "lstm", "--course", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("gradebook.db cannot be used: file is not a database.\n")
    assert not (tmp_path / "feedback").exists()
