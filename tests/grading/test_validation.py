"""nbgrader's Validate runs no learner's notebook in a course folder, and all others as ever."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from nbgrader.validator import Validator

from rnncourse.grading.course import Course
from rnncourse.grading.validation import NotValidatedError, refusal
from tests.grading.nbgrader_course import essay, hand_in, nbgrader, new_course
from tools.demonstration.learners import ROOT

SENTENCE = "is not run: Validate has no sandbox"


def writing(marker: Path) -> str:
    """A notebook that leaves a file."""
    return essay("An answer.", f"open({str(marker)!r}, 'w').close()")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return new_course(tmp_path / "class")


def submitted(course: Path, text: str) -> str:
    hand_in(course, "ada", text)
    return "submitted/ada/lstm/lstm.ipynb"


def of_an_essay(course: Path, text: str) -> str:
    hand_in(course, "ada", text, "essay")
    return str(course / "submitted/ada/essay/essay.ipynb")


def autograded(course: Path, text: str) -> str:
    return written(course / "autograded/ada/lstm/lstm.ipynb", text)


def downloaded(course: Path, text: str) -> str:
    return written(course.parent / "Downloads/ada_lstm.ipynb", text)


def beside(course: Path, text: str) -> str:
    return written(course / "ada.ipynb", text)


def linked(course: Path, text: str) -> str:
    """A link in the instructor's own folder."""
    hand_in(course, "ada", text)
    (course / "release/mine").mkdir(parents=True)
    (course / "release/mine/mine.ipynb").symlink_to(course / "submitted/ada/lstm/lstm.ipynb")
    return "release/mine/mine.ipynb"


def linked_folder(course: Path, text: str) -> str:
    hand_in(course, "ada", text)
    (course / "source/mine").symlink_to(course / "submitted/ada/lstm")
    return "source/mine/lstm.ipynb"


def written(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return str(path)


def test_the_command_runs_no_learners_notebook(course: Path) -> None:
    marker = course.parent / "marker"
    hand_in(course, "ada", writing(marker))
    done = nbgrader(course, "validate", "submitted/*/lstm/*.ipynb")
    assert not marker.exists()
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("nbgrader validate: submitted/ada/lstm/lstm.ipynb is not run: ")
    assert "rnncourse grade" in last
    assert "Traceback" not in done.stderr and done.stdout == ""


@pytest.mark.parametrize(
    "place", [submitted, of_an_essay, autograded, downloaded, beside, linked, linked_folder]
)
def test_no_way_to_a_learners_notebook_runs_it(
    course: Path, place: Callable[[Path, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = course.parent / "marker"
    monkeypatch.chdir(course)
    path = place(course, writing(marker))
    validator = Validator(config=Course.open(course).config)
    with pytest.raises(SystemExit, match=SENTENCE):
        validator.validate_and_print(path)
    with pytest.raises(NotValidatedError, match=SENTENCE):
        validator.validate(path)
    assert not marker.exists()


def own_source(course: Path, text: str) -> str:
    return written(course / "source/essay/essay.ipynb", text)


def own_release(course: Path, text: str) -> str:
    return written(course / "release/essay/essay.ipynb", text)


def linked_source(course: Path, text: str) -> str:
    """As the sources of this course are linked."""
    written(course.parent / "mine/essay.ipynb", text)
    (course / "source/essay").symlink_to(course.parent / "mine")
    return "source/essay/essay.ipynb"


def of_the_checkout(course: Path, text: str) -> str:
    return str(ROOT / "exercises/lstm/lstm.ipynb")


def test_the_command_runs_the_instructors_own(course: Path) -> None:
    marker = course.parent / "marker"
    done = nbgrader(course, "validate", linked_source(course, writing(marker)))
    assert done.returncode == 0, done.stderr
    assert marker.exists()
    assert "Success" in done.stdout


@pytest.mark.parametrize("place", [own_source, own_release, linked_source, of_the_checkout])
def test_every_place_of_the_instructors_own_is_let_through(
    course: Path, place: Callable[[Path, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(course)
    path = Path(place(course, "{}"))
    assert path.exists()
    assert refusal(path, Course.open(course).config) == ""


def test_a_learner_validates_in_a_folder_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in a clone of the course, whose configuration has the door."""
    marker, folder = tmp_path / "marker", tmp_path / "mine"
    done = nbgrader(folder.parent, "validate", written(folder / "lstm.ipynb", writing(marker)))
    assert done.returncode == 0, done.stderr
    assert marker.exists() and "Success" in done.stdout
    clone = new_course(tmp_path / "clone")
    (clone / "submitted").rmdir()
    monkeypatch.chdir(clone)
    path = Path(written(clone / "work/lstm.ipynb", "{}"))
    assert refusal(path, Course.open(clone).config) == ""
