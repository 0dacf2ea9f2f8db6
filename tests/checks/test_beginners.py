"""What beginners meet: torch's own errors, two mistakes at once, numbers that overflow."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from rnncourse._exercise import find
from rnncourse.checks import examine
from rnncourse.checks.errors import explain
from rnncourse.checks.report import Report
from tools import answers


def examined(name: str, function: Callable[..., Any]) -> Report:
    entry = find(name)
    entry.filled = function
    return examine(entry)


def said(report: Report, stage: str) -> str:
    return " ".join(next(s for s in report.stages if s.name == stage).sentences)


def failed(report: Report) -> list[str]:
    return [stage.name for stage in report.stages if stage.status == "failed"]


# ------------------------------------------------------------------ torch's own errors


def lessons_form(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(w_ih @ x + b_ih + w_hh @ h + b_hh)


def not_transposed(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(x @ w_ih + b_ih + h @ w_hh + b_hh)


def of_another_length(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(x @ w_ih.T + x)


def in_place(x, h, w_ih, w_hh, b_ih, b_hh):
    h.copy_(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh)
    return h.tanh()


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (
            lessons_form,
            "w_ih is (H, I) and x is (N, I). The formula W x is for one vector; x holds",
        ),
        (lessons_form, "one in each row, so here it is x @ w_ih.T."),
        (not_transposed, "x is (N, I) and w_ih is (H, I): it takes a .T, as in x @ w_ih.T."),
        (of_another_length, "An axis of length 4 = H meets one of length 3 = I."),
    ],
)
def test_an_error_of_torchs_comes_with_what_to_do(
    function: Callable[..., Any], sentence: str
) -> None:
    assert sentence in said(examined("rnn_cell", function), "shapes")


def test_the_lessons_form_of_an_lstm_is_explained_by_torchs_blocks() -> None:
    def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
        return (w_ih @ x + b_ih).chunk(4)

    told = said(examined("lstm_cell", lstm_cell), "shapes")
    assert "w_ih is (4H, I) and x is (N, I). The formula W x is for one vector" in told


def test_writing_into_an_input_is_explained_where_torch_refuses_it() -> None:
    problem = examined("rnn_cell", in_place)
    assert "c = c * f makes a new one" in said(problem, "gradients")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (lambda: torch.ones(2, 3) @ torch.ones(3, dtype=torch.float64), "two dtypes meet"),
        (lambda: bool(torch.ones(2)), "torch.where"),
        (lambda: torch.stack([]), "is append inside the loop"),
        (lambda: torch.stack([(torch.ones(1), 2)]), "take a list of tensors"),
        (lambda: torch.ones(2).item(), "no single number"),
        (lambda: float(torch.ones(2)), "no single number"),
        (lambda: torch.ones(2)[5], "the length minus 1"),
        (lambda: torch.nn.functional.embedding(torch.tensor(5), torch.ones(2, 2)), "minus 1"),
        (lambda: torch.multinomial(torch.tensor([torch.inf]), 1), "largest score away first"),
        (lambda: (lambda a, b: 0)(*[torch.ones(2).chunk(2)[:1]]), ""),
        (lambda: [a for a, b in [torch.ones(3)]], "another number of parts"),
    ],
)
def test_other_errors_that_beginners_meet_are_known(
    code: Callable[[], object], sentence: str
) -> None:
    """As this version of torch words them."""
    with pytest.raises(Exception) as caught:
        code()
    assert sentence in explain(str(caught.value), {}, {})


def test_going_back_twice_and_changing_what_is_needed_are_known() -> None:
    leaf = torch.ones(2, requires_grad=True)
    loss = leaf.square().sum()
    loss.backward()
    with pytest.raises(RuntimeError) as twice:
        loss.backward()
    middle = leaf.exp()
    loss = middle.square().sum()
    middle.add_(1)
    with pytest.raises(RuntimeError) as changed:
        loss.backward()
    assert "retain_graph=True" in explain(str(twice.value), {}, {})
    assert "after it had been used" in explain(str(changed.value), {}, {})


# ------------------------------------------------------------------ two mistakes at once


def test_of_two_mistakes_the_first_is_named() -> None:
    def rnn_cell_backward(grad_h, x, h_prev, h, w_ih, w_hh):
        d = grad_h * (1 - h * h)
        bias = d.mean(0)
        return d @ w_ih, d @ w_hh.T, d.T @ x, d.T @ h_prev, bias, bias.clone()

    report = examined("rnn_cell_backward", rnn_cell_backward)
    assert report.mistake and report.mistake.id == "biases_averaged"


BOTH = {("second_bias_forgotten", "first_bias_forgotten"): ("no_bias",)}
"""Two mistakes that together are a third one."""


def test_a_mistake_that_spoils_what_another_spoils_too_is_named_where_it_stands_alone() -> None:
    """Both are in h' as soon as there are biases; without them only the tanh is missing."""

    def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
        i, f, g, o = (x @ w_ih.T + b_ih + h @ w_hh.T).chunk(4, dim=1)
        c_next = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * c_next, c_next

    report = examined("lstm_cell", lstm_cell)
    assert report.mistake and report.mistake.id == "no_tanh_on_the_cell_state"


def pairs(exercise: str, most: int = 20) -> list[tuple[str, str, str]]:
    """Two known mistakes and the answer of whoever makes both, as far as both edits apply."""
    chapter = find(exercise).chapter
    text = (answers.FOLDER / f"{chapter}.toml").read_text(encoding="utf-8")
    edits = {id: entry["edit"] for id, entry in tomllib.loads(text)[exercise].items()}
    found = []
    for first, second in itertools.combinations(edits, 2):
        try:
            source = answers.solutions(chapter).sources[exercise]
            for id in (first, second):
                source = answers.edited(source, edits[id], id)
        except answers.EditError:
            continue
        found.append((first, second, source))
    return found[:: max(1, len(found) // most)]


@pytest.mark.parametrize(
    "exercise", ["rnn_cell", "lstm_cell", "gru_cell", "negative_sampling_loss"]
)
def test_a_name_that_is_given_is_one_of_the_two(exercise: str) -> None:
    chapter, named = find(exercise).chapter, 0
    tried = pairs(exercise)
    for first, second, source in tried:
        function = answers.solutions(chapter).function(exercise, source, f"{first}, {second}")
        report = examined(exercise, function)
        assert not report.complete
        if report.mistake:
            assert report.mistake.id in (first, second, *BOTH.get((first, second), ()))
            named += 1
    assert named >= len(tried) / 3


# ------------------------------------------------------------------ numbers and words


def drawn(weights: Callable[[Tensor], Tensor], shape: Callable[[Tensor], Tensor]) -> Any:
    """A sampler with these weights, whose ids have this shape."""

    def sample_next(logits, temperature=1.0, generator=None):
        if temperature < 0:
            raise ValueError
        if temperature == 0:
            return logits.argmax(dim=1)
        return shape(torch.multinomial(weights(logits / temperature), 1, generator=generator))

    return sample_next


def test_ids_keep_their_axis_where_there_is_one_sequence() -> None:
    report = examined("sample_next", drawn(lambda s: s.softmax(1), Tensor.squeeze))
    assert "ids has shape (); it must be (1,) = (N,)" in said(report, "shapes")


def test_scores_that_overflow_are_refused_and_said_to() -> None:
    report = examined("sample_next", drawn(torch.exp, lambda ids: ids[:, 0]))
    assert failed(report) == ["large scores"]
    assert "exp of a large score overflows" in said(report, "large scores")


def test_a_loss_through_the_logarithm_of_a_softmax_is_not_finite() -> None:
    def masked_cross_entropy(logits, targets, lengths):
        real = torch.arange(len(targets))[:, None] < lengths
        picked = logits.softmax(-1).gather(-1, targets.where(real, 0)[..., None])[..., 0]
        return -(picked.log()[real]).sum() / real.sum()

    report = examined("masked_cross_entropy", masked_cross_entropy)
    assert failed(report) == ["finite at large scores"]
    assert "log of 0" in said(report, "finite at large scores")


def test_a_tanh_of_exponentials_is_no_number_at_large_inputs() -> None:
    def rnn_cell(x, h, w_ih, w_hh, b_ih, b_hh):
        s = x @ w_ih.T + h @ w_hh.T + b_ih + b_hh
        return (s.exp() - (-s).exp()) / (s.exp() + (-s).exp())

    report = examined("rnn_cell", rnn_cell)
    assert failed(report) == ["finite at large inputs"]
    assert "is not a number (NaN)" in said(report, "finite at large inputs")


def test_marks_in_a_text_keep_their_ids() -> None:
    def build_vocabulary(texts, max_size):
        words = [word for text in texts for word in text]
        by_count = sorted(set(words), key=lambda word: (-words.count(word), word))
        return {w: i for i, w in enumerate(["<pad>", "<unk>", *by_count[: max_size - 2]])}

    report = examined("build_vocabulary", build_vocabulary)
    assert failed(report) == ["texts that hold <pad> and <unk>"]
    assert "'<unk>', 'moon'" in said(report, "texts that hold <pad> and <unk>")


def test_a_dtype_is_told_by_its_name() -> None:
    report = examined("one_hot", lambda ids, vocab_size: torch.eye(vocab_size).long()[ids])
    told = said(report, "floats, no whole numbers")
    assert told.startswith("the result's dtype differs: yours is int64, it should be float32.")


def test_arguments_stand_beside_a_wrong_number_in_part_if_they_are_long() -> None:
    report = examined("skipgram_pairs", lambda ids, window: [])
    assert "window=1." in said(report, "a window of one")
    report = examined("build_vocabulary", lambda texts, max_size: {})
    assert "..., max_size=8." in said(report, "frequency, ties and the limit together")
