"""formgrader in a real browser, on a real Jupyter server: its buttons, its forms, its pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import Browser, Locator, Page, expect

from rnncourse.grading.sandbox.launch import obstacle
from rnncourse.grading.sanitize.html import HarmlessExporter
from tests.browser import program
from tests.grading.nbgrader_course import essay, hand_in, jupyter, nbgrader, new_course
from tools.demonstration.learners import filled, solutions

NO_SANDBOX = obstacle()
pytestmark = [
    pytest.mark.skipif(NO_SANDBOX is not None, reason=str(NO_SANDBOX)),
    pytest.mark.skipif(program() is None, reason="no Chromium"),
]

SCRIPTS = """# My notes <script>window.ran = 1</script>
<img src="nowhere" onerror="window.ran = 2"> <svg onload="window.ran = 3"></svg>
[a link](javascript:window.ran=4) <div id="check_lstm_cell" class="nbgrader_cell">not a form</div>
"""
PATIENCE = 600_000
"""Milliseconds after which what does not come up is a failure."""


@dataclass(frozen=True)
class Formgrader:
    """A page of the browser, and the course that it looks at."""

    page: Page
    address: str
    course: Path

    def open(self, path: str) -> None:
        self.page.goto(f"{self.address}/formgrader/{path}")

    def press(self, learner: str, button: str, assignment: str = "lstm") -> str:
        """Press a button of a submission, and give the text of the dialog that comes up."""
        self.open(f"manage_submissions/{assignment}")
        self.row(learner).locator(f".{button} a").click()
        dialog = self.page.locator("#success-modal, #error-modal")
        expect(dialog).to_be_visible()
        return str(dialog.inner_text())

    def validate(self, path: str) -> dict[str, Any]:
        """What the Validate button is answered."""
        cookies = {c["name"]: c["value"] for c in self.page.context.cookies()}
        answer = self.page.request.post(
            f"{self.address}/assignments/validate",
            data={"path": path},
            headers={"X-XSRFToken": cookies["_xsrf"]},
        )
        said: dict[str, Any] = answer.json()
        return said

    def row(self, learner: str) -> Locator:
        return self.page.locator("tr", has=self.page.get_by_text(learner, exact=True))

    def open_submission(self, learner: str, assignment: str = "lstm") -> None:
        """The form in which a person gives marks and comments."""
        self.open(f"manage_students/{learner}/{assignment}")
        self.page.get_by_role("link", name=assignment, exact=True).last.click()
        self.page.wait_for_function(
            "window.formgrader?.comments?.loaded && formgrader.grades.loaded"
        )


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    trusted = "c.CourseGrader.unsandboxed = ['essay']"
    folder = new_course(tmp_path_factory.mktemp("formgrader") / "class", trusted)
    answers = solutions()
    hand_in(folder, "ada", with_scripts(filled(answers)))
    hand_in(folder, "goran", filled(answers)[:3000])
    for learner in ("marked_by_hand", "not_graded"):
        hand_in(folder, learner, filled(answers))
    (folder / "source/essay").mkdir()
    (folder / "source/essay/essay.ipynb").write_text(essay("Why do gates help?"), "utf-8")
    show = "from IPython.display import *\ndisplay(HTML('<script>window.ran = 5</script>'))\n"
    show += "display(Javascript('window.ran = 6'))\nprint('<script>window.ran = 7</script>')"
    hand_in(folder, "eve", essay(SCRIPTS, show), "essay")
    assert nbgrader(folder, "generate_assignment", "essay").returncode == 0
    return folder


@pytest.fixture(scope="module")
def formgrader(course: Path, browser: Browser) -> Iterator[Formgrader]:
    with jupyter(course) as (address, token), browser.new_context() as context:
        context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page = context.new_page()
        page.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
        page.goto(f"{address}/api/status?token={token}")  # which leaves a cookie
        yield Formgrader(page, address, course)


def with_scripts(notebook: str) -> str:
    """The notebook with cells of the learner's own that try to run something."""
    content = json.loads(notebook)
    own = {"cell_type": "markdown", "id": "own1", "metadata": {}, "source": SCRIPTS}
    helper = {
        "cell_type": "code",
        "id": "own2",
        "metadata": {},
        "source": "print('<script>window.ran = 8</script>')",
        "execution_count": 1,
        "outputs": [
            {
                "output_type": "display_data",
                "data": {"text/html": "<script>window.ran = 9</script>"},
                "metadata": {},
            }
        ],
    }
    content["cells"][1:1] = [own, helper]
    return json.dumps(content)


def test_the_autograde_button_grades_and_the_score_is_shown(formgrader: Formgrader) -> None:
    said = formgrader.press("ada", "autograde")
    assert "Successfully autograded 'lstm' for student 'ada'" in said
    assert "ada: 20 of 20" in said
    formgrader.open("manage_submissions/lstm")
    expect(formgrader.row("ada").locator(".score")).to_have_text("20 / 20")
    expect(formgrader.row("ada").locator(".status")).to_have_text("graded")
    expect(formgrader.row("not_graded").locator(".status")).to_have_text("needs autograding")


def test_a_submission_that_is_refused_is_said_and_has_its_row(formgrader: Formgrader) -> None:
    said = formgrader.press("goran", "autograde")
    assert "There was an error autograding" in said
    assert "goran: 0 of 20, refused: lstm.ipynb" in said
    formgrader.open("manage_submissions/lstm")
    expect(formgrader.row("goran").locator(".score")).to_have_text("0 / 20")


@pytest.mark.only_long
def test_marks_and_comments_of_a_person_reach_the_page(formgrader: Formgrader) -> None:
    learner = "marked_by_hand"
    formgrader.press(learner, "autograde")
    formgrader.open_submission(learner)
    page = formgrader.page
    score, comment = page.locator("input#check_lstm_cell"), page.locator("#lstm_cell-comment")
    expect(score).to_have_attribute("placeholder", "6")
    with page.expect_response(lambda r: r.request.method == "PUT" and "/grade/" in r.url):
        score.fill("2.5")
        score.press("Tab")
    with page.expect_response(lambda r: r.request.method == "PUT" and "/comment/" in r.url):
        comment.fill("Please use one matrix for all gates.")
        comment.press("Tab")
    assert "Successfully generated feedback" in formgrader.press(learner, "generate-feedback")
    page.goto((formgrader.course / "feedback/marked_by_hand/lstm/lstm.html").as_uri())
    expect(page.locator("body")).to_contain_text("Please use one matrix for all gates.")
    expect(page.locator("body")).to_contain_text("2.5")

    formgrader.press(learner, "autograde")  # and they stay when it is graded again
    formgrader.open_submission(learner)
    expect(page.locator("input#check_lstm_cell")).to_have_value("2.5")
    expect(page.locator("#lstm_cell-comment")).to_have_value("Please use one matrix for all gates.")


@pytest.mark.parametrize(("learner", "assignment"), [("ada", "lstm"), ("eve", "essay")])
def test_what_a_learner_wrote_runs_nothing(
    formgrader: Formgrader, learner: str, assignment: str
) -> None:
    """Also for an assignment that nbgrader grades itself."""
    assert "Success" in formgrader.press(learner, "autograde", assignment)
    formgrader.open_submission(learner, assignment)
    page = formgrader.page
    expect(page.locator("h1", has_text="My notes")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.ran") is None
    assert page.locator("[onerror], [onload], #notebook script, #notebook iframe").count() == 0
    assert page.locator(".nbgrader_cell:text-is('not a form')").count() == 0
    assert "Success" in formgrader.press(learner, "generate-feedback", assignment)
    feedback = formgrader.course / f"feedback/{learner}/{assignment}/{assignment}.html"
    assert "<script>window" not in feedback.read_text("utf-8")


def test_the_validate_button_runs_no_learners_notebook(formgrader: Formgrader) -> None:
    """JupyterLab's, which asks the same server. A notebook of the instructor's own is run."""
    marker = formgrader.course.parent / "marker"
    notebook = essay("An answer.", f"open({str(marker)!r}, 'w').close()")
    hand_in(formgrader.course, "nobody", notebook, "validated")
    path = "submitted/nobody/validated/validated.ipynb"
    said = formgrader.validate(path)
    assert said["success"] is False and not marker.exists()
    assert "is not run: Validate has no sandbox" in said["value"]
    assert "\n" not in said["value"] and "Traceback" not in said["value"]
    own = formgrader.course / "source/validated/validated.ipynb"
    own.parent.mkdir()
    own.write_text(notebook, "utf-8")
    assert formgrader.validate("source/validated/validated.ipynb")["success"] is True
    assert marker.exists()


def test_manage_assignments_lists_and_releases(formgrader: Formgrader) -> None:
    """nbgrader makes the learners' version of an assignment whose source is a link."""
    formgrader.open("manage_assignments")
    row = formgrader.row("lstm")
    expect(row.locator(".num-submissions")).to_have_text("4")
    row.locator(".assign a").click()
    expect(formgrader.page.locator("#success-modal")).to_be_visible()
    assert (formgrader.course / "release/lstm/lstm.ipynb").is_file()


def test_html_of_outputs_and_markdown_is_cleaned_and_still_readable() -> None:
    html = "<b>bold</b><script>one()</script><p style='color:red;position:fixed'>two</p>"
    link = "[ok](https://example.org) [bad](data:text/html,x) ![far](https://example.org/x.png)"
    cells = [
        new_code_cell("1 < 2", outputs=[new_output("display_data", {"text/html": html})]),
        new_markdown_cell(f"# Title\n\n> quote\n\n`code` $a < b$ {link}"),
    ]
    page, _ = HarmlessExporter().from_notebook_node(new_notebook(cells=cells))
    assert "<b>bold</b>" in page and '<p style="color:red">two</p>' in page
    assert "<script>one" not in page
    assert "<h1>Title" in page and "<blockquote>" in page and "$a &lt; b$" in page
    assert 'href="https://example.org"' in page
    assert "data:text/html" not in page and "example.org/x.png" not in page
