"""The references of the chapter embedding, against figures from another route; and what its checks
say of answers that are none."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from rnncourse._exercise import find
from rnncourse.checks import examine
from rnncourse.checks.fingerprints import load
from rnncourse.checks.report import Report
from tools.answers import solution

ONE_HOT, EMBED, BACKWARD, PAIRS, LOSS, ANALOGY = (
    solution(name)
    for name in (
        "one_hot",
        "embed",
        "embed_backward",
        "skipgram_pairs",
        "negative_sampling_loss",
        "analogy",
    )
)


# ------------------------------------------------------------------ by hand


def test_one_hot_of_two_texts() -> None:
    found = ONE_HOT(torch.tensor([[2, 0], [1, 1]]), 3)
    assert found.tolist() == [[[0, 0, 1], [1, 0, 0]], [[0, 1, 0], [0, 1, 0]]]
    assert found.dtype == torch.get_default_dtype()


def test_embed_takes_rows() -> None:
    weight = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert EMBED(torch.tensor([2, 0, 2]), weight).tolist() == [[5, 6], [1, 2], [5, 6]]
    assert EMBED(torch.tensor(1), weight).tolist() == [3, 4]


def test_the_way_back_against_finite_differences() -> None:
    """A loss of the vectors, with one number of the weight moved at a time."""
    ids, step = torch.tensor([[1, 3], [1, 0]]), 1e-6
    weight = torch.linspace(-1, 1, 10, dtype=torch.float64).view(5, 2)
    share = torch.linspace(0.5, 2, 8, dtype=torch.float64).view(2, 2, 2)

    def loss(table: torch.Tensor) -> float:
        return float((EMBED(ids, table) ** 2 * share).sum())

    slopes = torch.zeros_like(weight)
    for place in range(weight.numel()):
        moved = torch.zeros_like(weight)
        moved.view(-1)[place] = step
        slopes.view(-1)[place] = (loss(weight + moved) - loss(weight - moved)) / (2 * step)
    grad = BACKWARD(2 * EMBED(ids, weight) * share, ids, 5)
    assert torch.allclose(grad, slopes, atol=1e-8)
    assert BACKWARD(share, ids, 5, padding_idx=1)[1].tolist() == [0, 0]
    assert BACKWARD(share, ids, 5, padding_idx=0)[0].tolist() == [0, 0]
    assert BACKWARD(share, ids, 5)[0].tolist() == share[1, 1].tolist()


def test_pairs_of_a_short_text() -> None:
    """Text 7 8 7 9, window 2: the 7s are neighbours of each other, 7 and 9 at the ends are not."""
    wanted = [(7, 8), (7, 7)] + [(8, 7), (8, 7), (8, 9)] + [(7, 7), (7, 8), (7, 9)]
    assert sorted(PAIRS([7, 8, 7, 9], 2)) == sorted([*wanted, (9, 7), (9, 8)])
    assert PAIRS([7], 3) == []


def test_the_loss_with_scalars() -> None:
    centre = [[0.5, -1.0], [2.0, 0.25]]
    context = [[1.5, 0.5], [-1.0, 0.75]]
    negatives = [[[1.0, 1.0], [-0.5, 2.0], [0.0, 3.0]], [[0.25, 0.5], [1.0, -1.0], [2.0, 0.0]]]

    def log_sigmoid(z: float) -> float:
        return -math.log(1 + math.exp(-z))

    def dot(u: list[float], v: list[float]) -> float:
        return sum(x * y for x, y in zip(u, v, strict=True))

    total = sum(
        log_sigmoid(dot(c, o)) + sum(log_sigmoid(-dot(c, n)) for n in ns)
        for c, o, ns in zip(centre, context, negatives, strict=True)
    )
    found = LOSS(*map(torch.tensor, (centre, context, negatives)))
    assert found.shape == ()
    assert float(found) == pytest.approx(-total / 2, rel=1e-5)


def test_the_loss_at_large_scores_is_the_scores_themselves() -> None:
    """log sigmoid(-500) is -500: the rest is far below what a float can show."""
    centre, context = torch.tensor([[25.0]]), torch.tensor([[-20.0]])
    loss = LOSS(centre, context, torch.tensor([[[20.0], [40.0]]]))
    assert float(loss) == pytest.approx(500 + 500 + 1000, rel=1e-5)


def test_an_analogy_on_paper() -> None:
    """Arrows on a clock face: from 12 to 2 as from 4 to 6. The arrow at 7 is much longer."""

    def arrow(hour: float, length: float) -> list[float]:
        turn = 2 * math.pi * hour / 12
        return [length * math.sin(turn), length * math.cos(turn)]

    hours = [(12, 1), (2, 3), (4, 0.5), (6, 0.25), (7, 9), (9.5, 1)]
    weight = torch.tensor([arrow(*hour) for hour in hours])
    # (12 -> 2) added to 4: (0.866 - 0 + 0.866, 0.5 - 1 - 0.5) points to 4; then come 6, 7, 9.5.
    assert ANALOGY(weight, 0, 1, 2, k=3) == [3, 4, 5]
    # (4 -> 2) added to 12: (0, 0.5 + 0.5 + 1) points to 12; 9.5 is nearest, then 7, then 6.
    assert ANALOGY(weight, 2, 1, 0, k=3) == [5, 4, 3]
    assert ANALOGY(weight, 2, 1, 0) == [5]


def test_no_stored_question_has_two_answers() -> None:
    """Cosines that decide the order are far apart, so rounding cannot change it."""
    for fixture in load("embedding")["analogy"].fixtures:
        unit = torch.nn.functional.normalize(fixture["weight"].double(), dim=1)
        for a, b, c in fixture["questions"].tolist():
            rest = [word for word in range(len(unit)) if word not in (a, b, c)]
            cosines = (unit[rest] @ (unit[b] - unit[a] + unit[c])).sort(descending=True).values
            asked = cosines[: int(fixture["k"]) + 1]
            assert len(asked) < 2 or (asked[:-1] - asked[1:]).min() > 1e-3


# ------------------------------------------------------------------ what is said


def said(name: str, change: Any, stage: int = 0) -> str:
    """What the check says in a stage of a right answer whose result `change` alters."""
    right, entry = solution(name), find(name)
    entry.filled = lambda *a, **k: change(right(*a, **k))
    report: Report = examine(entry)
    assert not report.complete
    return " ".join(report.stages[stage].sentences)


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("one_hot", lambda r: None, "the result must be a tensor; yours is None: is the return"),
        ("one_hot", lambda r: r.tolist(), "the result must be a tensor; yours is a list."),
        ("embed", lambda r: r.numpy(), "the result must be a tensor; yours is an ndarray of shape"),
        ("embed", lambda r: (r, r), "the result must be a tensor; yours is a tuple."),
        ("embed_backward", lambda r: r[:-1], "the gradient has shape (5, 5); it must be (6, 5)"),
        ("skipgram_pairs", torch.tensor, "pairs must be a list; yours is a Tensor of shape"),
        ("skipgram_pairs", lambda r: [x for pair in r for x in pair], "each of pairs must be a"),
        ("negative_sampling_loss", lambda r: r.item(), "loss must be a tensor; yours is a float."),
        ("negative_sampling_loss", lambda r: r[None], "loss has shape (1,); it must be ()"),
        ("analogy", lambda r: r[0], "the answer must be a list; yours is an int."),
        ("analogy", torch.tensor, "the answer must be a list; yours is a Tensor of shape (1,)."),
    ],
)
def test_what_is_no_answer_is_described(name: str, change: Any, sentence: str) -> None:
    assert sentence in said(name, change)


def test_an_exception_comes_with_its_line() -> None:
    def embed(ids, weight):
        return weight.T[:, ids] @ weight

    entry = find("embed")
    entry.filled = embed
    sentences = " ".join(examine(entry).stages[0].sentences)
    assert "it raised RuntimeError" in sentences
    assert (
        "in embed:  return weight.T[:, ids] @ weight  — Given: ids (3, 4), weight (6, 5)."
        in sentences
    )


def test_a_wrong_dtype_is_said_where_it_is_asked_for() -> None:
    stage = [s.name for s in examine(find("one_hot")).stages].index("floats, no whole numbers")
    sentence = "the result's dtype differs: yours is float64, it should be float32."
    assert sentence in said("one_hot", torch.Tensor.double, stage)
    half = solution("embed")
    find("embed").filled = lambda ids, weight: half(ids, weight.float())
    report = examine(find("embed"))
    told = {s.name: s.sentences for s in report.stages}
    assert told["float64 in, float64 out"] == ("the result is float32 for inputs of float64.",)


def test_a_shape_is_named_by_its_axes_only_where_it_has_them() -> None:
    def embed(ids, weight):
        rows = weight[ids]
        return rows if ids.ndim == 2 else rows[None]

    find("embed").filled = embed
    told = {s.name: " ".join(s.sentences) for s in examine(find("embed")).stages}
    assert "it must be (5,): 2 axes instead of 1." in told["ids of any shape"]


def test_an_infinite_loss_is_named_and_shown() -> None:
    def negative_sampling_loss(centre, context, negatives):
        near, far = (centre * context).sum(1), (negatives * centre[:, None]).sum(2)
        return -(torch.sigmoid(near).log() + torch.sigmoid(-far).log().sum(1)).mean()

    find("negative_sampling_loss").filled = negative_sampling_loss
    report = examine(find("negative_sampling_loss"))
    told = {s.name: " ".join(s.sentences) for s in report.stages}
    large = told["finite at large scores"]
    assert large.startswith("loss at large scores differs: yours is inf, it should be ")
    assert told["the whole loss"] == ""
    assert report.mistake and report.mistake.id == "log_of_sigmoid"


def test_wrong_pairs_are_wrong_only_where_it_shows() -> None:
    def skipgram_pairs(ids, window):
        return [pair for pair in PAIRS(ids, window) if pair[0] != pair[1]]

    find("skipgram_pairs").filled = skipgram_pairs
    status = {s.name: s.status for s in examine(find("skipgram_pairs")).stages}
    assert status["one word again and again"] == status["a wider window"] == "failed"
    assert status["a text of one word"] == "passed"


def test_padding_idx_0_and_none_are_two_things() -> None:
    def embed_backward(grad_output, ids, vocab_size, padding_idx=None):
        grad = BACKWARD(grad_output, ids, vocab_size)
        if padding_idx:
            grad[padding_idx] = 0
        return grad

    find("embed_backward").filled = embed_backward
    report = examine(find("embed_backward"))
    assert [s.name for s in report.stages if s.status == "failed"] == ["padding_idx"]
    assert report.mistake and report.mistake.id == "zero_taken_for_none"
