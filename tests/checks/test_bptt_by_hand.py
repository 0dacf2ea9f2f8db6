"""The references of the chapter bptt against other routes to the same numbers, and what its checks
say."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from rnncourse._exercise import find
from rnncourse.checks import examine
from rnncourse.checks.forbidden_calls import GRADIENTS, uses_noted
from rnncourse.checks.report import Report
from tools.answers import known, solution

cell_backward = solution("rnn_cell_backward")
layer_backward = solution("rnn_layer_backward")
truncated = solution("truncated_bptt")

NUDGE = 1e-6
WEIGHTS = {"w_ih": (4, 3), "w_hh": (4, 4), "b_ih": (4,), "b_hh": (4,)}


def drawn(**shapes: tuple[int, ...]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(4)
    return {
        name: 1.6 * torch.rand(shape, generator=generator, dtype=torch.float64) - 0.8
        for name, shape in shapes.items()
    }


def plain_step(x: list[float], h: list[float], given: dict[str, Tensor]) -> list[float]:
    """The formula of the step with scalars."""
    sums = []
    for unit in range(len(h)):
        total = float(given["b_ih"][unit]) + float(given["b_hh"][unit])
        total += sum(w * v for w, v in zip(given["w_ih"][unit].tolist(), x, strict=True))
        total += sum(w * v for w, v in zip(given["w_hh"][unit].tolist(), h, strict=True))
        sums.append(math.tanh(total))
    return sums


def plain_states(given: dict[str, Tensor]) -> list[list[list[float]]]:
    """The states of x (T, N, I) step by step, sequence by sequence."""
    states = [given["h0"].tolist()]
    for batch in given["x"].tolist():
        states.append([plain_step(x, h, given) for x, h in zip(batch, states[-1], strict=True)])
    return states[1:]


def nudged(loss: Callable[[dict[str, Tensor]], float], given: dict[str, Tensor], name: str) -> Any:
    """The gradient of a loss by one input as a difference quotient for each number in it."""
    gradient = torch.zeros_like(given[name])
    for k in range(gradient.numel()):
        sides = []
        for nudge in (NUDGE, -NUDGE):
            moved = given[name].clone()
            moved.view(-1)[k] += nudge
            sides.append(loss(given | {name: moved}))
        gradient.view(-1)[k] = (sides[0] - sides[1]) / (2 * NUDGE)
    return gradient


def weighted(states: Any, grads: Tensor) -> float:
    """The loss whose gradient by the states is `grads`."""
    return float((torch.tensor(states, dtype=torch.float64) * grads).sum())


def test_one_number_through_one_step_by_hand() -> None:
    """0.5 · 2 - 0.25 · 4 + 0 = 0, where tanh has the slope 1 and changes nothing."""
    one = torch.tensor([[1.0]])
    grads = cell_backward(3 * one, 2 * one, 4 * one, 0 * one, one / 2, -one / 4)
    assert [g.item() for g in grads] == [1.5, -0.75, 6, 12, 3, 3]
    # A slope of 1 - 0.6² = 0.64 makes all of them smaller by the same factor.
    grads = cell_backward(3 * one, 2 * one, 4 * one, 0.6 * one, one / 2, -one / 4)
    wanted = [0.96, -0.48, 3.84, 7.68, 1.92, 1.92]
    assert [g.item() for g in grads] == pytest.approx(wanted, rel=1e-5)


def test_a_step_against_nudges_and_autograd() -> None:
    given = drawn(x=(2, 3), h_prev=(2, 4), **WEIGHTS)
    grad_h = drawn(grad_h=(2, 4))["grad_h"].flip(0)

    def loss(moved: dict[str, Tensor]) -> float:
        rows = zip(moved["x"].tolist(), moved["h_prev"].tolist(), strict=True)
        return weighted([plain_step(x, h, moved) for x, h in rows], grad_h)

    leaves = {k: v.clone().requires_grad_() for k, v in given.items()}
    h = torch.rnn_tanh_cell(*leaves.values())
    by_torch = torch.autograd.grad(h, [*leaves.values()], grad_h)
    x, h_prev, w_ih, w_hh, *_ = given.values()
    own = cell_backward(grad_h, x, h_prev, h.detach(), w_ih, w_hh)
    for name, reference, exact in zip(given, own, by_torch, strict=True):
        torch.testing.assert_close(reference, exact, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(reference, nudged(loss, given, name), rtol=1e-6, atol=1e-8)


def test_a_layer_against_nudges_and_autograd() -> None:
    given = drawn(x=(5, 2, 3), h0=(2, 4), **WEIGHTS)
    grad_output = drawn(grad_output=(5, 2, 4))["grad_output"]

    def loss(moved: dict[str, Tensor]) -> float:
        return weighted(plain_states(moved), grad_output)

    layer = torch.nn.RNN(3, 4).double()
    x, h0, *weights = given.values()
    layer.load_state_dict(dict(zip(layer.state_dict(), weights, strict=True)))
    leaves = [x.clone().requires_grad_(), h0.clone().requires_grad_()]
    output, _ = layer(leaves[0], leaves[1][None])
    by_torch = torch.autograd.grad(output, [*leaves, *layer.parameters()], grad_output)
    own = layer_backward(grad_output, x, h0, output.detach(), *weights[:2])
    for name, reference, exact in zip(given, own, by_torch, strict=True):
        torch.testing.assert_close(reference, exact, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(reference, nudged(loss, given, name), rtol=1e-6, atol=1e-8)


XS = [[0.5, -0.25], [0.75, 1.0], [-0.5]]


def scalar_step(weight: Tensor) -> Any:
    """s' = weight · s + x at each step of a chunk; the loss is the last s' squared."""

    def step(chunk: list[float], state: Tensor) -> tuple[Tensor, Tensor]:
        for x in chunk:
            state = weight * state + x
        return state**2, state

    return step


def plain_chunk(weight: float, state: float, chunk: list[float]) -> tuple[float, float, float]:
    """The state after a chunk, the loss, and its derivative by the weight with the first state held
    fixed, carried forward step by step: ds'/dw = s + weight · ds/dw."""
    slope = 0.0
    for x in chunk:
        state, slope = weight * state + x, state + weight * slope
    return state, state**2, 2 * state * slope


def test_gradients_of_chunks_add_up_and_stop_between_them() -> None:
    weight = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    first = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    losses, state = truncated(scalar_step(weight), iter(XS), first)
    wanted, total, s = [], 0.0, 2.0
    for chunk in XS:
        s, loss, derivative = plain_chunk(0.5, s, chunk)
        wanted.append(loss)
        total += derivative
    assert losses == pytest.approx(wanted) and all(type(loss) is float for loss in losses)
    assert state.item() == pytest.approx(s) and not state.requires_grad
    assert weight.grad is not None and weight.grad.item() == pytest.approx(total)
    assert first.grad is None


def test_one_chunk_is_the_full_gradient() -> None:
    steps = sum(XS, [])
    weight = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    truncated(scalar_step(weight), [steps], torch.tensor(2.0, dtype=torch.float64))
    losses = [plain_chunk(0.5 + nudge, 2.0, steps)[1] for nudge in (NUDGE, -NUDGE)]
    assert weight.grad is not None
    assert weight.grad.item() == pytest.approx((losses[0] - losses[1]) / (2 * NUDGE), rel=1e-6)


def test_an_optimizer_steps_after_each_chunk() -> None:
    weight = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    weight.grad = torch.tensor(100.0, dtype=torch.float64)  # left from before
    optimizer = torch.optim.SGD([weight], lr=0.1)
    losses, state = truncated(
        scalar_step(weight), XS, torch.tensor(2.0, dtype=torch.float64), optimizer
    )
    w, s, wanted = 0.5, 2.0, []
    for chunk in XS:
        s, loss, derivative = plain_chunk(w, s, chunk)
        w -= 0.1 * derivative
        wanted.append(loss)
    assert losses == pytest.approx(wanted)
    assert (weight.item(), state.item()) == pytest.approx((w, s))


# ------------------------------------------------------------------ what the checks say


def report_on(name: str, change: Any) -> Report:
    """The report of a right function whose result `change` alters."""
    right = solution(name)
    entry = find(name)
    entry.filled = lambda *a, **k: change(right(*a, **k))
    return examine(entry)


def said(report: Report) -> str:
    """The sentences of the first stage that failed."""
    return " ".join(next(s for s in report.stages if s.status == "failed").sentences)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda g: None, "it must return grad_x, grad_h_prev, grad_w_ih, grad_w_hh, grad_b_ih, "),
        (lambda g: g[:5], "grad_b_hh, 6 values; yours returns 5."),
        (lambda g: (g[0].numpy(), *g[1:]), "grad_x must be a tensor; yours is an ndarray of shape"),
        (lambda g: (*g[:5], g[5].tolist()), "grad_b_hh must be a tensor; yours is a list."),
        (lambda g: (*g[:2], g[2].double(), *g[3:]), "grad_w_ih is float64 for inputs of float32."),
        (lambda g: (*g[:4], g[4][None], g[5]), "it must be (4,) = (H,): 2 axes instead of 1."),
    ],
)
def test_what_a_way_back_returned_is_described(change: Any, sentence: str) -> None:
    assert sentence in said(report_on("rnn_cell_backward", change))


def test_an_exception_names_the_arguments_that_the_function_had() -> None:
    def rnn_cell_backward(grad_h, x, h_prev, h, w_ih, w_hh):
        return grad_h @ w_ih.T

    find("rnn_cell_backward").filled = rnn_cell_backward
    sentence = said(examine(find("rnn_cell_backward")))
    assert "cannot be multiplied (3x4 and 2x4), in rnn_cell_backward:" in sentence
    assert "Given: grad_h (3, 4), x (3, 2), h_prev (3, 4), w_ih (4, 2), w_hh (4, 4), h (3, 4)." in (
        sentence
    )


def test_the_state_that_is_given_must_stay_as_it_is() -> None:
    def rnn_cell_backward(grad_h, x, h_prev, h, w_ih, w_hh):
        h_before = h.clone()
        h.square_().neg_().add_(1)
        return cell_backward(grad_h, x, h_prev, h_before, w_ih, w_hh)

    find("rnn_cell_backward").filled = rnn_cell_backward
    report = examine(find("rnn_cell_backward"))
    assert said(report) == "h is changed in place; work on a copy."


def test_a_wrong_cell_is_not_paid_for_twice() -> None:
    wrong = next(k.function for k in known("bptt") if k.mistake.id == "slope_forgotten")
    layer = next(k for k in known("bptt", "rnn_layer_backward")).function
    right = solution("rnn_layer_backward")
    find("rnn_cell_backward").filled = wrong
    space = {**right.__globals__, "rnn_cell_backward": wrong}
    find("rnn_layer_backward").filled = type(right)(right.__code__, space, "rnn_layer_backward")
    report = examine(find("rnn_layer_backward"))
    assert report.complete and any(stage.by_probe for stage in report.stages)
    find("rnn_layer_backward").filled = layer
    assert not examine(find("rnn_layer_backward")).complete


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda r: None, "it must return losses, state; yours returns None: is the return missing"),
        (lambda r: r[0], "it must return losses, state"),
        (lambda r: (r[0][-1], r[1]), "losses must be a list; yours is a float."),
        (
            lambda r: ([torch.tensor(v) for v in r[0]], r[1]),
            "each of losses must be a number (float); yours is a Tensor of shape (). Use .item().",
        ),
        (lambda r: (r[0], r[1].tolist()), "state must be a tensor; yours is a list."),
        (lambda r: (r[0][:1], r[1]), "losses has shape (1,); it must be (3,) = (C,)."),
    ],
)
def test_what_training_by_chunks_returned_is_described(change: Any, sentence: str) -> None:
    def only_tensors(result: Any) -> Any:
        return change(result) if isinstance(result[1], Tensor) else result

    assert sentence in said(report_on("truncated_bptt", only_tensors))


def test_a_state_that_is_not_detached_is_told_by_name() -> None:
    """Without torch's error about a second way back, and a stage before it passes."""
    wrong = next(k for k in known("bptt") if k.mistake.id == "never_detached")
    entry = find("truncated_bptt")
    entry.filled = wrong.function
    report = examine(entry)
    assert report.mistake == wrong.mistake
    status = {stage.name: stage.status for stage in report.stages}
    assert status["the losses, and a state that goes on"] == "passed"
    assert status["the gradient stops between chunks"] == "failed"
    assert said(report).startswith("state.requires_grad differs: yours is 1, it should be 0.")


def test_who_knows_tensors_only_loses_the_pair_only() -> None:
    def truncated_bptt(step, chunks, state, optimizer=None):
        return truncated(step, chunks, state.clone(), optimizer)

    entry = find("truncated_bptt")
    entry.filled = truncated_bptt
    report = examine(entry)
    status = {stage.name: stage.status for stage in report.stages}
    assert status["an optimizer steps after each chunk"] == "passed"
    assert status["a pair of states"] == "failed"
    assert "AttributeError: 'tuple' object has no attribute 'clone'" in said(report)


def test_autograd_is_noticed_and_switching_it_off_is_not() -> None:
    def by_autograd(x: Tensor) -> None:
        with torch.enable_grad():
            leaf = x.clone().requires_grad_()
            torch.autograd.grad(leaf.sum(), leaf)

    def without(x: Tensor) -> None:
        with torch.no_grad():
            cell_backward(x, x, x, x, x, x)

    used = {}
    for function in (by_autograd, without):
        with torch.no_grad(), uses_noted(GRADIENTS) as used[function]:
            function(torch.ones(1, 1))
    assert "torch.autograd.grad" in used[by_autograd]
    assert used[without] == set()
