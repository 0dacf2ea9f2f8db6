"""The whole way from a leak to a mark: inputs sent back on a page, a seed searched for, results
looked up in a table. Nothing comes back, and a table is worth nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch

from rnncourse.checks.plan import Case, cases_of
from rnncourse.grading.checkout import Checkout
from rnncourse.grading.course import Course
from rnncourse.grading.draws import generator
from rnncourse.grading.hidden_test import HiddenTest
from rnncourse.grading.marking import CLASS_ONLY
from rnncourse.grading.submissions.submission import read
from tools.demonstration.learners import ASSIGNMENT, ROOT

from .attack import WORTH, Attack, code, notebook, solutions_by_exercise
from .classroom import Graded, graded
from .tables import answer, table_cells

# Two numbers a character: the code points from here on are ideographs, which a page shows.
FIRST = 0x4E00
SENDS = """
import os, sys
import torch
from rnncourse import fill

def sent(values):
    whole = [min(max(int(64 * float(v)) + 64, 0), 127) for v in values]
    return "".join(chr(0x4E00 + 128 * a + b) for a, b in zip(whole[::2], whole[1::2]))

@fill
def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
    words = sent(x.flatten().tolist())
    raise type(words, (Exception,), {})(words)

@fill
def lstm_layer(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    a, b = (int(64 * float(v)) + 1064 for v in x.flatten()[:2])
    return torch.zeros(a, b), (torch.zeros(b, a), c0)

@fill
def pack_gates(w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o):
    n = len(b_f)
    packed = torch.cat([w_f] * 4)
    return packed[:, n:], packed[:, :n], torch.cat([b_f] * 4), torch.cat([b_f] * 4)

@fill
def unpack_gates(w_ih, w_hh, b_ih, b_hh):
    return type(sent(b_ih.tolist()), (), {})()

@fill
def set_forget_bias(b_ih, b_hh, value):
    os._exit(100 + int(8 * float(b_ih[0])) % 100)
"""


def in_class(hidden_test: HiddenTest, case: Case) -> bool:
    return True


def in_parts(hidden_test: HiddenTest, case: Case) -> bool:
    """The cases that look at one part alone."""
    whole = {c.label for s in hidden_test.hidden.stages if s.aspect == "unchanged" for c in s.cases}
    return case.label not in whole


def hand_in(course: Path, name: str, cells: list[str], answers: dict[str, str]) -> None:
    whole = notebook(answers)
    whole["cells"][1:1] = [code(cell) for cell in cells]
    folder = course / "submitted" / name / ASSIGNMENT
    folder.mkdir(parents=True)
    (folder / f"{ASSIGNMENT}.ipynb").write_text(json.dumps(whole), "utf-8")


def hand_in_all(course: Path) -> None:
    """All who try. Those with tables have the class's inputs, and what is right on them."""
    hidden_tests = hidden_tests_of(course)
    names = [hidden_test.plan.exercise for hidden_test in hidden_tests]
    _, sender, *answers = SENDS.split("@fill\n")
    assert sender.startswith("def lstm_cell") and len(answers) == len(names) - 1
    by_name = dict(zip(names, [f"@fill\n{text}" for text in (sender, *answers)], strict=True))
    hand_in(course, "sends", [SENDS.split("@fill")[0]], by_name)
    looked_up = {hidden_test.plan.exercise: answer(hidden_test) for hidden_test in hidden_tests}
    hand_in(course, "table", table_cells(hidden_tests, in_class), looked_up)
    shapes = {
        "lstm_cell": "h * 0, c * 0",
        "pack_gates": "torch.zeros(4 * len(b_f), w_f.shape[1] - len(b_f)), "
        "torch.zeros(4 * len(b_f), len(b_f)), torch.zeros(4 * len(b_f)), "
        "torch.zeros(4 * len(b_f))",
    }
    parts = {t.plan.exercise: answer(t, shapes.get(t.plan.exercise, "")) for t in hidden_tests}
    hand_in(course, "parts", table_cells(hidden_tests, in_parts), parts)
    layers = [
        hidden_test for hidden_test in hidden_tests if hidden_test.plan.exercise == "lstm_layer"
    ]
    probed = {
        "lstm_cell": "@fill\ndef lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):\n    return h, c",
        "lstm_layer": answer(layers[0]),
    }
    hand_in(
        course,
        "probed",
        table_cells(layers, lambda _, case: case.probed),
        solutions_by_exercise() | probed,
    )


def hidden_tests_of(folder: Path) -> list[HiddenTest]:
    """The hidden tests of a class, which stay the same when it is graded."""
    course = Course.open(folder)
    seed = course.seed(ASSIGNMENT)
    course.keep_seed(ASSIGNMENT, seed)
    return Checkout(ROOT).hidden_tests(ASSIGNMENT, seed)


@pytest.fixture(scope="module")
def attempt(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    honest = Attack("honest", answers={}, deserves=WORTH)
    folder = tmp_path_factory.mktemp("tables")
    return graded(folder, [honest], meanwhile=hand_in_all)


@pytest.fixture(scope="module")
def hidden_tests(attempt: Graded) -> dict[str, HiddenTest]:
    return {
        hidden_test.plan.exercise: hidden_test
        for hidden_test in hidden_tests_of(attempt.place.course)
    }


def test_no_input_comes_back(attempt: Graded, hidden_tests: dict[str, HiddenTest]) -> None:
    returned = attempt.returned("sends") + attempt.output
    assert sent(hidden_tests["lstm_cell"].public.cases.values(), "x") & pieces(returned)
    digest = digest_of(attempt, "sends")
    own = {name: cases_of(t.own_stages(digest)).values() for name, t in hidden_tests.items()}
    secret = {
        name: [*hidden_test.hidden.cases.values(), *own[name]]
        for name, hidden_test in hidden_tests.items()
    }
    assert not sent(secret["lstm_cell"], "x") & pieces(returned)
    assert not sent(secret["unpack_gates"], "b_ih") & pieces(returned)
    for case in secret["lstm_layer"]:
        first, second = (int(64 * float(v)) + 1064 for v in case.inputs["x"].flatten()[:2])
        assert f"({first}, {second})" not in returned
    public = numbers(hidden_tests["pack_gates"].public.cases.values())
    for number in numbers(secret["pack_gates"]) - public:
        assert f"yours is {number}" not in returned
    assert "exit status" not in returned


def digest_of(attempt: Graded, student: str) -> str:
    """Of the code that somebody handed in."""
    checkout, course = Checkout(ROOT), Course.open(attempt.place.course)
    source = checkout.source(ASSIGNMENT)
    return read(course.folder(student, ASSIGNMENT), student, ASSIGNMENT, source).code_digest


def sent(cases: Iterable[Case], name: str) -> set[str]:
    """What the sender makes of an input, in pieces."""
    found: set[str] = set()
    for case in cases:
        whole = [min(max(int(64 * float(v)) + 64, 0), 127) for v in case.inputs[name].flatten()]
        pairs = zip(whole[::2], whole[1::2], strict=False)
        found |= pieces("".join(chr(FIRST + 128 * a + b) for a, b in pairs))
    return found - pieces(chr(FIRST + 128 * 64 + 64) * 3)  # nothing but zeros tells nothing


def pieces(text: str) -> set[str]:
    """All runs of three ideographs."""
    runs = re.findall(r"(?=([\u4e00-\u8dff]{3}))", text)
    return {*runs}


def numbers(cases: Iterable[Case]) -> set[str]:
    """The numbers of cases as pages show numbers."""
    return {f"{float(v):.4f}" for case in cases for a in case.inputs.values() for v in a.flatten()}


def test_a_table_of_the_classs_inputs_has_no_mark(attempt: Graded) -> None:
    rows = [row for row in attempt.rows if row["student"] == "table"]
    assert len(rows) == len(WORTH)
    for row in rows:
        assert (row["points"], row["flags"]) == (None, [CLASS_ONLY]), row
        earned = attempt.earned("table", row["exercise"])
        assert earned == pytest.approx(WORTH[row["exercise"]])


def test_a_table_for_parts_has_no_mark(attempt: Graded) -> None:
    rows = {row["exercise"]: row for row in attempt.rows if row["student"] == "parts"}
    for exercise in ("lstm_cell", "pack_gates"):
        assert (rows[exercise]["points"], rows[exercise]["flags"]) == (None, [CLASS_ONLY])
        assert attempt.earned("parts", exercise) > 0
    assert not any(row["points"] for row in rows.values())


def test_a_table_around_a_probe_has_no_mark(attempt: Graded) -> None:
    rows = {row["exercise"]: row for row in attempt.rows if row["student"] == "probed"}
    row = rows["lstm_layer"]
    assert (row["points"], row["flags"]) == (None, [CLASS_ONLY]), row
    assert attempt.earned("probed", "lstm_layer") > 0
    assert rows["pack_gates"]["points"] == WORTH["pack_gates"]


def test_who_has_own_answers_has_marks(attempt: Graded) -> None:
    assert attempt.points("honest") == WORTH


def test_the_same_code_is_asked_the_same_and_other_code_is_not(
    hidden_tests: dict[str, HiddenTest],
) -> None:
    hidden_test = hidden_tests["lstm_cell"]
    first, again, other = (hidden_test.own_stages(digest) for digest in ("a", "a", "b"))
    assert [s.name for s in first] == [s.name for s in again] == [s.name for s in other]
    inputs = [stages[0].cases[0].inputs for stages in (first, again, other)]
    assert all(torch.equal(v, inputs[1][k]) for k, v in inputs[0].items())
    assert not torch.equal(inputs[0]["w_ih"], inputs[2]["w_ih"])


@pytest.mark.parametrize("bit", [32, 59, 60, 128, 255])
def test_every_bit_of_a_seed_counts(bit: int) -> None:
    """Torch's own generator takes 32 bits of a seed, which can all be tried."""
    drawn = [
        torch.randint(0, 2**62, (8,), generator=generator(seed, "lstm_cell")).tolist()
        for seed in (5, 5, 5 + 2**bit)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) == 8
