"""The chapter rnn by another route: plain Python, one number at a time; and what its checks say."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

import rnncourse.rnn
from rnncourse._exercise import find
from rnncourse.checks import examine
from rnncourse.checks.display import text
from rnncourse.checks.report import Report
from tools.answers import known, solution

Row = list[float]
rnn_cell = solution("rnn_cell")
rnn_layer = solution("rnn_layer")
stacked_rnn = solution("stacked_rnn")


def drawn(*shapes: tuple[int, ...]) -> list[Tensor]:
    """Numbers in float64 that take part in gradients."""
    generator = torch.Generator().manual_seed(1)
    return [
        (torch.rand(shape, generator=generator, dtype=torch.float64) - 0.5).requires_grad_()
        for shape in shapes
    ]


def weights(width: int, below: int) -> list[tuple[int, ...]]:
    return [(width, below), (width, width), (width,), (width,)]


def step(x: Row, h: Row, w_ih: list[Row], w_hh: list[Row], b_ih: Row, b_hh: Row) -> Row:
    """One step of one sequence, unit by unit."""
    new = []
    for unit in range(len(h)):
        total = b_ih[unit] + b_hh[unit]
        for weight, number in zip(w_ih[unit] + w_hh[unit], x + h, strict=True):
            total += weight * number
        new.append(math.tanh(total))
    return new


def states(x: list[Row], h: Row, layer: list[Any]) -> list[Row]:
    """The states of one sequence after every step."""
    found = []
    for x_t in x:
        h = step(x_t, h, *layer)
        found.append(h)
    return found


def lists(tensors: Any) -> list[Any]:
    return [tensor.tolist() for tensor in tensors]


def test_a_step_that_fits_on_paper() -> None:
    """0.1·1 + 0.2·2 + 0.1 + 0.5·0.5 + 0.05 = 0.9;
    -0.3·1 + 0.4·2 - 0.2 + 0.25·0.5 + 0.5·1 + 0.3 = 1.225."""
    h = rnn_cell(
        torch.tensor([[1.0, 2.0]]),
        torch.tensor([[0.5, -1.0]]),
        torch.tensor([[0.1, 0.2], [-0.3, 0.4]]),
        torch.tensor([[0.5, 0.0], [0.25, -0.5]]),
        torch.tensor([0.1, -0.2]),
        torch.tensor([0.05, 0.3]),
    )
    assert h.tolist() == [pytest.approx([0.716298, 0.841123], abs=1e-5)]


def test_the_cell_against_plain_python() -> None:
    x, h, *layer = drawn((3, 5), (3, 2), *weights(2, 5))
    found = rnn_cell(x, h, *layer)
    for n in range(3):
        wanted = step(x[n].tolist(), h[n].tolist(), *lists(layer))
        assert found[n].tolist() == pytest.approx(wanted, abs=1e-12)


def test_layers_and_stacks_against_plain_python() -> None:
    x, h_1, h_2 = drawn((4, 2, 3), (2, 5), (2, 6))
    lower, upper = drawn(*weights(5, 3)), drawn(*weights(6, 5))
    output, last = rnn_layer(x, h_1, *lower)
    top, h_n = stacked_rnn(x, [h_1, h_2], [lower, upper])
    for n in range(2):
        below = states(x[:, n].tolist(), h_1[n].tolist(), lists(lower))
        above = states(below, h_2[n].tolist(), lists(upper))
        for t in range(4):
            assert output[t, n].tolist() == pytest.approx(below[t], abs=1e-12)
            assert top[t, n].tolist() == pytest.approx(above[t], abs=1e-12)
        assert last[n].tolist() == h_n[0][n].tolist() == pytest.approx(below[-1], abs=1e-12)
        assert h_n[1][n].tolist() == pytest.approx(above[-1], abs=1e-12)


def test_gradients_against_finite_differences() -> None:
    cell = drawn((2, 3), (2, 4), *weights(4, 3))
    assert torch.autograd.gradcheck(rnn_cell, cell)
    layer = drawn((3, 2, 3), (2, 4), *weights(4, 3))
    assert torch.autograd.gradcheck(rnn_layer, layer)

    def flat(x: Tensor, h_1: Tensor, h_2: Tensor, *both: Tensor) -> tuple[Tensor, ...]:
        output, h_n = stacked_rnn(x, [h_1, h_2], [both[:4], both[4:]])
        return output, *h_n

    stack = drawn((3, 2, 2), (2, 3), (2, 1), *weights(3, 2), *weights(1, 3))
    assert torch.autograd.gradcheck(flat, stack)


def test_four_layers_of_one_width_are_torchs_own() -> None:
    module = torch.nn.RNN(100, 20, num_layers=4)
    x, h_0 = torch.randn(10, 3, 100), torch.randn(4, 3, 20)
    output, h_n = stacked_rnn(x, list(h_0), module.all_weights)
    wanted_output, wanted_h_n = module(x, h_0)
    assert output.shape == (10, 3, 20) and torch.stack(h_n).shape == (4, 3, 20)
    assert torch.allclose(output, wanted_output, atol=1e-5)
    assert torch.allclose(torch.stack(h_n), wanted_h_n, atol=1e-5)


# ------------------------------------------------------------------ what the checks say


def said(name: str, function: Any, stage: str = "shapes") -> str:
    return " ".join(next(s for s in examined(name, function).stages if s.name == stage).sentences)


def examined(name: str, function: Any) -> Report:
    entry = find(name)
    entry.filled = function
    return examine(entry)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda h: None, "h' must be a tensor; yours is None: is the return missing?"),
        (lambda h: h.numpy(), "h' must be a tensor; yours is an ndarray of shape (2, 4)."),
        (lambda h: [h], "h' must be a tensor; yours is a list."),
        (lambda h: (h, h), "h' must be a tensor; yours is a tuple."),
        (lambda h: h[0], "h' has shape (4,); it must be (2, 4) = (N, H): 1 axis instead of 2."),
    ],
)
def test_what_is_no_state_is_described(change: Any, sentence: str) -> None:
    assert said("rnn_cell", lambda *a, **k: change(rnn_cell(*a, **k))) == sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda output, h_n: output, "yours returns a Tensor of shape (4, 2, 7)."),
        (lambda output, h_n: (output, h_n[-1]), "yours returns a Tensor of shape (2, 7)."),
        (lambda output, h_n: (output, h_n[-1:]), "3 values; yours returns 1."),
        (lambda output, h_n: (list(output), h_n), "output must be a tensor; yours is a list."),
        (lambda output, h_n: (output, [None] * 3), "h_n of layer 1 must be a tensor; yours is"),
    ],
)
def test_what_is_no_result_of_a_stack_is_described(change: Any, sentence: str) -> None:
    assert sentence in said("stacked_rnn", lambda *a, **k: change(*stacked_rnn(*a, **k)))


def test_an_exception_comes_with_the_learners_own_line() -> None:
    def rnn_cell(x, h, w_ih, w_hh, b_ih, b_hh):
        return torch.tanh(x @ w_ih + h @ w_hh)

    sentence = said("rnn_cell", rnn_cell)
    assert "it raised RuntimeError: mat1 and mat2 shapes cannot be multiplied" in sentence
    assert "in rnn_cell:  return torch.tanh(x @ w_ih + h @ w_hh)  — Given: x (2, 3)" in sentence


def test_float64_must_stay() -> None:
    def rnn_layer_in_float32(*a, **k):
        output, h_n = rnn_layer(*a, **k)
        return output.float(), h_n.float()

    sentence = said("rnn_layer", rnn_layer_in_float32, "float64 in, float64 out")
    assert sentence.startswith("output is float32 for inputs of float64.")


def test_a_wrong_width_is_told_by_its_layer() -> None:
    def stacked(x, h0, layers):
        output, h_n = stacked_rnn(x, h0, layers)
        return output, [*h_n[:-1], h_n[-1][:, :-1]]

    finals = "h_n of layer 3 has shape (2, 6); it must be (2, 7) = (N, H_top)."
    assert said("stacked_rnn", stacked) == finals


@pytest.mark.parametrize("name", ["step_by_step", "layer_by_layer"])
def test_a_stack_on_a_wrong_cell_is_right_whichever_way_it_goes(name: str) -> None:
    """One looks up the cell, the other the layer; the probes of both agree."""
    from tools.answers import rnn as styles

    find("rnn_cell").filled = next(
        k.function for k in known("rnn") if k.mistake.id == "second_bias_forgotten"
    )
    own = dict(vars(styles)) | {
        "rnn_cell": rnncourse.rnn.rnn_cell,
        "rnn_layer": lambda x, h0, *w: styles.chained(x * 2, h0, *w),
    }
    function = type(styles.chained)(getattr(styles, name).__code__, own, "stacked_rnn")
    report = examined("stacked_rnn", function)
    assert report.complete, text(report)
    assert all(stage.by_probe for stage in report.stages if stage.name == "three layers")
