"""The exercise notebooks: fresh, complete, runnable from the first minute, right when solved."""

from __future__ import annotations

import ast
import functools
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbgrader.validator import Validator
from traitlets.config import Config

from book._ext.addresses import read_addresses
from rnncourse._exercise import CHAPTERS, Exercise, exercises, find
from rnncourse._notebook import grade_id, nbgrader_metadata, source
from rnncourse.checks import examine
from rnncourse.checks.fingerprints import load
from rnncourse.checks.plan import plan_of
from rnncourse.grading.release import release
from rnncourse.grading.submissions.source import Source
from tests import strength

ROOT = Path(__file__).parents[1]
SHORTEST = "shapes"
"""The chapter for what is tried on one notebook only."""
HANGS = 1800
"""Seconds after which a cell hangs and is ended: many times what a busy machine needs."""


def notebook(room: str, chapter: str) -> dict[str, Any]:
    path = ROOT / room / chapter / f"{chapter}.ipynb"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@dataclass(frozen=True)
class Executed:
    """A notebook after Run All in a real kernel, as nbgrader validates it.

    Attributes:
        said: what each code cell printed or displayed as text, by its id.
        errors: the cells that ended in an error, and its lines.
        failed: the sources of the cells that nbgrader says would fail.
    """

    said: dict[str, str]
    errors: dict[str, str]
    failed: tuple[str, ...]


class Recorder(Validator):
    """nbgrader's validator, which keeps the executed notebook."""

    executed: NotebookNode

    def _preprocess(self, nb: NotebookNode) -> NotebookNode:
        self.executed = super()._preprocess(nb)
        return self.executed


@functools.cache
def executed(room: str, chapter: str) -> Executed:
    """Execute a notebook once, for all tests of its chapter."""
    validator = Recorder(config=Config({"Execute": {"timeout": HANGS, "startup_timeout": HANGS}}))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{chapter}.ipynb"
        path.write_text(json.dumps(notebook(room, chapter)), encoding="utf-8")
        found = validator.validate(str(path))
    assert found.keys() <= {"failed"}, found
    cells = [cell for cell in validator.executed.cells if cell.cell_type == "code"]
    return Executed(
        {grade_id(cell): text_of(cell) for cell in cells},
        {grade_id(cell): error for cell in cells if (error := error_of(cell))},
        tuple(cell["source"] for cell in found.get("failed", [])),
    )


def text_of(cell: NotebookNode) -> str:
    return "\n".join(
        output.get("text", "") or str(output.get("data", {}).get("text/plain", ""))
        for output in cell.outputs
    )


def error_of(cell: NotebookNode) -> str:
    return "\n".join(
        line
        for output in cell.outputs
        if output.output_type == "error"
        for line in output.traceback
    )


@pytest.fixture(params=CHAPTERS)
def chapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def names(chapter: str) -> list[str]:
    return [entry.name for entry in exercises().values() if entry.chapter == chapter]


def test_the_released_notebook_is_what_nbgrader_makes_of_the_source(
    chapter: str, tmp_path: Path
) -> None:
    (tmp_path / "solutions").symlink_to(ROOT / "solutions")
    made = release(tmp_path, chapter)
    committed = ROOT / "exercises" / chapter
    assert {p.name: p.read_bytes() for p in made.iterdir()} == {
        p.name: p.read_bytes() for p in committed.iterdir()
    }, "run: rnncourse release"


@pytest.mark.long
@pytest.mark.parametrize("chapter", strength.notebooks())
def test_the_unsolved_notebook_runs_to_its_end_and_passes_nothing(chapter: str) -> None:
    run = executed("exercises", chapter)
    for name in names(chapter):
        assert f"{name} is not filled in yet" in run.said[f"check_{name}"]
        assert "passed" not in run.said[f"check_{name}"]
    shown = [text for name, text in run.said.items() if name.startswith("demo_")]
    assert shown and all("Nothing to see yet" in text for text in shown)
    # One short error each, without a traceback, and only because nbgrader is watching.
    assert set(run.errors) == {f"check_{name}" for name in names(chapter)}
    for name in names(chapter):
        assert run.errors[f"check_{name}"].startswith(f"CheckFailedError: {name}: 0 of")
        assert "\n" not in run.errors[f"check_{name}"]
    assert len(run.failed) == len(names(chapter))


@pytest.mark.long
@pytest.mark.parametrize("chapter", strength.notebooks())
def test_the_solution_passes_everything_and_shows_everything(chapter: str) -> None:
    run = executed("solutions", chapter)
    for name in names(chapter):
        assert re.match(rf"✓ {name}: (\d+) of \1 public checks passed;", run.said[f"check_{name}"])
    shown = [text for name, text in run.said.items() if name.startswith("demo_")]
    assert all(text and "Nothing to see yet" not in text for text in shown)
    assert run.errors == {} and run.failed == ()


def test_without_nbgrader_run_all_ends_without_an_error() -> None:
    content = nbformat.reads(json.dumps(notebook("exercises", SHORTEST)), as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        place = {"metadata": {"path": folder}}
        client = NotebookClient(content, timeout=HANGS, startup_timeout=HANGS, resources=place)
        client.execute()  # raises if a cell does
    said = {grade_id(c): text_of(c) for c in content.cells if c.cell_type == "code"}
    for name in names(SHORTEST):
        assert f"{name} is not filled in yet" in said[f"check_{name}"]


@pytest.mark.only_long
@pytest.mark.parametrize(
    ("room", "verdict"), [("solutions", "Success!"), ("exercises", "VALIDATION FAILED ON")]
)
def test_nbgraders_command_validates_the_solution_and_not_the_exercise(
    room: str, verdict: str, tmp_path: Path
) -> None:
    path = tmp_path / f"{room}.ipynb"
    path.write_text(json.dumps(notebook(room, SHORTEST)), encoding="utf-8")
    command = [sys.executable, "-m", "nbgrader", "validate", str(path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert verdict in said
    for name in names(SHORTEST):
        assert (f"CheckFailedError: {name}: 0 of" in said) == (room == "exercises")
    assert "checks/__init__.py" not in said  # one short error, no traceback


@pytest.mark.parametrize("chapter", ["lstm"])
def test_the_learners_lstm_learns_at_the_end(chapter: str) -> None:
    said = executed("solutions", chapter).said
    found = re.search(r"^bias 1: (\d\.\d+)", said["demo_flagged_number"], re.MULTILINE)
    assert found and float(found[1]) < 0.01, said["demo_flagged_number"]
    assert "300 of 300" in said["demo_flagged_number"]
    assert "<Figure" in said["demo_flagged_number"]


@pytest.mark.only_long
@pytest.mark.parametrize("chapter", ["gru"])
def test_the_learners_gru_learns_at_the_end(chapter: str) -> None:
    said = executed("solutions", chapter).said
    found = re.search(r"last 50 training steps: (\d\.\d+)", said["demo_hold"])
    assert found and float(found[1]) < 0.01, said["demo_hold"]
    assert "200 of 200" in said["demo_hold"]
    assert all("<Figure" in said[name] for name in ("demo_gru_cell", "demo_hold", "demo_gates"))


@pytest.mark.only_long
@pytest.mark.parametrize("chapter", ["clipping"])
def test_the_learners_clipping_saves_the_training_at_the_end(chapter: str) -> None:
    said = executed("solutions", chapter).said["demo_clipped_training_step"]
    row = r" +\d +(\S+) +(\d+) +(\S+)"  # seed, then largest loss, losses that are no number, end
    lost = re.findall(f"^not clipped{row}", said, re.MULTILINE)
    saved = re.findall(f"^clipped to 10{row}", said, re.MULTILINE)
    assert len(lost) == len(saved) == 2, said
    assert all(float(largest) > 1e6 for largest, _, _ in lost), said
    assert all(no_number == "0" and float(end) < 1 / 24 for _, no_number, end in saved), said


def test_every_exercise_has_its_cells_points_and_three_hints(chapter: str) -> None:
    content = notebook("solutions", chapter)
    cells = content["cells"]
    by_id = {grade_id(cell): cell for cell in cells}
    for name in names(chapter):
        answer, check = by_id[name], by_id[f"check_{name}"]
        assert "### BEGIN SOLUTION" in source(answer)
        assert nbgrader_metadata(answer)["solution"] and not nbgrader_metadata(answer)["locked"]
        assert source(check).startswith(f"check({name})\n### BEGIN HIDDEN TESTS")
        assert nbgrader_metadata(check)["locked"]
        before = source(cells[cells.index(answer) - 1])
        assert f"`{name}` ({nbgrader_metadata(check)['points']} points)" in before
        assert [int(n) for n in re.findall(r"<summary>Hint (\d)", before)] == [1, 2, 3]
    points = Source(content).points
    total = sum(points.values())
    assert f"{total:g} points, about" in source(cells[0])
    assert set(points) == set(names(chapter))


def test_nothing_is_saved_but_sources(chapter: str) -> None:
    for room in ("solutions", "exercises"):
        content = notebook(room, chapter)
        nbformat.validate(nbformat.from_dict(content))
        code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
        assert all(not c["outputs"] and c["execution_count"] is None for c in code)
    released = json.dumps(notebook("exercises", chapter))
    assert "HIDDEN TESTS" not in released and "BEGIN SOLUTION" not in released


def test_only_colab_installs_and_from_where_the_course_is_published(chapter: str) -> None:
    for room in ("solutions", "exercises"):
        code = [c for c in notebook(room, chapter)["cells"] if c["cell_type"] == "code"]
        said = "run: python -m tools.exercise install-cells"
        assert source(code[0]) == read_addresses(ROOT).install_cell(), said
        assert all("pip install" not in source(cell) for cell in code[1:])


@functools.cache
def candidates() -> list[tuple[str, Any]]:
    """Every function that a learner can read: in the package, the lessons, the given cells."""
    texts = {p: p.read_text(encoding="utf-8") for p in (ROOT / "rnncourse").rglob("*.py")}
    for path in (ROOT / "book").glob("*.md"):
        cells = re.findall(
            r"^```\{code-cell\}[^\n]*\n(.*?)^```",
            path.read_text(encoding="utf-8"),
            re.MULTILINE | re.DOTALL,
        )
        options = re.compile(r"\A(---\n.*?\n---|(:\w[^\n]*\n)+)", re.DOTALL)
        texts[path] = "\n".join(options.sub("", cell) for cell in cells)
    for chapter in CHAPTERS:
        given = [c for c in notebook("exercises", chapter)["cells"] if c["cell_type"] == "code"]
        texts[ROOT / "exercises" / chapter] = "\n".join(
            source(c) for c in given if grade_id(c).startswith("demo_")
        )
    return [
        (f"{path.name}:{function.__name__}", function)
        for path, text in texts.items()
        for function in functions(text)
    ]


def functions(text: str) -> list[Any]:
    """The functions defined anywhere in a text, each able to call the others."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("%")]
    space: dict[str, Any] = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional}
    found = []
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.FunctionDef):
            node.decorator_list = []
            bare = ast.parse(f"from __future__ import annotations\n{ast.unparse(node)}")
            try:
                exec(compile(bare, node.name, "exec"), space)
            except NameError:  # a default that only its own module knows
                continue
            found.append(space[node.name])
    return found


@pytest.mark.parametrize("entry", exercises().values(), ids=lambda e: e.name)
def test_no_function_that_learners_can_read_is_an_answer(entry: Exercise) -> None:
    tried = 0
    for name, function in candidates():
        if function.__code__.co_argcount != len(entry.signature.parameters):
            continue
        tried += 1
        find(entry.name).filled = lambda *a, f=function, **k: f(*a, *k.values())
        assert not (begins_well(entry) and examine(entry).complete), name
    assert tried


def begins_well(entry: Exercise) -> bool:
    """Whether what fills an exercise comes through the first call of its check; most do not, and
    need no whole check."""
    plan = plan_of(entry.name)
    stages = plan.stages_on(load(entry.chapter)[entry.name].fixtures)
    return not plan.call(entry.stub, stages[0].cases[0]).problem
