"""The chapter on clipping by another route: plain Python, finite differences, worked examples."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from rnncourse._exercise import find
from rnncourse.checks import examine
from rnncourse.checks.fingerprints import load
from rnncourse.checks.plan import Case, plan_of
from rnncourse.checks.report import Report
from tools.answers import known, solution

norms_of = solution("state_gradient_norms")
length_of = solution("global_norm")
clip = solution("clip_by_global_norm")
cut = solution("clip_by_value")
train = solution("clipped_training_step")

State = list[float]


# ------------------------------------------------------------------ numbers


def loss_from(h: State, inputs: list[State], w: list[State]) -> float:
    """Half the square of the last state, reached from the state h over these inputs."""
    for x in inputs:
        h = [math.tanh(x[i] + sum(w[i][k] * h[k] for k in range(len(h)))) for i in range(len(h))]
    return sum(value**2 for value in h) / 2


def test_the_norms_are_those_of_finite_differences() -> None:
    """Each number of each state is moved a little, and the steps after it are run again."""
    inputs = [[0.3, -0.5], [-0.2, 0.4], [0.6, 0.1], [-0.4, 0.2]]
    w = [[0.9, -0.7], [0.5, 0.8]]
    matrix, h = torch.tensor(w, dtype=torch.float64), torch.zeros(1, 2, dtype=torch.float64)
    matrix.requires_grad_()
    states: list[Tensor] = []
    for x in inputs:
        h = torch.tanh(torch.tensor([x], dtype=torch.float64) + h @ matrix.T)
        states.append(h)
    norms = norms_of((states[-1] ** 2).sum() / 2, states)

    step = 1e-6
    for t, state in enumerate(states):
        square = 0.0
        for k in range(2):
            up, down = ([*state[0].tolist()] for _ in range(2))
            up[k] += step
            down[k] -= step
            rest = inputs[t + 1 :]
            square += ((loss_from(up, rest, w) - loss_from(down, rest, w)) / (2 * step)) ** 2
        assert norms[t].item() == pytest.approx(math.sqrt(square), abs=1e-8)


def test_a_linear_unit_multiplies_the_gradient_at_every_step() -> None:
    """h_t = 2 h_{t-1}, loss h_4: the gradients by h_1 to h_4 are 8, 4, 2, 1."""
    h = torch.ones(1, 1, requires_grad=True)
    states = []
    for _ in range(4):
        h = 2 * h
        states.append(h)
    assert norms_of(h.sum(), states).tolist() == pytest.approx([8, 4, 2, 1], rel=1e-5)
    assert norms_of(states[1].sum(), states).tolist() == pytest.approx([2, 1, 0, 0], rel=1e-5)


def test_a_length_in_three_and_in_nine_pieces() -> None:
    three = [torch.tensor([2.0]), torch.tensor([[3.0], [6.0]])]  # 4 + 9 + 36 = 49
    assert length_of(three).item() == pytest.approx(7, rel=1e-5)
    nine = [torch.tensor([6.0, -8.0]) for _ in range(9)]  # 10 each
    assert length_of(nine).item() == pytest.approx(30, rel=1e-5)


def plain_length(grads: list[Tensor]) -> float:
    return math.sqrt(sum(value**2 for grad in grads for value in grad.flatten().tolist()))


@pytest.mark.parametrize("max_norm", [0.4, 3.0, 1e4])
def test_clipping_number_by_number(max_norm: float) -> None:
    generator = torch.Generator().manual_seed(3)
    grads = [torch.randn(shape, generator=generator) for shape in ((3, 2), (4,), (2, 1, 3))]
    clipped, norm = clip(grads, max_norm)
    length = plain_length(grads)
    assert norm.item() == pytest.approx(length, rel=1e-5)
    factor = max_norm / length if length > max_norm else 1
    for grad, got in zip(grads, clipped, strict=True):
        wanted = [value * factor for value in grad.flatten().tolist()]
        assert got.flatten().tolist() == pytest.approx(wanted, rel=1e-5)
    assert plain_length(clipped) == pytest.approx(min(length, max_norm), rel=1e-5)


def test_just_below_and_just_above_the_limit() -> None:
    """The rule that divides by the norm alone would make 1 of the 10.01."""
    below, above = [torch.tensor([5.994, 7.992])], [torch.tensor([6.006, -8.008])]
    assert torch.equal(clip(below, 10.0)[0][0], below[0])
    clipped, norm = clip(above, 10.0)
    assert norm.item() == pytest.approx(10.01, rel=1e-5)
    assert clipped[0].tolist() == pytest.approx([6.0, -8.0], rel=1e-5)


def test_zeros_stay_zeros() -> None:
    clipped, norm = clip([torch.zeros(2), torch.zeros(1, 3)], 1.0)
    assert norm == 0 and all(not grad.any() and grad.isfinite().all() for grad in clipped)


def test_values_are_cut_one_by_one() -> None:
    assert cut([torch.tensor([-3.0, -0.5, 0.0, 0.25, 7.0])], 0.5)[0].tolist() == [
        *(-0.5, -0.5, 0.0, 0.25, 0.5),
    ]


def test_a_step_by_hand() -> None:
    """The loss (2 w - 10)² at w = 0: the gradient is -40. Clipped to 8, with a rate of 0.5, w moves
    by 4, to 4; there the gradient is -8, which is not above 8, so w moves by 4 again."""
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(model.weight)
    model.weight.grad = torch.tensor([[123.0]])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    given = (model, optimizer, torch.nn.functional.mse_loss, torch.tensor([[2.0]]))
    for loss, norm, weight in ((100, 40, 4), (4, 8, 8)):
        found = train(*given, torch.tensor([[10.0]]), 8.0)
        assert found == pytest.approx((loss, norm), rel=1e-5)
        assert model.weight.item() == pytest.approx(weight, rel=1e-5)


@pytest.mark.parametrize("number", [0, 1])
def test_the_fixtures_of_a_step_have_both_kinds_of_steps(number: int) -> None:
    fixture = load("clipping")["clipped_training_step"].fixtures[number]
    outcome = plan_of("clipped_training_step").call(train, Case("", fixture.inputs))
    limits = fixture["max_norm"] + 100 * (torch.arange(len(fixture["max_norm"])) % 2)
    above = outcome.arrays["norm"] > limits
    assert above[::2].all() and not above[1::2].any()


# ------------------------------------------------------------------ what the checks say


def examined(name: str, function: Any) -> Report:
    entry = find(name)
    entry.filled = function
    return examine(entry)


def sentences(report: Report, stage: str) -> str:
    return " ".join(next(s for s in report.stages if s.name == stage).sentences)


def passed(report: Report) -> set[str]:
    return {stage.name for stage in report.stages if stage.status == "passed"}


def wrong(id: str) -> Any:
    return next(k.function for k in known("clipping") if k.mistake.id == id)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda norms: None, "norms must be a tensor; yours is None: is the return missing?"),
        (lambda norms: norms.tolist(), "norms must be a tensor; yours is a list."),
        (lambda norms: norms.numpy(), "norms must be a tensor; yours is an ndarray of shape"),
        (lambda norms: norms[:, None], "norms has shape (5, 1); it must be (5,) = (T,)"),
    ],
)
def test_norms_of_another_kind(change: Any, sentence: str) -> None:
    report = examined("state_gradient_norms", lambda loss, states: change(norms_of(loss, states)))
    assert sentence in sentences(report, "shapes")


def test_what_else_is_asked_of_the_norms_has_stages_of_its_own() -> None:
    for id, failing, sentence in (
        ("graph_freed", "can be asked again", "yours is 1, it should be 2."),
        ("backward_called", "leaves every .grad alone", "it should be 0."),
        ("no_error_without_states", "a loss without states", "number of ValueErrors"),
        ("unused_state_left_out", "a state that the loss does not use", "has shape (4,)"),
    ):
        report = examined("state_gradient_norms", wrong(id))
        assert sentence in sentences(report, failing)
        failed = {s.name for s in report.stages if s.status == "failed"}
        assert failed == {failing, "all together"}


def test_a_number_is_no_tensor() -> None:
    report = examined("global_norm", lambda grads: length_of(grads).item())
    assert sentences(report, "shapes") == "norm must be a tensor; yours is a float."
    report = examined("global_norm", lambda grads: length_of(grads)[None])
    assert "norm has shape (1,); it must be ()" in sentences(report, "shapes")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda clipped, norm: clipped, "it must return clipped, norm, 2 values; yours returns 3."),
        (lambda clipped, norm: None, "it must return clipped, norm; yours returns None"),
        (lambda clipped, norm: (clipped[0], norm), "clipped must be a list; yours is a Tensor of"),
        (lambda clipped, norm: (clipped[:2], norm), "for each gradient, 3 here; yours holds 2."),
        (lambda clipped, norm: (clipped, norm.item()), "norm must be a tensor; yours is a float."),
    ],
)
def test_clipped_gradients_of_another_kind(change: Any, sentence: str) -> None:
    report = examined("clip_by_global_norm", lambda grads, max_norm: change(*clip(grads, max_norm)))
    assert sentence in sentences(report, "shapes")


def test_a_scale_for_any_norm_fails_where_nothing_should_change() -> None:
    report = examined("clip_by_global_norm", wrong("small_gradients_enlarged"))
    assert "the norm is above max_norm" in passed(report)
    assert "clipped[0][0, 0] (unit 0, feature 0)" in sentences(report, "the norm is below max_norm")
    assert "clipped[0] when the norm is below max_norm at [0, 0]" in sentences(
        report, "above and below max_norm"
    )


def test_zeros_that_become_nan_are_called_so() -> None:
    def clip_by_global_norm(grads, max_norm):
        norm = length_of(grads)
        return [grad / norm * min(max_norm, norm) for grad in grads], norm

    report = examined("clip_by_global_norm", clip_by_global_norm)
    assert "above and below max_norm" in passed(report)
    assert "is not a number (NaN)" in sentences(report, "all zero")


def test_in_place_clipping_is_seen_and_costs_no_other_stage() -> None:
    def clip_by_global_norm(grads, max_norm):
        norm = length_of(grads)
        for grad in grads:
            grad.mul_((max_norm / norm).clamp(max=1))
        return grads, norm

    report = examined("clip_by_global_norm", clip_by_global_norm)
    failed = {stage.name for stage in report.stages if stage.status == "failed"}
    assert failed == {"leaves its inputs unchanged"}
    assert "grads[0] is changed in place" in sentences(report, "leaves its inputs unchanged")


def test_float32_on_the_way_is_seen() -> None:
    def clip_by_global_norm(grads, max_norm):
        clipped, norm = clip([grad.float() for grad in grads], max_norm)
        return [c.to(g.dtype) for c, g in zip(clipped, grads, strict=True)], norm.to(grads[0].dtype)

    report = examined("clip_by_global_norm", clip_by_global_norm)
    assert "more than float64 rounding" in sentences(report, "float64 in, float64 out")


def test_a_wrong_norm_is_not_paid_for_twice() -> None:
    find("global_norm").filled = wrong("sum_of_norms")
    space = {"find": find}
    exec(
        "def clip_by_global_norm(grads, max_norm):\n"
        "    norm = global_norm(grads)\n"
        "    scale = (max_norm / norm).clamp(max=1)\n"
        "    return [grad * scale for grad in grads], norm\n",
        space,
    )
    space["global_norm"] = wrong("sum_of_norms")
    report = examined("clip_by_global_norm", space["clip_by_global_norm"])
    assert report.complete and any(stage.by_probe for stage in report.stages)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda loss, norm: None, "it must return loss, norm; yours returns None"),
        (lambda loss, norm: loss, "it must return loss, norm; yours returns a float."),
        (
            lambda loss, norm: (torch.tensor(loss), norm),
            "loss must be a number (float); yours is a Tensor of shape (). Use .item().",
        ),
        (lambda loss, norm: (loss, torch.tensor(norm)), "norm must be a number (float);"),
    ],
)
def test_a_step_returns_two_python_floats(change: Any, sentence: str) -> None:
    report = examined("clipped_training_step", lambda *a, **k: change(*train(*a, **k)))
    assert sentence in sentences(report, "returns two Python floats")


def test_a_parameter_without_gradient_gives_the_learners_own_line() -> None:
    def clipped_training_step(model, optimizer, loss_fn, inputs, targets, max_norm):
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        grads = [parameter.grad.clone() for parameter in model.parameters()]
        return loss.item(), length_of(grads).item()

    report = examined("clipped_training_step", clipped_training_step)
    said = sentences(report, "returns two Python floats")
    assert "it raised AttributeError: 'NoneType' object has no attribute 'clone'" in said
    assert "grads = [parameter.grad.clone() for parameter in model.parameters()]" in said


def test_old_gradients_have_a_stage_of_their_own() -> None:
    report = examined("clipped_training_step", wrong("old_gradients_kept"))
    assert report.mistake and report.mistake.id == "old_gradients_kept"
    assert "one step, norm above max_norm" in passed(report)
    assert "norm[0] (step 0)" in sentences(report, "old gradients are cleared")
