"""What torch has ready made is told at home, where it will not count when it is graded."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rnncourse._exercise import exercises, find
from rnncourse.checks import CheckFailedError, check, examine
from rnncourse.checks.display import html, text
from rnncourse.checks.forbidden_calls import HELPERS, uses_noted
from rnncourse.checks.plan import plan_of
from rnncourse.checks.report import Report, report_of
from tools.answers import solution


def by_module(x, h, c, *weights):
    cell = nn.LSTMCell(x.shape[1], h.shape[1]).to(x)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    values = dict(zip(names, weights, strict=True))
    return torch.func.functional_call(cell, values, (x, (h, c)))


def counted(input_size, hidden_size, num_layers=1, gates=1, bias=True, bidirectional=False):
    make = {1: nn.RNN, 3: nn.GRU, 4: nn.LSTM}[gates]
    sizes = (input_size, hidden_size, num_layers, bias)
    return sum(p.numel() for p in make(*sizes, bidirectional=bidirectional).parameters())


USES: list[tuple[str, Callable[..., Any], str]] = [
    ("lstm_cell", lambda x, h, c, *w: torch.lstm_cell(x, (h, c), *w), "torch.lstm_cell"),
    ("lstm_cell", by_module, "torch.nn.LSTMCell"),
    ("gru_cell", torch.gru_cell, "torch.gru_cell"),
    ("gru_cell", torch.ops.aten.gru_cell.default, "torch.gru_cell"),
    ("rnn_cell", torch.rnn_tanh_cell, "torch.rnn_tanh_cell"),
    ("one_hot", lambda ids, v: F.one_hot(ids, v).float(), "torch.nn.functional.one_hot"),
    ("embed", F.embedding, "torch.nn.functional.embedding"),
    ("global_norm", nn.utils.get_total_norm, "torch.nn.utils.get_total_norm"),
    ("parameter_count", counted, "torch.nn.LSTM"),
]


def examined(name: str, function: Callable[..., Any]) -> Report:
    entry = find(name)
    entry.filled = lambda *a, **k: function(*entry.signature.bind(*a, **k).args)
    return examine(entry)


@pytest.mark.parametrize(
    ("name", "function", "used"), USES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_ready_made_answer_is_told_and_is_not_complete(
    name: str, function: Callable[..., Any], used: str
) -> None:
    report = examined(name, function)
    assert used in report.ready_made
    assert not report.complete
    told = f"→ {name} uses {report.ready_made[0]}, which does what you are asked to write."
    assert f"{told} It will not count." in text(report)
    assert "It will not count." in html(report)
    assert "hidden ones run at grading" not in text(report)
    content = {"stages": [], "mistake": None, "exercise": name, "ready_made": [used]}
    assert report_of(content).ready_made == (used,)


def test_an_honest_answer_has_used_nothing_and_may_index() -> None:
    assert examined("embed", lambda ids, weight: weight[ids]).complete
    assert examined("lstm_cell", solution("lstm_cell")).ready_made == ()


def test_who_calls_another_exercises_ready_made_answer_is_told_too() -> None:
    find("lstm_cell").filled = lambda x, h, c, *w: torch.lstm_cell(x, (h, c), *w)

    def lstm_layer(x, h0, c0, *weights):
        states = []
        for x_t in x:
            h0, c0 = find("lstm_cell").stub(x_t, h0, c0, *weights)
            states.append(h0)
        return torch.stack(states), (h0, c0)

    assert examined("lstm_layer", lstm_layer).ready_made == ("torch.lstm_cell",)


def test_nothing_is_left_in_the_learners_kernel() -> None:
    before = [getattr(owner, name) for _, owner, name in HELPERS]
    with pytest.raises(ZeroDivisionError), uses_noted(("torch.nn.LSTM", "torch.autograd.grad")):
        raise ZeroDivisionError
    assert [getattr(owner, name) for _, owner, name in HELPERS] == before
    assert torch._C._len_torch_function_stack() == 0


def test_while_nbgrader_watches_it_fails_with_the_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NBGRADER_VALIDATING", "1")
    entry = find("gru_cell")
    entry.filled = lambda x, h, *w, **k: torch.gru_cell(x, h, *w, **k)
    with pytest.raises(
        CheckFailedError, match=r"gru_cell uses torch\.gru_cell, which does what you"
    ):
        check(entry.stub)


@pytest.mark.parametrize("entry", exercises().values(), ids=lambda entry: entry.name)
def test_every_ready_made_answer_is_there(entry: Any) -> None:
    for name in plan_of(entry.name).forbidden_calls:
        assert callable(attrgetter(name.removeprefix("torch."))(torch))
