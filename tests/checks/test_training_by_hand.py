"""The chapter on training: references against other routes, and what its checks say."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rnncourse._exercise import find
from rnncourse.checks import examine
from rnncourse.checks.fingerprints import load
from rnncourse.checks.plan import Key
from rnncourse.checks.report import Report
from tools.answers import solution

free_run, joined_rnn_cell, training_step = (
    solution(name) for name in ("free_run", "joined_rnn_cell", "training_step")
)

# ------------------------------------------------------------------ references


def cell_by_hand(x: Tensor, h: Tensor, w: Tensor, b: Tensor) -> list[list[float]]:
    """One number at a time, without torch's arithmetic."""
    return [
        [
            math.tanh(
                sum(v * u for v, u in zip(row, [*h_n, *x_n], strict=True)) + bias,
            )
            for row, bias in zip(w.tolist(), b.tolist(), strict=True)
        ]
        for x_n, h_n in zip(x.tolist(), h.tolist(), strict=True)
    ]


def test_the_cell_against_plain_python() -> None:
    for fixture in load("training")["joined_rnn_cell"].fixtures:
        inputs = [fixture[name] for name in ("x", "h", "w", "b")]
        wanted = torch.tensor(cell_by_hand(*inputs))
        torch.testing.assert_close(joined_rnn_cell(*inputs), wanted, rtol=0, atol=1e-5)


def test_the_cells_gradients_against_differences() -> None:
    fixture = load("training")["joined_rnn_cell"].fixtures[0]
    inputs = tuple(fixture[name].double().requires_grad_() for name in ("x", "h", "w", "b"))
    assert torch.autograd.gradcheck(joined_rnn_cell, inputs)


class Slope(nn.Module):
    """y = slope * x."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor) -> Tensor:
        return self.slope * x


def squared(predictions: Tensor, targets: Tensor) -> Tensor:
    return ((predictions - targets) ** 2).mean()


def test_two_steps_worked_by_hand() -> None:
    """With x = 2 and target 0 the loss is 4 s², its slope 8 s: 0.1 of it turns 1 into 0.2."""
    model = Slope()
    model.slope.grad = torch.tensor(100.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, target = torch.tensor([2.0]), torch.tensor([0.0])
    losses = [training_step(model, optimizer, squared, x, target) for _ in range(2)]
    assert losses == pytest.approx([4, 0.16], rel=1e-4)
    assert all(type(loss) is float for loss in losses)
    assert model.slope.item() == pytest.approx(0.04, rel=1e-4)


def test_a_step_with_momentum_worked_by_hand() -> None:
    """The second step goes by 8 * 0.2 and half of the 8 before: 0.2 - 0.1 * 5.6 is -0.36."""
    model = Slope()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
    x, target = torch.tensor([2.0]), torch.tensor([0.0])
    for _ in range(2):
        training_step(model, optimizer, squared, x, target)
    assert model.slope.item() == pytest.approx(-0.36, rel=1e-4)


def test_the_stored_losses_against_plain_python() -> None:
    """The first of each fixture; the others follow from steps like those worked by hand above."""
    stored = load("training")["training_step"]
    for k, fixture in enumerate(stored.fixtures[:2], start=1):
        x, t = (fixture[f"batches of {name}"][0].tolist() for name in ("inputs", "targets"))
        weight, bias = fixture["weight"].tolist(), fixture["bias"].tolist()
        costs = []
        for row, targets in zip(x, t, strict=True):
            for w, b, target in zip(weight, bias, targets, strict=True):
                excess = math.tanh(sum(a * c for a, c in zip(row, w, strict=True)) + b) - target
                costs.append(math.exp(excess) - excess - 1)
        first = stored.answers[Key("", False, f"fixture {k}")].arrays["losses"][0].item()
        assert first == pytest.approx(sum(costs) / len(costs), rel=1e-4)


def test_a_free_run_gives_fibonaccis_numbers() -> None:
    def step(x: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        return x + before, x

    one = torch.ones(1, 1)
    assert free_run(step, one, one, 6).flatten().tolist() == [2, 3, 5, 8, 13, 21]


def test_a_free_run_carries_a_state_of_any_kind() -> None:
    def step(x: Tensor, state: dict[str, int]) -> tuple[Tensor, dict[str, int]]:
        return x + state["by"], {"by": state["by"] + 1}

    got = free_run(step, torch.zeros(2, 1), {"by": 1}, 3)
    assert got.shape == (3, 2, 1) and got[:, 0, 0].tolist() == [1, 3, 6]


# ------------------------------------------------------------------ what the checks say


def examined(name: str, function: Callable[..., Any]) -> Report:
    entry = find(name)
    entry.filled = function
    return examine(entry)


def changed(name: str, change: Callable[[Any], Any]) -> Report:
    """The report of a right function whose result `change` alters."""
    right = solution(name)
    return examined(name, lambda *a, **k: change(right(*a, **k)))


def sentences(report: Report, stage: str) -> str:
    return " ".join(next(s for s in report.stages if s.name == stage).sentences)


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        (
            "training_step",
            torch.tensor,
            "the loss that it returns must be a number (float); yours is a Tensor of shape (). "
            "Use .item().",
        ),
        ("training_step", lambda loss: None, "yours is None: is the return missing?"),
        ("training_step", lambda loss: [loss], "yours is a list."),
        ("training_step", str, "must be a number (float); yours is a str."),
        ("free_run", list, "predictions must be a tensor; yours is a list."),
        ("free_run", lambda y: None, "yours is None: is the return missing?"),
        ("free_run", lambda y: (y, 0), "predictions must be a tensor; yours is a tuple."),
        ("free_run", lambda y: y.numpy(), "yours is an ndarray of shape (5, 2, 3)."),
        ("free_run", lambda y: y[0], "must be (5, 2, 3) = (T, N, D): 2 axes instead"),
        ("joined_rnn_cell", lambda h: (h, h), "h' must be a tensor; yours is a tuple."),
        ("joined_rnn_cell", lambda h: h.T, "h' has shape (4, 2); it must be (2, 4) = (N, H)"),
    ],
)
def test_what_is_no_result_is_described(
    name: str, change: Callable[[Any], Any], sentence: str
) -> None:
    assert sentence in sentences(changed(name, change), "shapes")


def test_a_numpy_float_is_a_number() -> None:
    report = changed("training_step", lambda loss: torch.tensor(loss).numpy()[()])
    assert report.complete, report


def test_an_exception_comes_with_what_was_given() -> None:
    def training_step(model, optimizer, loss_fn, inputs, targets):
        return loss_fn(model(inputs.T), targets).item()

    said = sentences(examined("training_step", training_step), "shapes")
    assert "it raised RuntimeError: mat1 and mat2 shapes cannot be multiplied" in said
    assert "in training_step:  return loss_fn(model(inputs.T), targets).item()" in said
    assert "Given: batches of inputs (5, 2, 3), batches of targets (5, 2, 4)" in said


def test_float64_must_stay() -> None:
    said = sentences(changed("free_run", Tensor.float), "float64 in, float64 out")
    assert said == "predictions is float32 for inputs of float64."


def test_a_missing_backward_shows_in_the_order() -> None:
    def training_step(model, optimizer, loss_fn, inputs, targets):
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        optimizer.step()
        return loss.item()

    report = examined("training_step", training_step)
    assert report.mistake and report.mistake.id == "no_backward"
    status = {stage.name: stage.status for stage in report.stages}
    assert status["shapes"] == "passed" and status["one step"] == "failed"
    assert "order of 1 forward, 2 backward, 3 step" in sentences(report, "one step")


def test_a_state_that_is_looked_into_is_told_apart() -> None:
    def free_run(step, x, state, length):
        return solution("free_run")(step, x, state.clone(), length)

    report = examined("free_run", free_run)
    status = {stage.name: stage.status for stage in report.stages}
    assert status["whole runs"] == "passed" and status["a state that is a tuple"] == "failed"
    assert "AttributeError: 'tuple' object has no attribute 'clone'" in sentences(
        report, "a state that is a tuple"
    )
