"""The chapter shapes against real modules of torch; and what its checks say."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence

from rnncourse._exercise import find
from rnncourse.checks import examine
from rnncourse.checks.compare import close
from tools.answers import solution

rnn_output_shapes = solution("rnn_output_shapes")
parameter_count = solution("parameter_count")
last_valid = solution("last_valid")

MODULES = {1: torch.nn.RNN, 3: torch.nn.GRU, 4: torch.nn.LSTM}
"""Torch's modules by the number of their gates."""


@pytest.mark.parametrize(
    ("layers", "both", "batch_first"),
    list(itertools.product((1, 2, 4), (False, True), (False, True))),
)
def test_shapes_against_a_module_that_runs(layers: int, both: bool, batch_first: bool) -> None:
    module = torch.nn.RNN(6, 20, layers, bidirectional=both, batch_first=batch_first)
    x = torch.zeros(3, 10, 6) if batch_first else torch.zeros(10, 3, 6)
    wanted = tuple(tuple(result.shape) for result in module(x))
    assert rnn_output_shapes(10, 3, 20, layers, both, batch_first) == wanted


@pytest.mark.parametrize(
    ("gates", "layers", "bias", "both"),
    list(itertools.product(MODULES, (1, 2, 4), (False, True), (False, True))),
)
def test_counts_against_real_modules(gates: int, layers: int, bias: bool, both: bool) -> None:
    module = MODULES[gates](5, 8, layers, bias=bias, bidirectional=both)
    wanted = sum(parameter.numel() for parameter in module.parameters())
    assert parameter_count(5, 8, layers, gates, bias, both) == wanted


def test_counts_that_fit_on_paper() -> None:
    """5 features, 8 units: 8·5 + 8·8 + 2·8. A review network: 10,000 words of 32 numbers, a state
    of 32, one output; torch's second bias makes it 32 more than 322,113."""
    assert parameter_count(5, 8) == 40 + 64 + 16
    assert 10_000 * 32 + parameter_count(32, 32) + 33 == 322_113 + 32


def test_shapes_that_fit_on_paper() -> None:
    assert rnn_output_shapes(10, 3, 20, num_layers=4) == ((10, 3, 20), (4, 3, 20))


def test_the_last_valid_output_against_lists_and_a_packed_sequence() -> None:
    torch.manual_seed(0)
    module = torch.nn.RNN(2, 4)
    x, lengths = torch.randn(6, 5, 2), torch.tensor([3, 1, 6, 4, 6])
    with torch.no_grad():
        output, _ = module(x)
        _, h_n = module(pack_padded_sequence(x, lengths, enforce_sorted=False))
    found = last_valid(output, lengths)
    assert torch.allclose(found, h_n[0], atol=1e-5)
    as_lists = output.tolist()
    wanted = [as_lists[length - 1][n] for n, length in enumerate(lengths.tolist())]
    assert found.tolist() == wanted


def test_gradients_reach_the_ends_and_nothing_else() -> None:
    output = torch.randn(4, 3, 2, dtype=torch.float64, requires_grad=True)
    lengths = torch.tensor([1, 4, 2])
    assert torch.autograd.gradcheck(lambda o: last_valid(o, lengths), output)
    last_valid(output, lengths).sum().backward()
    assert output.grad is not None
    assert output.grad.sum(2).tolist() == [[2, 0, 0], [0, 0, 2], [0, 0, 0], [0, 2, 0]]


# ------------------------------------------------------------------ what the checks say


def said(name: str, function: Any, stage: int | str = 0) -> str:
    """What the check says about a stage, by its place or its name."""
    entry = find(name)
    entry.filled = function
    stages = examine(entry).stages
    found = stages[stage] if isinstance(stage, int) else {s.name: s for s in stages}[stage]
    return " ".join(found.sentences)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda o, h: None, "the shape of h_n; yours returns None: is the return missing?"),
        (lambda o, h: o, "2 values; yours returns 3."),
        (lambda o, h: (*o, *h), "2 values; yours returns 6."),
        (lambda o, h: (torch.zeros(o), h), "must be a list; yours is a Tensor of shape (9, 7, 10)"),
        (lambda o, h: (np.array(o), h), "must be a list; yours is an ndarray of shape (3,)."),
        (lambda o, h: ((1.5, *o[1:]), h), "a list of whole numbers (int); yours is a float"),
        (lambda o, h: (o[1:], h), "the shape of output has shape (2,); it must be (3,)."),
    ],
)
def test_what_is_no_pair_of_shapes_is_described(change: Any, sentence: str) -> None:
    found = said("rnn_output_shapes", lambda **k: change(*rnn_output_shapes(**k)))
    assert sentence in found


def test_a_wrong_size_is_told_as_a_whole_number() -> None:
    def narrow(**k):
        (first, second, _), state = rnn_output_shapes(**k)
        return (first, second, k["hidden_size"]), state

    assert said("rnn_output_shapes", narrow, "all together") == (
        "1 of 3 numbers differ; the first is the shape of output at [2]: yours is 5, "
        "it should be 10. Called with length=7, batch=9, hidden_size=5, num_layers=3, "
        "bidirectional=True, batch_first=True."
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda n: None, "must be a whole number (int); yours is None: is the return missing?"),
        (lambda n: float(n), "must be a whole number (int); yours is a float."),
        (lambda n: (n,), "must be a whole number (int); yours is a tuple."),
    ],
)
def test_what_is_no_count_is_described(change: Any, sentence: str) -> None:
    assert said("parameter_count", lambda **k: change(parameter_count(**k))).endswith(sentence)


def test_a_count_is_right_or_wrong_to_the_last_one() -> None:
    def one_too_many(**k):
        return parameter_count(**k) + 1

    found = said("parameter_count", one_too_many, "one layer with biases")
    assert found == (
        "the number of parameters differs: yours is 121, it should be 120. Called with "
        "input_size=5, hidden_size=8, num_layers=1, gates=1, bias=True, bidirectional=False."
    )


def test_large_counts_have_no_rounding() -> None:
    assert not close(torch.tensor(322_145), torch.tensor(322_113))
    assert close(torch.tensor(322_145), torch.tensor(322_145))


def test_integers_of_numpy_and_torch_count_as_whole_numbers() -> None:
    for kind in (np.int64, torch.tensor):
        entry = find("parameter_count")
        entry.filled = lambda kind=kind, **k: kind(parameter_count(**k))
        assert examine(entry).complete


def test_an_index_behind_the_end_comes_with_the_learners_own_line() -> None:
    def last_valid(output, lengths):
        return output[lengths, torch.arange(len(lengths))]

    found = said("last_valid", last_valid)
    assert "it raised IndexError: index 5 is out of bounds" in found
    assert "in last_valid:  return output[lengths, torch.arange(len(lengths))]" in found


def test_lengths_must_stay_as_they_are() -> None:
    def takes_one_off(output, lengths):
        lengths -= 1
        return output[lengths, torch.arange(len(lengths), device=output.device)]

    found = said("last_valid", takes_one_off, "leaves its inputs unchanged")
    assert found == "lengths is changed in place; work on a copy."
