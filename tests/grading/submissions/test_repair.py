"""What people do to notebooks, and what is made of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from rnncourse._notebook import grade_id, nbgrader_metadata, source
from rnncourse.grading.submissions.submission import Source, Submission, read
from tools.demonstration.learners import ROOT, filled, solutions

Cells = list[dict[str, Any]]
Change = Callable[[Cells], None]

EXERCISES = ("lstm_cell", "lstm_layer", "pack_gates", "unpack_gates", "set_forget_bias")
OPENING = ("install", "imports")


@pytest.fixture(scope="module")
def instructors() -> Source:
    return Source(json.loads((ROOT / "solutions/lstm/lstm.ipynb").read_text("utf-8")))


@pytest.fixture
def hand_in(tmp_path: Path, instructors: Source) -> Callable[..., Submission]:
    def handed_in(
        change: Change = lambda cells: None,
        whole: Callable[[dict[str, Any]], None] = lambda notebook: None,
        answers: dict[str, str] | None = None,
    ) -> Submission:
        """A notebook with all answers, changed, written to a file and read."""
        notebook = json.loads(filled(solutions() if answers is None else answers))
        change(notebook["cells"])
        whole(notebook)
        path = tmp_path / "submitted/ada/lstm/lstm.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(notebook), encoding="utf-8")
        submission = read(path.parent, "ada", "lstm", instructors)
        assert not submission.refused
        nbformat.validate(nbformat.from_dict(submission.notebook))
        ids = [grade_id(cell) for cell in submission.notebook["cells"] if grade_id(cell)]
        assert sorted(ids) == sorted(instructors.known)
        return submission

    return handed_in


def at(cells: Cells, name: str) -> int:
    return next(n for n, cell in enumerate(cells) if grade_id(cell) == name)


def cell(cells: Cells, name: str) -> dict[str, Any]:
    return cells[at(cells, name)]


def code(text: str, name: str = "") -> dict[str, Any]:
    metadata = {"nbgrader": {"grade_id": name}} if name else {}
    return {"cell_type": "code", "metadata": metadata, "source": text, "outputs": []}


def runs(submission: Submission) -> list[str]:
    """The ids of the cells that are run; the first line of those without one."""
    return [cell.grade_id or cell.source.splitlines()[0] for cell in submission.cells]


def shown(submission: Submission) -> list[str]:
    """The ids of the notebook's code cells; the first line of those without one."""
    assert submission.notebook
    cells = (c for c in submission.notebook["cells"] if c["cell_type"] == "code")
    return [grade_id(cell) or source(cell).splitlines()[0] for cell in cells]


def text_of(submission: Submission, name: str) -> str:
    assert submission.notebook
    return source(cell(submission.notebook["cells"], name))


WHOLE = [*OPENING, *EXERCISES]


def test_an_honest_notebook_needs_nothing(
    hand_in: Callable[..., Submission], instructors: Source
) -> None:
    submission = hand_in()
    assert submission.repairs == ()
    assert runs(submission) == WHOLE
    assert [c.exercises for c in submission.cells if c.exercises] == [(e,) for e in EXERCISES]
    assert text_of(submission, "lstm_cell") == solutions()["lstm_cell"].strip()
    assert text_of(submission, "check_lstm_cell") == "check(lstm_cell)"
    assert submission.notebook
    released = json.loads(filled({}))["cells"]
    assert [c["id"] for c in submission.notebook["cells"]] == [c["id"] for c in released]
    markdown = [source(c) for c in released if c["cell_type"] == "markdown"]
    assert [source(c) for c in submission.notebook["cells"] if c["cell_type"] == "markdown"] == (
        markdown
    )


def test_an_empty_notebook_needs_nothing_and_shows_no_solution(
    hand_in: Callable[..., Submission],
) -> None:
    submission = hand_in(answers={})
    assert submission.repairs == ()
    assert runs(submission) == WHOLE
    assert "chunk(4, dim=1)\n" not in json.dumps(submission.notebook)
    assert "raise NotImplementedError()" in text_of(submission, "lstm_cell")


def by_jupyterlab(notebook: dict[str, Any]) -> None:
    for n, one in enumerate(notebook["cells"]):
        one["metadata"] |= {"trusted": True, "tags": [], "jupyter": {"source_hidden": False}}
        one["source"] = source(one).splitlines(keepends=True)
        if one["cell_type"] == "code":
            one |= {"execution_count": n, "outputs": [{"output_type": "stream", "text": ["1"]}]}
    notebook["metadata"]["kernelspec"] = {"display_name": "x", "language": "python", "name": "x"}
    notebook["metadata"]["language_info"] = {"name": "python", "version": "3.12.1"}
    notebook["cells"].append(code(""))


def by_vs_code(notebook: dict[str, Any]) -> None:
    for one in notebook["cells"]:
        one["metadata"]["vscode"] = {"languageId": "python"}
        one["metadata"].pop("editable", None)
        one["metadata"].pop("deletable", None)
        one["source"] = source(one).replace("\n", "\r\n")
    notebook["metadata"] = {"kernelspec": {"name": "python3"}, "language_info": {"name": "python"}}


def by_colab(notebook: dict[str, Any]) -> None:
    notebook["nbformat_minor"] = 0
    for one in notebook["cells"]:
        one["metadata"] |= {"id": one.pop("id"), "colab": {"base_uri": "x"}, "outputId": "1"}
        one["metadata"].pop("deletable", None)
        nbgrader = one["metadata"].get("nbgrader", {})
        for key in ("checksum", "schema_version", "task", "cell_type"):
            nbgrader.pop(key, None)
    notebook["metadata"] = {
        "colab": {"provenance": []},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "accelerator": "GPU",
    }


def by_a_person(notebook: dict[str, Any]) -> None:
    """Someone who works with it: notes, own cells, experiments with what is given to be played
    with, a check called once more."""
    cells = notebook["cells"]
    at_check = at(cells, "check_lstm_cell")
    cell(cells, "demo_lstm_cell")["source"] += "\nprint('longer')"
    cell(cells, "check_lstm_cell")["source"] = "# again\n\ncheck(lstm_cell)  \n"
    cells[at_check:at_check] = [code("y = torch.ones(3)"), code("check(lstm_cell)")]
    cells.insert(3, {"cell_type": "markdown", "metadata": {}, "source": "My notes: $a<b$"})
    del cells[at(cells, "demo_pack_gates")]
    del cells[0]


@pytest.mark.parametrize("save", [by_jupyterlab, by_vs_code, by_colab, by_a_person])
def test_programs_and_people_may_add_and_drop_things(
    hand_in: Callable[..., Submission], save: Callable[[dict[str, Any]], None]
) -> None:
    submission = hand_in(whole=save)
    assert submission.repairs == ()
    assert [name for name in runs(submission) if name in WHOLE] == WHOLE
    assert text_of(submission, "lstm_cell") == solutions()["lstm_cell"].strip()


def test_a_check_of_an_earlier_release_is_no_damage(hand_in: Callable[..., Submission]) -> None:
    def released_before(cells: Cells) -> None:
        old = nbformat.from_dict(cell(cells, "check_lstm_cell"))
        old.source = "check(lstm_cell, tolerance=1)"
        from nbgrader.utils import compute_checksum

        old.metadata.nbgrader.checksum = compute_checksum(old)
        cells[at(cells, "check_lstm_cell")] = old

    submission = hand_in(released_before)
    assert submission.repairs == ()
    assert text_of(submission, "check_lstm_cell") == "check(lstm_cell)"


def copied(name: str, to: int | None = None) -> Change:
    def change(cells: Cells) -> None:
        copy = json.loads(json.dumps(cell(cells, name))) | {"id": "copy"}
        cells.insert(at(cells, name) + 1 if to is None else to, copy)

    return change


def deleted(*names: str) -> Change:
    def change(cells: Cells) -> None:
        for name in names:
            del cells[at(cells, name)]

    return change


def edited(name: str, text: str) -> Change:
    def change(cells: Cells) -> None:
        cell(cells, name)["source"] = text

    return change


def turned(name: str, kind: str) -> Change:
    def change(cells: Cells) -> None:
        cell(cells, name)["cell_type"] = kind

    return change


def renamed(name: str, other: str) -> Change:
    def change(cells: Cells) -> None:
        cell(cells, name)["metadata"]["nbgrader"]["grade_id"] = other

    return change


def flagged(name: str, **flags: Any) -> Change:
    def change(cells: Cells) -> None:
        cell(cells, name)["metadata"]["nbgrader"] |= flags

    return change


def swapped_ids(cells: Cells) -> None:
    one, other = (cell(cells, name)["metadata"]["nbgrader"] for name in EXERCISES[:2])
    one["grade_id"], other["grade_id"] = other["grade_id"], one["grade_id"]


def without_metadata(cells: Cells) -> None:
    for one in cells:
        one["metadata"] = {}
        one.pop("id")


def without_metadata_of(name: str) -> Change:
    def change(cells: Cells) -> None:
        found = cell(cells, name)
        found["metadata"] = {}
        found.pop("id")

    return change


MISSING = "These given cells were missing; they were put back: {}."
COPIES = "These given cells were there more than once; one was kept: {}."
CHANGED = "These given cells were changed; the course's own stand in their place: {}."
INSIDE = "What was written into these given cells was run as code of your own: {}."
TEXT = "These cells of code had become text, and were run as code: {}."
FLAGS = "The points or locks of these cells were changed; the course's own count: {}."
GONE = "The cells of these exercises are gone, so they are not filled in: {}."
PLACE = "These exercises stood in a cell with another id, and were found there: {}."
ORDER = "The cells are not in the course's order; they were run in yours."
IDS = (
    "The notebook had lost what nbgrader notes in its cells; they were recognised by what they "
    "hold."
)
LOST = "These cells had lost their ids and were recognised by what they hold: {}."


@pytest.mark.parametrize(
    "change, said",
    [
        (copied("check_lstm_cell"), COPIES.format("check_lstm_cell")),
        (deleted("check_lstm_cell"), MISSING.format("check_lstm_cell")),
        (
            deleted("check_lstm_cell", "check_pack_gates"),
            MISSING.format("check_lstm_cell, check_pack_gates"),
        ),
        (edited("check_lstm_cell", "assert True"), CHANGED.format("check_lstm_cell")),
        (edited("check_lstm_cell", ""), MISSING.format("check_lstm_cell")),
        (turned("check_lstm_cell", "markdown"), CHANGED.format("check_lstm_cell")),
        (turned("lstm_cell", "markdown"), TEXT.format("lstm_cell")),
        (turned("lstm_cell", "raw"), TEXT.format("lstm_cell")),
        (renamed("lstm_cell", "mine"), PLACE.format("lstm_cell")),
        (renamed("lstm_cell", "check_lstm_layer"), INSIDE.format("check_lstm_layer")),
        (swapped_ids, PLACE.format("lstm_cell, lstm_layer")),
        (flagged("check_lstm_cell", points=600), FLAGS.format("check_lstm_cell")),
        (flagged("lstm_cell", solution=False), FLAGS.format("lstm_cell")),
        (flagged("lstm_cell", locked=True, grade=None), FLAGS.format("lstm_cell")),
        (without_metadata, IDS),
        (without_metadata_of("lstm_cell"), LOST.format("lstm_cell")),
        (deleted("imports"), MISSING.format("imports")),
        (edited("imports", "import torch"), CHANGED.format("imports")),
    ],
)
def test_damage_that_costs_nothing(
    hand_in: Callable[..., Submission], change: Change, said: str
) -> None:
    """All answers are found, in order, and the repair is said in one sentence."""
    submission = hand_in(change)
    assert submission.repairs == (said,)
    assert runs(submission) == WHOLE
    for name in EXERCISES:
        assert text_of(submission, name) == solutions()[name].strip()
    assert text_of(submission, "check_lstm_cell") == "check(lstm_cell)"


def test_a_deleted_answer_is_not_filled_in(hand_in: Callable[..., Submission]) -> None:
    submission = hand_in(deleted("lstm_cell"))
    assert submission.repairs == (GONE.format("lstm_cell"),)
    assert runs(submission) == [*OPENING, *EXERCISES[1:]]
    assert "raise NotImplementedError()" in text_of(submission, "lstm_cell")


def test_all_settings_come_from_the_instructor(
    hand_in: Callable[..., Submission], instructors: Source
) -> None:
    submission = hand_in(flagged("check_lstm_cell", points=600, locked=False, more="x"))
    assert submission.notebook
    found = nbgrader_metadata(cell(submission.notebook["cells"], "check_lstm_cell"))
    assert (found["points"], found["locked"]) == (6, True)
    assert found == instructors.known["check_lstm_cell"].settings


TWICE = (
    "These exercises are answered in more than one cell; all were run in order, and the last one "
    "counts: {}."
)
ELSEWHERE = "These exercises are answered in other cells; their empty cells were not run: {}."
SECOND = "@fill\ndef lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):\n    return h, c"


def test_of_two_answers_the_last_counts(hand_in: Callable[..., Submission]) -> None:
    first = solutions()["lstm_cell"].strip()
    submission = hand_in(lambda cells: cells.append(code(SECOND)))
    assert submission.repairs == (TWICE.format("lstm_cell"),)
    assert [c.source for c in submission.cells if "lstm_cell" in c.exercises] == [first, SECOND]
    assert text_of(submission, "lstm_cell") == SECOND
    assert runs(submission)[-1] == "lstm_cell"


def test_a_copied_answer_is_run_twice(hand_in: Callable[..., Submission]) -> None:
    submission = hand_in(copied("lstm_cell"))
    assert submission.repairs == (TWICE.format("lstm_cell"),)
    assert runs(submission) == [*OPENING, "@fill", *EXERCISES]


def test_an_empty_cell_does_not_undo_an_answer_elsewhere(
    hand_in: Callable[..., Submission],
) -> None:
    submission = hand_in(
        lambda cells: cells.insert(at(cells, "lstm_cell"), code(SECOND)),
        answers={},
    )
    assert submission.repairs == (ELSEWHERE.format("lstm_cell"),)
    assert text_of(submission, "lstm_cell") == SECOND
    assert runs(submission) == WHOLE


def test_all_functions_in_one_cell(hand_in: Callable[..., Submission]) -> None:
    everything = "\n\n".join(solutions().values())
    submission = hand_in(edited("lstm_cell", everything), answers={})
    assert submission.repairs == (ELSEWHERE.format(", ".join(EXERCISES[1:])),)
    assert runs(submission) == [*OPENING, "lstm_cell"]
    assert submission.cells[-1].exercises == EXERCISES


def test_a_helper_split_from_an_answer_is_no_second_answer(
    hand_in: Callable[..., Submission],
) -> None:
    def split(cells: Cells) -> None:
        copied("lstm_cell", at(cells, "lstm_cell"))(cells)
        cell(cells, "lstm_cell")["source"] = "GATES = 4"

    submission = hand_in(split)
    assert submission.repairs == ()
    assert runs(submission) == [*OPENING, "GATES = 4", *EXERCISES]
    assert submission.cells[2].exercises == ()


def test_an_attempt_that_defines_nothing_is_still_the_answer(
    hand_in: Callable[..., Submission],
) -> None:
    broken = "@fill\ndef lstm_cell x, h:\n    return"
    submission = hand_in(edited("lstm_cell", broken))
    assert submission.repairs == ()
    assert text_of(submission, "lstm_cell") == broken
    assert submission.cells[2].exercises == ("lstm_cell",)


def test_old_attempts_in_text_do_not_run(hand_in: Callable[..., Submission]) -> None:
    def change(cells: Cells) -> None:
        turned("lstm_cell", "markdown")(cells)
        cells.insert(0, code(SECOND))
        cells.append({"cell_type": "markdown", "metadata": {}, "source": "def pack_gates():\n  1"})

    submission = hand_in(change)
    assert [c.source for c in submission.cells if "lstm_cell" in c.exercises] == [SECOND]
    assert text_of(submission, "pack_gates") == solutions()["pack_gates"].strip()


HELPER = "def block(w, n):\n    return w.chunk(4)[n]"


@pytest.mark.parametrize("name", ["check_lstm_cell", "demo_lstm_cell"])
def test_a_helper_in_a_given_cell_is_run(hand_in: Callable[..., Submission], name: str) -> None:
    def change(cells: Cells) -> None:
        cell(cells, name)["source"] = HELPER + "\n\n" + source(cell(cells, name))

    submission = hand_in(change)
    assert submission.repairs == (INSIDE.format(name),)
    assert submission.cells[3].source == HELPER  # and not the given cell's own lines
    given = shown(submission).index(name)
    assert shown(submission)[given + 1] == "def block(w, n):"


def test_an_answer_in_a_given_cell_counts(hand_in: Callable[..., Submission]) -> None:
    submission = hand_in(edited("check_lstm_cell", SECOND + "\n\ncheck(lstm_cell)"), answers={})
    assert submission.repairs == (
        ELSEWHERE.format("lstm_cell"),
        INSIDE.format("check_lstm_cell"),
    )
    assert text_of(submission, "lstm_cell") == SECOND
    assert text_of(submission, "check_lstm_cell") == "check(lstm_cell)"


def test_what_is_added_to_the_imports_runs_after_them(
    hand_in: Callable[..., Submission],
) -> None:
    def change(cells: Cells) -> None:
        cell(cells, "imports")["source"] += "\nimport math"

    submission = hand_in(change)
    assert submission.repairs == (INSIDE.format("imports"),)
    assert runs(submission) == [*OPENING, "import math", *EXERCISES]


def test_other_imports_run_besides_the_course_s(hand_in: Callable[..., Submission]) -> None:
    mine = "import torch as t\nfrom rnncourse import fill"
    submission = hand_in(edited("imports", mine))
    assert submission.repairs == (INSIDE.format("imports"),)
    assert [c.source for c in submission.cells][2] == mine
    assert "plots.course_style()" in submission.cells[1].source


def test_cells_run_in_the_learners_order(hand_in: Callable[..., Submission]) -> None:
    def change(cells: Cells) -> None:
        cells.reverse()

    submission = hand_in(change)
    assert submission.repairs == (ORDER,)
    assert runs(submission) == [*OPENING, *reversed(EXERCISES)]
    assert shown(submission)[-2:] == ["imports", "install"]


def test_what_is_missing_is_put_where_it_belongs(hand_in: Callable[..., Submission]) -> None:
    submission = hand_in(lambda cells: cells.clear())
    released = [grade_id(c) for c in json.loads(filled({}))["cells"] if grade_id(c)]
    assert shown(submission) == released
    assert runs(submission) == [*OPENING]
    submission = hand_in(deleted("check_lstm_cell"))
    place = shown(submission).index("check_lstm_cell")
    assert shown(submission)[place - 1 : place + 2] == [
        "lstm_cell",
        "check_lstm_cell",
        "demo_lstm_cell",
    ]


def test_another_language_is_python_all_the_same(
    hand_in: Callable[..., Submission], instructors: Source
) -> None:
    def to_r(notebook: dict[str, Any]) -> None:
        notebook["metadata"] = {"kernelspec": {"language": "R", "name": "ir"}}

    submission = hand_in(whole=to_r)
    assert submission.repairs == ("The notebook was set to the language r; it was run as Python.",)
    assert submission.notebook
    assert submission.notebook["metadata"] == instructors.notebook["metadata"]


def test_nothing_is_shared_with_the_instructors_notebook(
    hand_in: Callable[..., Submission], instructors: Source
) -> None:
    before = json.dumps(instructors.released)
    submission = hand_in(deleted("lstm_cell"))
    assert submission.notebook
    for one in submission.notebook["cells"]:
        one["metadata"].setdefault("nbgrader", {})["points"] = 100
    submission.notebook["metadata"]["kernelspec"]["name"] = "evil"
    assert json.dumps(instructors.released) == before


def test_a_written_answer_keeps_its_place(tmp_path: Path) -> None:
    notebook = json.loads((ROOT / "solutions/lstm/lstm.ipynb").read_text("utf-8"))
    settings = {"grade": True, "locked": False, "solution": True, "task": False}
    settings |= {"grade_id": "why", "points": 2, "schema_version": 3}
    written = {"cell_type": "markdown", "id": "why", "metadata": {"nbgrader": settings}}
    notebook["cells"].append(written | {"source": "Because of the forget gate."})
    source_with_words = Source(notebook)
    assert "why" not in source_with_words.exercises
    path = tmp_path / "submitted/ada/lstm/lstm.ipynb"
    path.parent.mkdir(parents=True)
    notebook["cells"][-1]["source"] = "I <b onclick=x()>think</b> so."
    path.write_text(json.dumps(notebook), encoding="utf-8")
    submission = read(path.parent, "ada", "lstm", source_with_words)
    assert submission.repairs == ()
    assert text_of(submission, "why") == "I < b onclick=x()>think</b> so."
    notebook["cells"].pop()
    path.write_text(json.dumps(notebook), encoding="utf-8")
    submission = read(path.parent, "ada", "lstm", source_with_words)
    assert submission.repairs == (MISSING.format("why"),)
    assert "Because" not in text_of(submission, "why")
