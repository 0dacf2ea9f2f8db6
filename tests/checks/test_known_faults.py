"""Faults that checks and notebooks of other courses had: none of them is in these checks.

Each test is one such fault. Faults of the whole notebook, such as Run All that stops at the first
empty cell, are in tests/test_notebooks.py and tests/test_exercise.py.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rnncourse import fill
from rnncourse._exercise import CHAPTERS, Exercise, exercises, find
from rnncourse.checks import examine
from rnncourse.checks.display import text
from rnncourse.checks.fingerprints import load
from rnncourse.checks.report import Report
from tools.answers import known, right

EXERCISES = list(exercises().values())

FAULTS = {
    "clipping passed that empties every gradient": (
        "clip_by_global_norm",
        "too_large_becomes_zero",
    ),
    "an official recurrence had no non-linearity": ("rnn_cell", "no_tanh"),
    "a view mixed batch and time": ("rnn_layer", "batch_and_time_mixed"),
    "a flattened classifier mixed them too": ("flatten_states", "batch_and_time_mixed"),
    "a solution did not start from the states it was given": ("rnn_layer", "starts_from_zeros"),
    "the last state was read behind the padding": ("last_valid", "last_step_for_all"),
    "padding counted in the loss": ("masked_cross_entropy", "padding_counted"),
    "one-hot vectors were int64": ("one_hot", "not_of_floats"),
    "analogies were ranked on raw rows": ("analogy", "never_to_unit_length"),
    "the log of a sigmoid overflowed": ("negative_sampling_loss", "log_of_sigmoid"),
    "gradients of unused states were zero in silence": (
        "state_gradient_norms",
        "no_error_without_states",
    ),
    "a generator was started anew for each draw": ("sample_next", "generator_started_again"),
}


def examined(name: str, function: Any) -> Report:
    entry = find(name)
    entry.filled = function
    return examine(entry)


@pytest.mark.parametrize(("name", "id"), FAULTS.values(), ids=FAULTS)
def test_what_others_let_pass_or_did_themselves_is_a_named_mistake(name: str, id: str) -> None:
    chapter = find(name).chapter
    wrong = next(k for k in known(chapter, name) if k.mistake.id == id)
    report = examined(name, wrong.function)
    assert not report.complete
    assert report.mistake == wrong.mistake


def lstm_cell_in_order(order: tuple[str, ...]) -> Any:
    def lstm_cell(
        x: Tensor, h: Tensor, c: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
    ) -> tuple[Tensor, Tensor]:
        blocks = (x @ w_ih.T + b_ih + h @ w_hh.T + b_hh).chunk(4, dim=1)
        gate = dict(zip(order, blocks, strict=True))
        c = torch.sigmoid(gate["f"]) * c + torch.sigmoid(gate["i"]) * torch.tanh(gate["g"])
        return torch.sigmoid(gate["o"]) * torch.tanh(c), c

    return lstm_cell


@pytest.mark.parametrize("order", list(itertools.permutations("ifgo")), ids="".join)
def test_no_other_order_of_the_gates_passes(order: tuple[str, ...]) -> None:
    """A saturated case, which all 24 orders pass, sees nothing."""
    report = examined("lstm_cell", lstm_cell_in_order(order))
    assert report.complete == (order == tuple("ifgo"))


@pytest.mark.parametrize("entry", EXERCISES, ids=lambda e: e.name)
def test_different_cases_are_different(entry: Exercise) -> None:
    """A generator that is seeded before each case gives one case three times."""
    fixtures = load(entry.chapter)[entry.name].fixtures
    for one, other in itertools.combinations(fixtures, 2):
        assert any(
            one[name].shape != other[name].shape or not torch.equal(one[name], other[name])
            for name in one.inputs
        )


def moved(result: Any) -> Any:
    """The same result with every number a little larger."""
    if isinstance(result, Tensor):
        return result + 0.01 if result.is_floating_point() else result
    if isinstance(result, tuple | list):
        return type(result)(moved(part) for part in result)
    return result + 0.01 if isinstance(result, float) else result


TENSORS = ["rnn_cell", "rnn_layer", "stacked_rnn", "joined_rnn_cell", "lstm_cell", "lstm_layer"]
TENSORS += ["gru_cell", "gru_cell_reset_before", "gru_layer", "embed", "last_valid"]
TENSORS += ["rnn_cell_backward", "rnn_layer_backward", "flatten_states", "clip_by_value"]
NO_VALUES = ("shape", "input", "device", "gradient", "float64")


@pytest.mark.parametrize("name", TENSORS)
def test_no_stage_compares_an_answer_with_itself(name: str) -> None:
    """Whatever looks at values sees that every value is wrong."""
    honest = right(find(name).chapter, name)[0].function
    report = examined(name, lambda *a, **k: moved(honest(*a, **k)))
    passed = [stage.name for stage in report.stages if stage.status == "passed"]
    assert [one for one in passed if not any(word in one for word in NO_VALUES)] == []


def test_writing_into_the_inputs_spoils_no_other_stage() -> None:
    """The values are right, so only the stage for unchanged inputs may fail."""
    honest = right("rnn", "rnn_cell")[0].function

    def rnn_cell(x: Tensor, h: Tensor, **weights: Tensor) -> Tensor:
        result: Tensor = honest(x.clone(), h.clone(), **weights)
        with torch.no_grad():
            x.zero_()
        return result

    report = examined("rnn_cell", rnn_cell)
    failed = [stage.name for stage in report.stages if stage.status == "failed"]
    assert len(failed) == 1
    assert "input" in failed[0]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_complete_check_promises_nothing_for_the_hidden_ones(chapter: str) -> None:
    for entry in (e for e in EXERCISES if e.chapter == chapter):
        report = examined(entry.name, right(chapter, entry.name)[0].function)
        said = text(report)
        assert report.complete
        assert "hidden ones run at grading" in said
        assert "all passed" not in said.lower()


def test_a_variable_called_like_a_module_hides_no_exercise() -> None:
    """Tutorials write lstm = nn.LSTM(...), which hid stubs that were looked up by that name."""
    space: dict[str, Any] = {"fill": fill, "lstm": nn.LSTM(3, 4), "gru": nn.GRU(3, 4)}
    exec("@fill\ndef lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):\n    return h, c\n", space)
    assert find("lstm_cell").filled is not None


@pytest.mark.parametrize("name", ["one_hot", "embed", "embed_backward", "skipgram_pairs"])
def test_no_case_has_an_id_that_counts_from_the_end(name: str) -> None:
    for fixture in load("embedding")[name].fixtures:
        assert min(int(v.min()) for v in fixture.inputs.values() if not v.is_floating_point()) >= 0
