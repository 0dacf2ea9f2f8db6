"""The author's tool: an exercise from nothing as CONTRIBUTING tells it, and each kind of fault."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rnncourse.checks.fingerprints import load
from tests import strength
from tools import answers, fingerprints
from tools.exercise import check
from tools.exercise.lines import lines_by_hand
from tools.exercise.new import AuthorError, New

ROOT = Path(__file__).parents[1]
ROOMS = ("rnncourse", "solutions", "exercises", "tools", "tests/checks", "book/_ext")
FILES = ("_config.yml", "_toc.yml", "pyproject.toml", "CONTRIBUTING.md", "README.md", "LICENSE")
IGNORED = shutil.ignore_patterns("__pycache__", "bench", "demonstration")


def copied(folder: Path, rooms: tuple[str, ...] = ROOMS) -> Path:
    """What the tool reads and writes of the checkout."""
    for room in rooms:
        shutil.copytree(ROOT / room, folder / room, ignore=IGNORED)
    for file in FILES:
        shutil.copy(ROOT / file, folder)
    (folder / "tests" / "__init__.py").touch()
    return folder


def tool(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(root, "-m", "tools.exercise", *arguments)


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


# ------------------------------------------------------------------ the worked example

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACES: dict[str, tuple[str, str]] = {
    "@exercise\n": ("rnncourse/rnn.py", r"@exercise\ndef leaky_cell(.|\n)*"),
    "leaky_cell = ": ("rnncourse/checks/plans/rnn.py", r"leaky_cell = Plan\(.*\)\n"),
    "[leaky_cell": ("tools/answers/rnn.toml", r"\[leaky_cell(.|\n)*"),
    "@honest": ("tools/answers/rnn.py", r'@honest\("leaky_cell"\)(.|\n)*'),
    "def test": ("tests/checks/test_rnn_by_hand.py", r"def test_leaky_cell_by_hand(.|\n)*"),
}
"""Where a block of CONTRIBUTING goes, by how it begins, and what it takes the place of."""
CELLS = {"@fill": "leaky_cell", "## 4": ""}

GRADES = """
from rnncourse.checks import examine
from rnncourse._exercise import find
from rnncourse.checks.plan import plan_of
from rnncourse.checks.judge import judge
from rnncourse.grading.hidden_test import build_hidden_test
from tools.answers import known, solution

hidden = build_hidden_test(plan_of("leaky_cell"), solution("leaky_cell"), 5)
for function in (solution("leaky_cell"), known("rnn", "leaky_cell")[0].function):
    outcomes = hidden.plan.run(function, hidden.hidden.cases)
    report = judge(hidden.plan, hidden.hidden.stages, hidden.hidden.expected, outcomes, ())
    find("leaky_cell").filled = function
    public = examine(find("leaky_cell"))
    print(report.complete, public.complete, public.mistake and public.mistake.id)
from tests.checks import test_rnn_by_hand
test_rnn_by_hand.test_a_leaky_cell_on_paper()
print(find("leaky_cell").stub.__doc__.split("new, from 0 to 1.")[1].split("\\n")[1].strip())
"""


def put_in(root: Path, block: str) -> None:
    """Put a block of CONTRIBUTING where it belongs."""
    for begins, id in CELLS.items():
        if block.startswith(begins):
            path = root / "solutions" / "rnn" / "rnn.ipynb"
            content = json.loads(path.read_text(encoding="utf-8"))
            cells = content["cells"]
            place = next(k for k, cell in enumerate(cells) if cell["id"] == "leaky-cell")
            cells[place if id else place - 1]["source"] = block.rstrip("\n")
            path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            return
    file, old = next(place for begins, place in PLACES.items() if block.startswith(begins))
    text = (root / file).read_text(encoding="utf-8")
    text, times = re.subn(old, lambda _: block, text)
    assert times == 1, file
    (root / file).write_text(text, encoding="utf-8")


def without_todo(root: Path) -> None:
    path = root / "solutions" / "rnn" / "rnn.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("TODO: ", ""), encoding="utf-8")


@pytest.mark.slow
def test_the_exercise_of_contributing_is_made_from_nothing(tmp_path: Path) -> None:
    root = copied(tmp_path)
    made = tool(root, "new", "leaky_cell", "--chapter", "rnn", "--points", "2")
    assert made.returncode == 0, made.stderr
    assert "python -m tools.exercise check leaky_cell" in made.stdout
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    example = text[text.index("### One from nothing") : text.index("## A new lesson")]
    for _, block in BLOCK.findall(example):
        put_in(root, block)
    without_todo(root)
    assert tool(root, "write", "rnn").returncode == 0
    done = tool(root, "check", "leaky_cell")
    assert (done.stdout, done.returncode) == ("Nothing is missing.\n", 0), done
    graded = run(root, "-c", GRADES)
    *reports, documented = graded.stdout.splitlines()
    assert reports == ["True True None", "False False rates_swapped"], graded
    assert documented == "w_ih (H, I), w_hh (H, H), b (H,): weights and bias."


@pytest.mark.slow
def test_a_chapter_is_made_with_its_first_exercise(tmp_path: Path) -> None:
    root = copied(tmp_path)
    New(root, "first_one", "scans", 2).make()
    after_models = (root / "_toc.yml").read_text("utf-8").partition("exercises/models/models\n")[2]
    title, new, its_title, part, *_ = after_models.splitlines()
    assert title == '        title: "Exercise: models"'
    assert new == "      - file: exercises/scans/scans"
    assert its_title == '        title: "Exercise: scans"'
    assert part == "  - caption: Look up"
    assert '    "scans",\n)' in (root / "rnncourse/_exercise.py").read_text(encoding="utf-8")
    written = tool(root, "write", "scans")
    assert written.returncode == 0, written.stderr
    content = json.loads((root / "exercises/scans/scans.ipynb").read_text(encoding="utf-8"))
    ids = [cell["id"] for cell in content["cells"]]
    assert ids[3:] == [
        "first-one-text",
        "first-one",
        "check-first-one",
        "first-one-demo-text",
        "demo-first-one",
        "goodbye",
    ]


@pytest.mark.parametrize("chapter", ["clipping", "models"])
def test_where_plans_are_a_package_a_plan_gets_a_module(tmp_path: Path, chapter: str) -> None:
    copied(tmp_path, ("rnncourse", "solutions", "tools", "tests/checks"))
    New(tmp_path, "new_one", chapter, 1).make()
    plans = tmp_path / "rnncourse" / "checks" / "plans" / chapter
    assert "new_one = Plan(stubs.new_one, standard())" in (plans / "new_one.py").read_text("utf-8")
    init = (plans / "__init__.py").read_text(encoding="utf-8")
    assert "from .new_one import new_one\n" in init and '"new_one"' in init


# ------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("name", "chapter", "points", "sentence"),
    [
        ("lstm_cell", "lstm", 2, "there is a lstm_cell in rnncourse/lstm.py"),
        ("lstm_cell", "gru", 2, "there is a lstm_cell in rnncourse/lstm.py"),
        ("LSTM cell", "lstm", 2, "cannot be the name of an exercise"),
        ("class", "lstm", 2, "cannot be the name of an exercise"),
        ("new_one", "../lstm", 2, "cannot be the name of a chapter"),
        ("new_one", "plots", 2, "plots is a module of the package, and no chapter"),
        ("new_one", "grading", 2, "grading is a module of the package, and no chapter"),
        ("new_one", "lstm", 0, "at least one point"),
    ],
)
def test_what_cannot_be_made_is_refused(
    name: str, chapter: str, points: int, sentence: str
) -> None:
    with pytest.raises(AuthorError, match=re.escape(sentence)):
        New(ROOT, name, chapter, points).texts()


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AuthorError, match="no checkout"):
        New(tmp_path, "new_one", "lstm", 1).texts()


def test_the_command_says_so_in_one_sentence() -> None:
    said = tool(ROOT, "new", "lstm_cell", "--chapter", "lstm")
    assert said.returncode == 1
    assert said.stderr == "tools.exercise: there is a lstm_cell in rnncourse/lstm.py.\n"


# ------------------------------------------------------------------ what is missing


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the chapter shapes that the tool looks at, in this process."""
    for room in ("solutions/shapes", "exercises/shapes", "tools/answers", "tests/checks"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=IGNORED)
    stored = tmp_path / "fingerprints"
    shutil.copytree(fingerprints.FOLDER, stored)
    shutil.copy(ROOT / "_toc.yml", tmp_path)
    monkeypatch.setattr(check, "ROOT", tmp_path)
    monkeypatch.setattr(answers, "FOLDER", tmp_path / "tools" / "answers")
    monkeypatch.setattr(answers, "SOLUTIONS", tmp_path / "solutions")
    monkeypatch.setattr(fingerprints, "FOLDER", stored)
    forget()
    yield tmp_path
    monkeypatch.undo()
    forget()


def forget() -> None:
    for cached in (answers.solutions, answers.solution, answers._edits, load):
        cached.cache_clear()  # type: ignore[attr-defined]


def edit(file: str, old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        text = (root / file).read_text(encoding="utf-8")
        assert old in text, old
        (root / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


NOTEBOOK, MISTAKES = "solutions/shapes/shapes.ipynb", "tools/answers/shapes.toml"
NONE = '[last_valid.none]\nsays = "No."\nedit = []\n'
INDEXED = "output[lengths - 1, torch.arange(len(lengths), device=output.device)]"

FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "an edit that does not apply": (
        edit(NOTEBOOK, INDEXED, INDEXED.replace(" - ", "-")),
        "stands 0 times in the solution, not once",
    ),
    "unsolved": (edit(NOTEBOOK, INDEXED, "output[0]"), "the solution does not pass its own check"),
    "a hint": (edit(NOTEBOOK, "<summary>Hint 3", "<summary>Help"), "2 hints, where 3 are needed"),
    "points": (edit(NOTEBOOK, '"points": 4', '"points": 9'), "`name` (n points)"),
    "a mistake that is none": (
        edit(
            MISTAKES,
            "\n[last_valid.",
            '\n[last_valid.none]\nsays = "No."\nedit = []\n\n[last_valid.',
        ),
        "none passes the check",
    ),
    "stale fingerprints": (
        edit(MISTAKES, 'says = "', 'says = "Another sentence: '),
        "is not named by the check",
    ),
    "stale exercises": (
        edit(NOTEBOOK, "Predict first", "Predict"),
        "exercises/shapes/shapes.ipynb",
    ),
    "by hand": (
        lambda root: (root / "tests/checks/test_shapes_by_hand.py").unlink(),
        "test the solution by another route",
    ),
    "contents": (edit("_toc.yml", "exercises/shapes/shapes", "elsewhere"), "_toc.yml"),
    "TODO": (edit(MISTAKES, 'says = "', 'says = "TODO '), "marked TODO"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found(changed: Path, fault: str) -> None:
    change, sentence = FAULTS[fault]
    change(changed)
    names = ["rnn_output_shapes", "parameter_count", "last_valid"]
    found = [str(finding) for finding in check.findings(names)]
    assert any(sentence in line for line in found), found


@pytest.mark.slow
@pytest.mark.long
def test_nothing_is_missing_of_the_exercises_that_there_are() -> None:
    said = tool(ROOT, "check", *([] if strength.full() else ["global_norm"]))
    assert (said.stdout, said.returncode) == ("Nothing is missing.\n", 0)


def test_an_unknown_exercise_is_refused() -> None:
    said: Any = tool(ROOT, "check", "lstm_cel")
    assert said.returncode == 1 and "there is no exercise 'lstm_cel'" in said.stderr


def test_lines_are_counted_part_by_part() -> None:
    counts = lines_by_hand("global_norm")
    assert counts["solution"] == 3
    assert counts["mistakes"] == 3 * len(answers.known("clipping", "global_norm"))
    assert 15 < counts["plan"] < 40


# ------------------------------------------------------------------ where notebooks install from


def test_install_cells_follow_the_configuration(tmp_path: Path) -> None:
    root = copied(tmp_path)
    assert tool(root, "install-cells").stdout == ""
    config = root / "_config.yml"
    text = config.read_text(encoding="utf-8")
    said = re.sub(r"(?m)^( *install:) .*$", r"\1 https://example.org/course/", text)
    config.write_text(said, encoding="utf-8")
    done = tool(root, "install-cells")
    assert done.returncode == 0, done.stderr
    for chapter in ("lstm", "models"):
        for room in ("solutions", "exercises"):
            path = root / room / chapter / f"{chapter}.ipynb"
            assert "https://example.org/course/downloads/" in path.read_text(encoding="utf-8")
    config.write_text(text.replace("published:", "other:"), encoding="utf-8")
    done = tool(root, "install-cells")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "_config.yml lacks the setting 'published'" in done.stderr
