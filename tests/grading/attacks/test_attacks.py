"""No attack gains a mark, reads a secret or costs anybody else anything.

Nor do pages tell a learner of the hidden tests: no expected number, no input that was printed.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from rnncourse.grading.checkout import Checkout
from rnncourse.grading.hidden_test import ExpectedStages, HiddenTest
from rnncourse.grading.sanitize.html import HarmlessExporter
from tools.demonstration.learners import ASSIGNMENT, ROOT

from .attack import LOOKED, LOOT, WORTH, Attack
from .classroom import SECRET, Graded
from .conftest import QUICK, SLOW
from .damage import REFUSED
from .forgery import LOOKERS
from .outward import BYSTANDERS, WITH_PRELUDE
from .reading import READING

CLASSES = ("quick", "slow")
MEMORY = 1500 << 20
"""Bytes that the grader itself may take, whatever learners send: it needs a third of it."""


@pytest.fixture(params=CLASSES)
def graded(request: pytest.FixtureRequest) -> Graded:
    found: Graded = request.getfixturevalue(request.param)
    return found


def named(attacks: list[Attack]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("attack", attacks, ids=[attack.name for attack in attacks])


@named(QUICK)
def test_no_mark_is_gained(quick: Graded, attack: Attack) -> None:
    assert_deserved(quick, attack)


@named(SLOW)
def test_no_mark_is_gained_by_what_takes_long_or_is_shown(slow: Graded, attack: Attack) -> None:
    assert_deserved(slow, attack)


def assert_deserved(graded: Graded, attack: Attack) -> None:
    """What is not right has no mark, and what is honest has its mark; or it has none and waits for
    a person, with a reason, and what the calls gave would not be paid either."""
    rows = {row["exercise"]: row for row in graded.rows if row["student"] == attack.name}
    assert set(rows) == set(WORTH), graded.output[-2000:]
    for exercise, row in rows.items():
        deserved = attack.deserves.get(exercise, 0.0)
        if row["points"] is None:
            assert row["flags"], row
            if exercise not in attack.copied:
                assert graded.earned(attack.name, exercise) == pytest.approx(deserved), row
        else:
            assert row["points"] == pytest.approx(deserved), row


@named([*READING, *LOOKERS])
def test_nothing_is_found(quick: Graded, attack: Attack) -> None:
    said = quick.said(attack.name)
    assert LOOT not in said, said
    assert LOOKED in said, said


@named([*QUICK, *SLOW])
def test_no_secret_comes_back(quick: Graded, slow: Graded, attack: Attack) -> None:
    graded = quick if attack in QUICK else slow
    returned = graded.returned(attack.name)
    assert returned
    assert SECRET not in returned
    assert graded.secret_seed not in returned


@named(REFUSED)
def test_what_is_no_notebook_is_refused_with_a_reason(quick: Graded, attack: Attack) -> None:
    rows = [row for row in quick.rows if row["student"] == attack.name]
    assert {row["verdict"] for row in rows} == {"refused"}
    assert all(len(row["message"]) > 10 for row in rows)


@pytest.mark.parametrize("learner", [attack.name for attack in BYSTANDERS])
def test_bystanders_have_full_marks(graded: Graded, learner: str) -> None:
    assert graded.points(learner) == WORTH


def test_what_all_attackers_begin_with_flags_nobody(graded: Graded) -> None:
    """So a reason for a person to look comes from the attack itself."""
    rows = [row for row in graded.rows if row["student"] == WITH_PRELUDE]
    assert [row["flags"] for row in rows] == [[]] * len(WORTH)


def test_the_run_comes_to_its_end(graded: Graded) -> None:
    assert "Traceback" not in graded.output, graded.output
    assert graded.done.returncode in (0, 1)


def test_the_gradebook_is_whole(graded: Graded) -> None:
    path = graded.place.course / "gradebook.db"
    with contextlib.closing(sqlite3.connect(path)) as book:
        assert book.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert book.execute("PRAGMA foreign_key_check").fetchall() == []
        by_hand = "SELECT count(*) FROM grade WHERE manual_score NOT NULL OR extra_credit NOT NULL"
        assert book.execute(by_hand).fetchone() == (0,)
    learners = {row["student"] for row in graded.rows}
    assert learners == {folder.name for folder in (graded.place.course / "submitted").iterdir()}
    with Gradebook(f"sqlite:///{path}") as gradebook:
        assert {s.id for s in gradebook.students} == learners | {"not-in-class"}
        assignment = gradebook.find_assignment(ASSIGNMENT)
        assert assignment.max_score == sum(WORTH.values())
        marks = {s.student.id: s.score for s in assignment.submissions}
        counts = {len(s.notebooks[0].grades) for s in assignment.submissions}
    given = {name: sum(p or 0 for p in graded.points(name).values()) for name in learners}
    assert marks == pytest.approx(given)
    assert counts == {len(WORTH)}


def test_nothing_is_left_behind(graded: Graded) -> None:
    assert graded.left == []
    assert graded.reached == []
    changed = set(graded.before.items()) ^ set(graded.after().items())
    assert {path for path, _ in changed} == set()
    everywhere = (graded.place.course.parent, Path("/tmp"), Path("/dev/shm"))
    pwned = [path for place in everywhere for path in place.glob("pwned*")]
    pwned += list(graded.place.course.parent.rglob("pwned*"))
    assert pwned == []


def test_results_lie_where_they_belong(graded: Graded) -> None:
    course = graded.place.course
    assert {path.name for path in course.iterdir() if not path.name.startswith(".")} <= {
        "autograded",
        "class",
        "feedback",
        "gradebook.db",
        "records",
        "report.json",
        "secret.txt",
        "submitted",
    }
    learners = {row["student"] for row in graded.rows}
    for room in ("autograded", "feedback"):
        files = [path for path in (course / room).rglob("*") if not path.is_dir()]
        assert all(not path.is_symlink() for path in files)
        places = {path.relative_to(course / room).parts for path in files}
        names = {"autograded": f"{ASSIGNMENT}.ipynb", "feedback": f"{ASSIGNMENT}.html"}
        assert places <= {(learner, ASSIGNMENT, names[room]) for learner in learners}


def test_the_grader_itself_takes_little_memory(graded: Graded) -> None:
    assert 0 < graded.peak < MEMORY


def test_words_of_learners_do_nothing_in_the_terminal(slow: Graded) -> None:
    for evil in ("\x1b]", "\x1b[2J", "\x9b", "\u202e", "\x07", "\x00"):
        assert evil not in slow.output, repr(evil)
    for written in ("[/bold]", "[link=file", "[red]"):
        assert written in slow.output, written


class Elements(HTMLParser):
    """The elements of a page, and what in them could run or load something."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts = 0
        self.evil: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        if tag in ("iframe", "object", "embed", "base", "svg", "math", "form", "link", "frame"):
            self.evil.append(tag)
        for name, value in attributes:
            harmless = (value or "").startswith(("#", "data:image/png;base64,"))
            leads_out = name in ("src", "srcdoc", "srcset", "action", "formaction", "background")
            if name.startswith("on") or (leads_out and not harmless):
                self.evil.append(f"{tag} {name}={value}")
            if re.match(r"\s*(javascript|data:text|vbscript)", value or "", re.IGNORECASE):
                self.evil.append(f"{tag} {name}={value}")

    @classmethod
    def of(cls, text: str) -> Elements:
        page = cls()
        page.feed(text)
        page.close()
        return page


def test_nothing_runs_on_learners_pages(graded: Graded) -> None:
    pages = list((graded.place.course / "feedback").rglob("*.html"))
    assert len(pages) == len({row["student"] for row in graded.rows})
    for path in pages:
        text = path.read_text("utf-8")
        page = Elements.of(text)
        assert (page.scripts, page.evil) == (0, []), path
        assert "default-src 'none'" in text and "unsafe" not in text, path
        assert "\x1b" not in text and "\u202e" not in text, path


def test_nothing_of_learners_runs_on_the_class_page(graded: Graded) -> None:
    text = (graded.place.course / "class" / f"{ASSIGNMENT}.html").read_text("utf-8")
    page = Elements.of(text)
    assert [each for each in page.evil if each != "svg"] == []  # the page draws some itself
    assert page.scripts <= 1
    assert "pwned" not in "".join(re.findall(r"<script.*?</script>", text, re.DOTALL))
    assert "default-src 'none'" in text and "unsafe" not in text
    assert "\x1b" not in text and "\u202e" not in text


@pytest.mark.parametrize("learner", ["evil_markdown", "evil_outputs", "evil_source", "says_script"])
def test_nothing_runs_in_formgrader(quick: Graded, learner: str) -> None:
    path = quick.place.course / "autograded" / learner / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    shown, _ = HarmlessExporter().from_filename(str(path))  # type: ignore[no-untyped-call]
    body = shown[shown.index("<body") :]
    page = Elements.of(body)
    assert [each for each in page.evil if "svg" not in each] == []
    assert "pwned()" not in "".join(re.findall(r"<script.*?</script>", body, re.DOTALL))


def test_autograded_notebooks_are_sound_and_hold_no_output_of_learners(graded: Graded) -> None:
    notebooks = list((graded.place.course / "autograded").rglob("*.ipynb"))
    assert notebooks
    for path in notebooks:
        content = nbformat.read(path, as_version=4)
        nbformat.validate(content)
        outputs = [output for cell in content.cells for output in cell.get("outputs", ())]
        assert "PRAISE" not in json.dumps(outputs), path
        for output in outputs:
            assert set(output["data"]) <= {"text/plain", "text/html"}, path
            assert Elements.of(output["data"].get("text/html", "")).evil == [], path
        graded_cells = [c for c in content.cells if c.metadata.get("nbgrader", {}).get("grade")]
        points = {c.metadata.nbgrader.grade_id: c.metadata.nbgrader.points for c in graded_cells}
        assert points == {f"check_{name}": worth for name, worth in WORTH.items()}, path
        assert len(graded_cells) == len(WORTH), path


# ------------------------------------------------------------------ hidden tests

WRONG_IN_NUMBERS = ("ast_transformer", "input_transformer", "tensor_subclass", "says_inputs")
"""Learners whose cell has the right shapes and wrong numbers."""


@pytest.fixture(scope="module")
def hidden_test(quick: Graded) -> HiddenTest:
    """The hidden tests of lstm_cell in that class."""
    hidden_tests = Checkout(ROOT).hidden_tests(ASSIGNMENT, int(quick.secret_seed))
    return next(
        hidden_test for hidden_test in hidden_tests if hidden_test.plan.exercise == "lstm_cell"
    )


def test_words_of_a_function_reach_no_page(quick: Graded) -> None:
    assert "inputs: " not in quick.said("says_inputs")
    page = quick.place.course / "feedback/says_inputs/lstm/lstm.html"
    assert "inputs: -" not in page.read_text("utf-8")
    for value in range(10):
        assert f"inputs: {value}" not in quick.returned("says_inputs")


@pytest.mark.parametrize("learner", WRONG_IN_NUMBERS)
def test_no_expected_number_reaches_a_page(
    quick: Graded, hidden_test: HiddenTest, learner: str
) -> None:
    """What is said to be right is so on public inputs, which everybody has."""
    returned = quick.returned(learner)
    for wanted in _numbers(hidden_test.hidden):
        assert f"{wanted:.6f}" not in returned
    told = re.findall(r"it should be (-?\d+\.(\d+))", returned)
    for number, digits in told:
        assert number in {f"{right:.{len(digits)}f}" for right in _numbers(hidden_test.public)}
    assert told or learner == "says_inputs"


def _numbers(tried: ExpectedStages) -> list[float]:
    """What is expected, as far as it is not also a number that anybody gives."""
    arrays = [a for outcome in tried.expected.values() for a in outcome.arrays.values()]
    found = [v for a in arrays if not a.is_meta for v in a.flatten().double().tolist()]
    return [v for v in found if abs(v) > 0.01 and abs(v * 64 - round(v * 64)) > 1e-3]
