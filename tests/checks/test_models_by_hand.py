"""The references of `models` against figures from another route, and what its checks say."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from rnncourse._exercise import find
from rnncourse.checks import examine
from rnncourse.checks.plan import plan_of
from rnncourse.checks.plans.models.sampling import APART, DRAWS
from rnncourse.checks.plans.models.vocabulary import TABLE
from rnncourse.checks.report import Report
from tools.answers import solution


def reference(name: str) -> Any:
    return solution(name)


def examined(name: str, function: Any) -> Report:
    entry = find(name)
    entry.filled = function
    return examine(entry)


def changed(name: str, change: Any) -> Report:
    """The report of a right function whose result `change` alters."""
    return examined(name, lambda *a, **k: change(reference(name)(*a, **k)))


def said(report: Report) -> str:
    return " ".join(sentence for stage in report.stages for sentence in stage.sentences)


def failed(report: Report) -> set[str]:
    return {stage.name for stage in report.stages if stage.status == "failed"}


# ------------------------------------------------------------------ figures from another route


def test_a_vocabulary_by_hand() -> None:
    texts = [["b", "a", "c", "b"], ["c", "d"], ["b", "d", "e"]]  # b 3, c 2, d 2, a 1, e 1
    assert reference("build_vocabulary")(texts, 5) == {
        "<pad>": 0,
        "<unk>": 1,
        "b": 2,
        "c": 3,
        "d": 4,
    }


def test_padding_by_hand() -> None:
    sequences = [[1, 2, 3, 4], [5], [6, 7, 8]]
    batch, lengths = reference("pad")(sequences, 3, "pre", 9)
    assert batch.tolist() == [[2, 3, 4], [9, 9, 5], [6, 7, 8]]
    assert lengths.tolist() == [3, 1, 3]
    batch, lengths = reference("pad")(sequences, 3, "post")
    assert batch.tolist() == [[1, 2, 3], [5, 0, 0], [6, 7, 8]]
    assert lengths.tolist() == [3, 1, 3]


def test_flattening_by_hand() -> None:
    output = torch.tensor([[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10], [11, 12]]])
    wanted = [[1, 2, 7, 8], [3, 4, 9, 10], [5, 6, 11, 12]]
    assert reference("flatten_states")(output).tolist() == wanted


def loss_by_scalars(logits: Any, targets: Any, lengths: list[int]) -> float:
    """Step by step with plain numbers."""
    total = 0.0
    for n, length in enumerate(lengths):
        for t in range(length):
            scores = logits[t][n]
            total += math.log(sum(math.exp(s) for s in scores)) - scores[targets[t][n]]
    return total / sum(lengths)


def a_batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(4, 3, 5, generator=generator, dtype=torch.float64)
    targets = torch.randint(5, (4, 3), generator=generator)
    lengths = torch.tensor([4, 1, 2])
    targets[1:, 1] = -1
    targets[2:, 2] = 10**6
    return logits, targets, lengths


def test_the_masked_loss_against_plain_numbers() -> None:
    logits, targets, lengths = a_batch()
    loss = reference("masked_cross_entropy")(logits, targets, lengths)
    by_hand = loss_by_scalars(logits.tolist(), targets.tolist(), lengths.tolist())
    assert loss.item() == pytest.approx(by_hand, abs=1e-12)


def test_its_gradient_against_finite_differences() -> None:
    logits, targets, lengths = a_batch()
    logits.requires_grad_()
    reference("masked_cross_entropy")(logits, targets, lengths).backward()
    right, step = (targets.tolist(), lengths.tolist()), 1e-6
    for t, n, v in ((0, 0, 1), (3, 0, 4), (0, 1, 2), (1, 1, 0), (1, 2, 3), (3, 2, 3)):
        around = []
        for sign in (1, -1):
            moved = logits.detach().clone()
            moved[t, n, v] += sign * step
            around.append(loss_by_scalars(moved.tolist(), *right))
        slope = (around[0] - around[1]) / (2 * step)
        assert logits.grad is not None
        assert logits.grad[t, n, v].item() == pytest.approx(slope, abs=1e-8)
    assert not logits.grad[1:, 1].any() and not logits.grad[2:, 2].any()


def test_frequencies_against_the_formula() -> None:
    scores, temperature = [0.2, -1.0, 0.7, -math.inf], 0.5
    weights = [math.exp(s / temperature) for s in scores]
    rows = torch.tensor(scores).expand(DRAWS, 4)
    ids = reference("sample_next")(rows, temperature, torch.Generator().manual_seed(1))
    for word, weight in enumerate(weights):
        share = (ids == word).float().mean().item()
        assert share == pytest.approx(weight / sum(weights), abs=APART / 2)
    assert not (ids == 3).any()


def test_a_false_alarm_is_as_rare_as_the_comment_says() -> None:
    plan = plan_of("sample_next")
    stages = plan.stages_on(plan.fixtures(plan.sizes, torch.Generator().manual_seed(0)))
    cases = [case for stage in stages for case in stage.cases]
    compared = sum(case.inputs["logits"].numel() for case in cases)
    assert plan.relation.atol == APART
    assert compared * 4 * math.exp(-DRAWS * APART**2 / 2) < 1e-9


def test_decoding_by_hand() -> None:
    following = {0: 3, 3: 2, 2: 4, 4: 1}  # start 0, stop 1

    def step(id: int, state: int) -> tuple[torch.Tensor, int]:
        return torch.nn.functional.one_hot(torch.tensor(following[id]), 5).float(), state + 1

    assert reference("greedy_decode")(step, 0, 0, 1, 9) == [3, 2, 4]
    assert reference("greedy_decode")(step, 0, 0, 1, 2) == [3, 2]


def test_the_order_of_ties_shows_in_every_drawn_fixture() -> None:
    plan = plan_of("build_vocabulary")
    for seed in range(50):
        generator = torch.Generator().manual_seed(seed)
        for sizes in plan.drawn(generator)[:2]:
            fixture = plan.fixture(sizes, generator)
            seen = [TABLE[i] for i in fixture["texts"].flatten().tolist() if i >= 0]
            counts = {word: seen.count(word) for word in seen}
            kept = sorted(counts, key=lambda word: (-counts[word], word))
            by_appearance = sorted(counts, key=lambda word: -counts[word])
            turned = sorted(counts, key=lambda word: (counts[word], word), reverse=True)
            room = int(fixture["max_size"]) - 2
            assert kept[:room] != by_appearance[:room] != turned[:room] != kept[:room]
            assert len(counts) > room + 2


# ------------------------------------------------------------------ what the checks say


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda v: None, "it must return a dict; yours returns None: is the return missing?"),
        (lambda v: list(v), "it must return a dict; yours returns a list."),
        (lambda v: {i: w for w, i in v.items()}, "are words and ids the wrong way round?"),
        (lambda v: v | {"sun": 99}, "the dict holds 'sun', which is no word of the texts."),
        (lambda v: {w: str(i) for w, i in v.items()}, "must be a whole number (int); yours is a"),
    ],
)
def test_what_is_no_vocabulary_is_described(change: Any, sentence: str) -> None:
    assert sentence in said(changed("build_vocabulary", change))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda r: None, "yours returns None: is the return missing?"),
        (lambda r: r[0], "it must return batch, lengths; yours returns a Tensor of shape"),
        (lambda r: (r[0].tolist(), r[1]), "batch must be a tensor; yours is a list."),
        (lambda r: (r[0].numpy(), r[1]), "batch must be a tensor; yours is an ndarray of shape"),
        (lambda r: (r[0], r[1].tolist()), "lengths must be a tensor; yours is a list."),
        (lambda r: (r[0].float(), r[1]), "batch is float32; it must be int64."),
        (lambda r: (r[0].T, r[1]), "it must be (4, 6) = (N, length): the axes are in another"),
    ],
)
def test_what_is_no_batch_is_described(change: Any, sentence: str) -> None:
    assert sentence in said(changed("pad", change))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda loss: loss.item(), "loss must be a tensor; yours is a float."),
        (lambda loss: loss[None], "loss has shape (1,); it must be ()"),
        (lambda loss: loss.detach(), "no gradient can flow back"),
        (lambda loss: 1 / 0, "it raised ZeroDivisionError: division by zero"),
    ],
)
def test_what_is_no_loss_is_described(change: Any, sentence: str) -> None:
    assert sentence in said(changed("masked_cross_entropy", change))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda ids: ids.tolist(), "ids must be a tensor; yours is a list."),
        (lambda ids: ids.float(), "ids must be int64; yours is float32."),
        (lambda ids: ids[:, None], "ids has shape (3, 1); it must be (3,) = (N,): 2 axes"),
        (lambda ids: ids[0], "ids has shape ()"),
        (lambda ids: ids + 1, "an id is outside 0 to"),
    ],
)
def test_what_are_no_draws_is_described(change: Any, sentence: str) -> None:
    assert sentence in said(changed("sample_next", change))


def test_a_negative_temperature_is_named() -> None:
    def sample_next(logits, temperature=1.0, generator=None):
        return reference("sample_next")(logits, abs(temperature), generator)

    report = examined("sample_next", sample_next)
    assert "a negative temperature must raise ValueError; yours returns a Tensor" in said(report)
    stage = "a negative temperature is a ValueError"
    assert failed(report) == {stage, "all of it together"}


def test_a_generator_that_is_not_used_is_said() -> None:
    def sample_next(logits, temperature=1.0, generator=None):
        return reference("sample_next")(logits, temperature)

    report = examined("sample_next", sample_next)
    assert "torch's own random stream is drawn from or seeded" in said(report)
    assert "the generator is the only source of chance" in failed(report)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda ids: torch.tensor(ids), "ids must be a list; yours is a Tensor of shape"),
        (lambda ids: None, "ids must be a list; yours is None: is the return missing?"),
        (lambda ids: [float(i) for i in ids], "must be a list of whole numbers (int)"),
    ],
)
def test_what_is_no_sentence_is_described(change: Any, sentence: str) -> None:
    assert sentence in said(changed("greedy_decode", change))


def test_a_loop_without_an_end_is_described() -> None:
    def greedy_decode(step, state, start_id, stop_id, max_length):
        while True:
            _, state = step(start_id, state)

    report = examined("greedy_decode", greedy_decode)
    assert "step is called again and again: does the loop ever stop?" in said(report)


def test_a_check_of_chance_leaves_torchs_stream_alone() -> None:
    find("sample_next").filled = reference("sample_next")
    torch.manual_seed(0)
    wanted = torch.rand(3)
    torch.manual_seed(0)
    assert examine(find("sample_next")).complete
    assert torch.equal(torch.rand(3), wanted)


@pytest.mark.parametrize("name", ["build_vocabulary", "pad", "sample_next"])
def test_a_change_of_what_was_given_is_said(name: str) -> None:
    def spoiling(first, *rest, **named):
        result = reference(name)(first, *rest, **named)
        if isinstance(first, torch.Tensor):
            first.add_(1)
        else:
            first[0].append(first[0][0])
        return result

    entry = find(name)
    first = next(iter(entry.signature.parameters))
    entry.filled = lambda **named: spoiling(named.pop(first), **named)
    assert failed(examine(entry)) == {"leaves its inputs unchanged"}
