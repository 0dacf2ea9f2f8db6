"""The GRU's references against a second route: plain Python, one number at a time."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from rnncourse._exercise import find
from rnncourse.checks import examine
from rnncourse.checks.fingerprints import load
from rnncourse.checks.plan import Case, Fixture, Key, plan_of
from rnncourse.checks.report import Report
from tests.checks.by_hand import sigmoid
from tools.answers import solution

Arrays = dict[str, Any]
"""Tensors as nested lists."""

CELLS = ("gru_cell", "gru_cell_reset_before")


def dot(row: list[float], vector: list[float]) -> float:
    return sum(a * b for a, b in zip(row, vector, strict=True))


def step(cell: str, x: list[float], h: list[float], weights: Arrays) -> list[float]:
    """One step for one sequence. Unit k has the rows k, H + k and 2H + k, for r, z and n."""
    size = len(h)

    def from_x(row: int) -> float:
        return dot(weights["w_ih"][row], x) + weights["b_ih"][row]

    def from_h(row: int) -> float:
        return dot(weights["w_hh"][row], h) + weights["b_hh"][row]

    r = [sigmoid(from_x(k) + from_h(k)) for k in range(size)]
    z = [sigmoid(from_x(size + k) + from_h(size + k)) for k in range(size)]
    reset_state = [r[k] * h[k] for k in range(size)]
    new = []
    for k in range(size):
        row = 2 * size + k
        if cell == "gru_cell":
            recurrent = r[k] * from_h(row)
        else:
            recurrent = dot(weights["w_hh"][row], reset_state) + weights["b_hh"][row]
        n = math.tanh(from_x(row) + recurrent)
        new.append((1 - z[k]) * n + z[k] * h[k])
    return new


def batch(cell: str, arrays: Arrays) -> list[list[float]]:
    return [step(cell, x, h, arrays) for x, h in zip(arrays["x"], arrays["h"], strict=True)]


def fixtures(name: str) -> list[Fixture]:
    return list(load("gru")[name].fixtures)


def lists(arrays: dict[str, torch.Tensor]) -> Arrays:
    return {name: value.tolist() for name, value in arrays.items()}


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_gives_what_single_numbers_give(cell: str) -> None:
    for fixture in fixtures(cell):
        inputs = {k: v.double() for k, v in fixture.inputs.items()}
        wanted = torch.tensor(batch(cell, lists(inputs)), dtype=torch.float64)
        torch.testing.assert_close(solution(cell)(**inputs), wanted)


def test_stored_answers_are_what_single_numbers_give() -> None:
    """Torch has no such cell, so the check compares with these."""
    name = "gru_cell_reset_before"
    stored = load("gru")[name]
    for k, fixture in enumerate(stored.fixtures[:2], start=1):
        wanted = torch.tensor(batch(name, lists(fixture.inputs)))
        answer = stored.answers[Key("", False, f"fixture {k}")].arrays["h'"]
        torch.testing.assert_close(answer, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_what_small_changes_give(cell: str) -> None:
    """Each number of each input is moved up and down a little, in plain Python."""
    fixture = fixtures(cell)[0]
    inputs = {k: v.double() for k, v in fixture.inputs.items()}
    case = Case("in float64", inputs, {"h'": fixture.cotangents["h'"].double()})
    outcome = plan_of(cell).call(solution(cell), case)
    cotangent = case.cotangents["h'"].tolist()
    eps = 1e-5

    def loss(changed: dict[str, torch.Tensor]) -> float:
        rows = batch(cell, lists(changed))
        return sum(dot(row, weights) for row, weights in zip(rows, cotangent, strict=True))

    for name, value in inputs.items():
        slopes = []
        for k in range(value.numel()):
            ends = []
            for move in (eps, -eps):
                moved = value.clone()
                moved.view(-1)[k] += move
                ends.append(loss(inputs | {name: moved}))
            slopes.append((ends[0] - ends[1]) / (2 * eps))
        wanted = torch.tensor(slopes, dtype=torch.float64).view_as(value)
        torch.testing.assert_close(outcome.gradients[name], wanted, rtol=1e-6, atol=1e-8)


def test_a_layer_is_the_step_again_and_again() -> None:
    for fixture in fixtures("gru_layer"):
        inputs = {k: v.double() for k, v in fixture.inputs.items()}
        given, wanted = lists(inputs), []
        states = given["h0"]
        for x in given["x"]:
            states = batch("gru_cell", given | {"x": x, "h": states})
            wanted.append(states)
        output, h_n = solution("gru_layer")(**inputs)
        assert output.flatten().tolist() == pytest.approx(
            [number for step in wanted for row in step for number in row]
        )
        assert h_n.tolist() == output[-1].tolist()


@pytest.mark.parametrize(("cell", "inside"), [("gru_cell", 1.0), ("gru_cell_reset_before", 1.5)])
def test_an_example_on_paper(cell: str, inside: float) -> None:
    """One unit with r = 1/2 and z = 1/4, h = 1, W_hn = b_hn = 1.

    After the matrix the reset leaves 1/2 (1 + 1) = 1 for the candidate; before it, 1/2 + 1 = 1.5.
    With the rest up to ln 2 from the input, n = tanh(ln 2) = 3/5, so h' = 3/4 3/5 + 1/4 1 = 7/10.
    """
    h_next = solution(cell)(
        x=torch.ones(1, 1),
        h=torch.ones(1, 1),
        w_ih=torch.tensor([[0.0], [0.0], [math.log(2) - inside]]),
        w_hh=torch.tensor([[0.0], [0.0], [1.0]]),
        b_ih=torch.tensor([0.0, -math.log(3), 0.0]),
        b_hh=torch.tensor([0.0, 0.0, 1.0]),
    )
    assert h_next.item() == pytest.approx(0.7, rel=1e-5)


# ------------------------------------------------------------------ what the check says


def report_of(name: str, change: Any) -> Report:
    """The report of a right function whose result `change` alters."""
    entry = find(name)
    entry.filled = lambda *args, **named: change(solution(name)(*args, **named))
    return examine(entry)


def said(report: Report, stage: str) -> str:
    return " ".join(next(s for s in report.stages if s.name == stage).sentences)


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("gru_cell", lambda h: None, "h' must be a tensor; yours is None: is the return missing?"),
        ("gru_cell", lambda h: (h, h), "h' must be a tensor; yours is a tuple."),
        ("gru_cell", lambda h: h.numpy(), "yours is an ndarray of shape (2, 4)."),
        ("gru_cell_reset_before", lambda h: h.tolist(), "h' must be a tensor; yours is a list."),
        ("gru_cell", lambda h: h.T, "it must be (2, 4) = (N, H): the axes are in another order."),
        ("gru_layer", lambda pair: pair[0], "it must return output, h_n; yours returns a Tensor"),
        ("gru_layer", lambda pair: (*pair, pair[1]), "output, h_n, 2 values; yours returns 3."),
    ],
)
def test_what_is_no_result_is_described(name: str, change: Any, sentence: str) -> None:
    assert sentence in said(report_of(name, change), "shapes")


def test_another_dtype_is_said() -> None:
    report = report_of("gru_cell_reset_before", lambda h: h.float())
    assert said(report, "float64 in, float64 out") == "h' is float32 for inputs of float64."


def test_an_exception_comes_with_the_learners_own_line() -> None:
    def gru_cell(x, h, w_ih, w_hh, b_ih, b_hh):
        return x @ w_ih

    entry = find("gru_cell")
    entry.filled = gru_cell
    sentence = said(examine(entry), "shapes")
    assert "mat1 and mat2 shapes cannot be multiplied (2x3 and 12x3)" in sentence
    assert "in gru_cell:  return x @ w_ih  — Given: x (2, 3), h (2, 4)" in sentence


def test_a_right_layer_around_a_wrong_cell_is_right() -> None:
    find("gru_cell").filled = lambda x, h, w_ih, w_hh, b_ih, b_hh: h
    find("gru_layer").filled = solution("gru_layer")
    assert examine(find("gru_layer")).complete
