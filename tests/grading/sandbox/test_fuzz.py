"""Whatever a file holds, it is refused in a sentence or becomes a notebook in order."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import nbformat
import pytest

from rnncourse._notebook import grade_id, nbgrader_metadata
from rnncourse.grading.submissions.submission import Source, Submission, read
from tests.grading.sandbox.mutations import Mutant, mutants
from tests.strength import share
from tools.demonstration.learners import ROOT

NUMBER = share(5000)


@pytest.fixture(scope="module")
def source() -> Source:
    return Source(json.loads((ROOT / "solutions/lstm/lstm.ipynb").read_text("utf-8")))


def hand_in(mutant: Mutant, folder: Path) -> Path:
    path = folder / mutant.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(mutant.data)
    return path


def is_sentence(text: str) -> bool:
    return text.endswith((".", "?")) and text.isprintable() and len(text.encode()) < 2000


def complaints(submission: Submission, source: Source) -> list[str]:
    """What is wrong with what was made of a submission."""
    wrong = [text for text in submission.repairs if not is_sentence(text)]
    if submission.notebook is None:
        return wrong if is_sentence(submission.refused) else [*wrong, submission.refused]
    if submission.refused or not submission.digest:
        wrong.append("neither refused nor accepted")
    try:
        nbformat.validate(nbformat.from_dict(submission.notebook))
    except nbformat.ValidationError as error:
        wrong.append(f"invalid: {error}")
    text = json.dumps(submission.notebook, ensure_ascii=False)
    if text.encode(errors="replace") != text.encode(errors="surrogatepass"):
        wrong.append("not Unicode")
    found = Counter(grade_id(cell) for cell in submission.notebook["cells"])
    if Counter(source.known.keys()) != Counter({k: n for k, n in found.items() if k}):
        wrong.append(f"cells: {found}")
    for cell in submission.notebook["cells"]:
        known = source.known.get(grade_id(cell))
        if known and nbgrader_metadata(cell) != known.settings:
            wrong.append(f"settings of {grade_id(cell)}")
    if "### BEGIN" in text:
        wrong.append("the instructor's side is in it")
    if [cell.grade_id for cell in submission.cells[:2]] != ["install", "imports"]:
        wrong.append("the imports do not run first")
    return wrong


@pytest.mark.long
def test_no_damage_harms_the_grader(source: Source, tmp_path: Path) -> None:
    before = json.dumps([source.notebook, source.released], sort_keys=True)
    refused = 0
    for mutant in mutants(NUMBER):
        folder = tmp_path / "submitted" / str(mutant.number) / "lstm"
        path = hand_in(mutant, folder)
        submission = read(folder, str(mutant.number), "lstm", source)
        assert complaints(submission, source) == [], mutant.how
        assert path.read_bytes() == mutant.data
        refused += bool(submission.refused)
    assert NUMBER / 20 < refused < NUMBER / 3
    assert json.dumps([source.notebook, source.released], sort_keys=True) == before


def test_the_same_file_is_put_in_order_in_the_same_way(source: Source, tmp_path: Path) -> None:
    folder = tmp_path / "submitted/ada/lstm"
    for mutant in mutants(100):
        path = hand_in(mutant, folder)
        once, again = (read(folder, "ada", "lstm", source) for _ in range(2))
        assert once == again
        path.unlink()


def test_mutants_are_the_same_each_time() -> None:
    assert list(mutants(20)) == list(mutants(30))[:20]
