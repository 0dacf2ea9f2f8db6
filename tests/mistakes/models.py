"""Known mistakes in the exercises of `rnncourse.models`, and right answers in other styles.

Parameters have the exercises' names and order. What a mistake does wrong stands in its sentence.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import honest, mistake

# ------------------------------------------------------------------ build_vocabulary: mistakes


def _counted(texts: list[list[str]]) -> Counter[str]:
    return Counter(itertools.chain.from_iterable(texts))


def _numbered(words: Iterable[str], max_size: int) -> dict[str, int]:
    """The words in this order behind padding and unknown, as many as there is room for."""
    kept = [*words][: max_size - 2]
    return {word: id for id, word in enumerate(("<pad>", "<unk>", *kept))}


def _ordered(texts: list[list[str]]) -> list[str]:
    counts = _counted(texts)
    return sorted(counts, key=lambda word: (-counts[word], word))


@mistake(
    "build_vocabulary",
    "ties_by_first_appearance",
    "Words of one frequency stand as they first appear, as most_common gives them; "
    "sort them by the alphabet.",
)
def ties_by_first_appearance(texts, max_size):
    return _numbered([word for word, _ in _counted(texts).most_common()], max_size)


@mistake(
    "build_vocabulary",
    "ties_turned_round",
    "Words of one frequency stand from z to a: reverse=True turns the alphabet round as well.",
)
def ties_turned_round(texts, max_size):
    counts = _counted(texts)
    words = sorted(counts, key=lambda word: (counts[word], word), reverse=True)
    return _numbered(words, max_size)


@mistake(
    "build_vocabulary",
    "limit_without_special_ids",
    "max_size words are kept, and padding and unknown come on top: they count as well.",
)
def limit_without_special_ids(texts, max_size):
    return _numbered(_ordered(texts), max_size + 2)


@mistake(
    "build_vocabulary",
    "limit_ignored",
    "Every word has an id: max_size says how many ids there may be.",
)
def limit_ignored(texts, max_size):
    return _numbered(_ordered(texts), 10**6)


@mistake(
    "build_vocabulary",
    "rarest_first",
    "The rarest words come first; the most frequent ones must.",
)
def rarest_first(texts, max_size):
    counts = _counted(texts)
    return _numbered(sorted(counts, key=lambda word: (counts[word], word)), max_size)


@mistake(
    "build_vocabulary",
    "alphabet_alone",
    "The words are sorted by the alphabet alone; frequency comes first.",
)
def alphabet_alone(texts, max_size):
    return _numbered(sorted(_counted(texts)), max_size)


@mistake(
    "build_vocabulary",
    "in_order_of_appearance",
    "The words stand in the order in which they appear; the most frequent come first.",
)
def in_order_of_appearance(texts, max_size):
    return _numbered(dict.fromkeys(itertools.chain.from_iterable(texts)), max_size)


@mistake(
    "build_vocabulary",
    "kept_words_sorted_again",
    "The right words are kept, but then sorted by the alphabet; ids follow the frequency.",
)
def kept_words_sorted_again(texts, max_size):
    return _numbered(sorted(_ordered(texts)[: max_size - 2]), max_size)


@mistake(
    "build_vocabulary",
    "ids_from_zero",
    "The words' ids start at 0, where padding is: 0 and 1 are taken, words start at 2.",
)
def ids_from_zero(texts, max_size):
    words = _ordered(texts)[: max_size - 2]
    return {"<pad>": 0, "<unk>": 1} | {word: id for id, word in enumerate(words)}


@mistake(
    "build_vocabulary",
    "special_ids_missing",
    'The words start at 2, but "<pad>" and "<unk>" themselves are not in the dict.',
)
def special_ids_missing(texts, max_size):
    return {word: id for id, word in enumerate(_ordered(texts)[: max_size - 2], start=2)}


@mistake(
    "build_vocabulary",
    "special_ids_swapped",
    'Padding and unknown change places: "<pad>" is 0, "<unk>" is 1.',
)
def special_ids_swapped(texts, max_size):
    return _numbered(_ordered(texts), max_size) | {"<unk>": 0, "<pad>": 1}


@mistake(
    "build_vocabulary",
    "special_ids_at_the_end",
    "Padding and unknown come behind the words; they have the ids 0 and 1.",
)
def special_ids_at_the_end(texts, max_size):
    words = [*_ordered(texts)[: max_size - 2], "<pad>", "<unk>"]
    return {word: id for id, word in enumerate(words)}


@mistake(
    "build_vocabulary",
    "last_text_alone",
    "Only the last text is counted: the count must go on from text to text.",
)
def last_text_alone(texts, max_size):
    return _numbered(_ordered(texts[-1:]), max_size)


@mistake(
    "build_vocabulary",
    "first_text_alone",
    "Only the first text is counted: is the return inside the loop?",
)
def first_text_alone(texts, max_size):
    return _numbered(_ordered(texts[:1]), max_size)


# ------------------------------------------------------------------ build_vocabulary: other styles


@honest("build_vocabulary")
def counter_and_sort(texts, max_size):
    counts = Counter(word for text in texts for word in text)
    words = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: max_size - 2]
    return {"<pad>": 0, "<unk>": 1, **{word: i + 2 for i, (word, _) in enumerate(words)}}


@honest("build_vocabulary")
def sorted_twice(texts, max_size):
    counts: defaultdict[str, int] = defaultdict(int)
    for text in texts:
        for word in text:
            counts[word] += 1
    words = sorted(counts)
    words.sort(key=counts.__getitem__, reverse=True)
    vocabulary = {"<pad>": 0, "<unk>": 1}
    for word in words:
        if len(vocabulary) == max_size:
            break
        vocabulary[word] = len(vocabulary)
    return vocabulary


@honest("build_vocabulary")
def from_a_heap(texts, max_size):
    counts = Counter()
    for text in texts:
        counts.update(text)
    best = heapq.nsmallest(max_size - 2, ((-n, word) for word, n in counts.items()))
    return dict(zip(["<pad>", "<unk>"] + [word for _, word in best], itertools.count()))


@honest("build_vocabulary")
def one_after_the_other(texts, max_size):
    everything = [word for text in texts for word in text]
    left, found = set(everything), ["<pad>", "<unk>"]
    while left and len(found) < max_size:
        most = max(everything.count(word) for word in left)
        word = min(word for word in left if everything.count(word) == most)
        found.append(word)
        left.remove(word)
    return {found[i]: i for i in range(len(found))}


@honest("build_vocabulary")
def grouped(texts, max_size):
    runs = itertools.groupby(sorted(itertools.chain(*texts)))
    counts = [(word, len(list(run))) for word, run in runs]
    counts.sort(key=lambda pair: -pair[1])
    words = ["<pad>", "<unk>"]
    words.extend(word for word, _ in counts)
    return {word: words.index(word) for word in words[:max_size]}


# ------------------------------------------------------------------ pad: mistakes


def _rows(rows: list[list[int]], sequences: list[list[int]], length: int) -> tuple[Tensor, Tensor]:
    return torch.tensor(rows), torch.tensor([min(len(ids), length) for ids in sequences])


def _cut(ids: list[int], length: int, side: str) -> list[int]:
    return ids[-length:] if side == "pre" else ids[:length]


def _filled(ids: list[int], length: int, side: str, value: int) -> list[int]:
    more = [value] * (length - len(ids))
    return more + ids if side == "pre" else ids + more


def _other(side: str) -> str:
    return "post" if side == "pre" else "pre"


@mistake("pad", "sides_swapped", 'The sides are swapped: "pre" is in front, "post" is behind.')
def sides_swapped(sequences, length, side, value=0):
    return rows_of_lists(sequences, length, _other(side), value)


@mistake("pad", "always_behind", 'Padding and cutting are always behind; "pre" means in front.')
def always_behind(sequences, length, side, value=0):
    return rows_of_lists(sequences, length, "post", value)


@mistake("pad", "always_in_front", 'Padding and cutting are always in front; "post" means behind.')
def always_in_front(sequences, length, side, value=0):
    return rows_of_lists(sequences, length, "pre", value)


@mistake(
    "pad",
    "cut_on_the_other_side",
    "Padding is right, but long ones are cut on the other side; here both are on one side.",
)
def cut_on_the_other_side(sequences, length, side, value=0):
    rows = [_filled(_cut(s, length, _other(side)), length, side, value) for s in sequences]
    return _rows(rows, sequences, length)


@mistake(
    "pad",
    "always_cut_behind",
    "Padding is right, but long ones are always cut behind: with side pre the last ids are kept.",
)
def always_cut_behind(sequences, length, side, value=0):
    rows = [_filled(s[:length], length, side, value) for s in sequences]
    return _rows(rows, sequences, length)


@mistake(
    "pad",
    "always_cut_in_front",
    "Padding is right, but long ones are always cut in front: with side post the first are kept.",
)
def always_cut_in_front(sequences, length, side, value=0):
    rows = [_filled(s[-length:], length, side, value) for s in sequences]
    return _rows(rows, sequences, length)


@mistake(
    "pad",
    "always_padded_behind",
    "Long ones are cut at the right side, but short ones are always padded behind.",
)
def always_padded_behind(sequences, length, side, value=0):
    rows = [_filled(_cut(s, length, side), length, "post", value) for s in sequences]
    return _rows(rows, sequences, length)


@mistake("pad", "value_ignored", "Padding is always 0; it must be the value that is given.")
def value_ignored(sequences, length, side, value=0):
    return rows_of_lists(sequences, length, side, 0)


@mistake(
    "pad",
    "lengths_before_the_cut",
    "lengths holds how long the sequences were; a row that was cut holds only `length` ids.",
)
def lengths_before_the_cut(sequences, length, side, value=0):
    batch, _ = rows_of_lists(sequences, length, side, value)
    return batch, torch.tensor([len(ids) for ids in sequences])


@mistake(
    "pad",
    "lengths_of_the_rows",
    "lengths holds `length` for every row; it must count only the real ids in it.",
)
def lengths_of_the_rows(sequences, length, side, value=0):
    batch, lengths = rows_of_lists(sequences, length, side, value)
    return batch, torch.full_like(lengths, length)


@mistake(
    "pad",
    "lengths_of_the_padding",
    "lengths counts the padding; it must count the real ids.",
)
def lengths_of_the_padding(sequences, length, side, value=0):
    batch, lengths = rows_of_lists(sequences, length, side, value)
    return batch, length - lengths


@mistake(
    "pad",
    "lengths_by_the_value",
    "lengths leaves out real ids that equal the padding value: count before you pad.",
)
def lengths_by_the_value(sequences, length, side, value=0):
    batch, _ = rows_of_lists(sequences, length, side, value)
    return batch, (batch != value).sum(1)


@mistake("pad", "time_first", "batch is (length, N); here the sequences are its rows: (N, length).")
def time_first(sequences, length, side, value=0):
    batch, lengths = rows_of_lists(sequences, length, side, value)
    return batch.T, lengths


# ------------------------------------------------------------------ pad: other styles


@honest("pad")
def rows_of_lists(sequences, length, side, value=0):
    rows, lengths = [], []
    for ids in sequences:
        kept = ids[-length:] if side == "pre" else ids[:length]
        padding = [value] * (length - len(kept))
        rows.append(padding + kept if side == "pre" else kept + padding)
        lengths.append(len(kept))
    return torch.tensor(rows), torch.tensor(lengths)


@honest("pad")
def written_into_a_full_tensor(sequences, length, side, value=0):
    batch = torch.full((len(sequences), length), value, dtype=torch.int64)
    lengths = torch.zeros(len(sequences), dtype=torch.int64)
    for n, ids in enumerate(sequences):
        k = min(len(ids), length)
        lengths[n] = k
        if side == "post":
            batch[n, :k] = torch.tensor(ids[:k])
        else:
            batch[n, length - k :] = torch.tensor(ids[len(ids) - k :])
    return batch, lengths


@honest("pad")
def with_torchs_pad(sequences, length, side, value=0):
    rows = []
    for ids in sequences:
        missing = length - len(ids)  # negative: F.pad then cuts
        around = (missing, 0) if side == "pre" else (0, missing)
        rows.append(F.pad(torch.tensor(ids), around, value=value))
    return torch.stack(rows), torch.tensor([len(ids) for ids in sequences]).clamp(max=length)


@honest("pad")
def with_pad_sequence(sequences, length, side, value=0):
    turn = -1 if side == "pre" else 1
    kept = [torch.tensor(ids[::turn][:length]) for ids in sequences]
    longest = torch.zeros(length, dtype=torch.int64)
    batch = nn.utils.rnn.pad_sequence([*kept, longest], batch_first=True, padding_value=value)[:-1]
    return (batch.flip(1) if side == "pre" else batch), torch.tensor([len(k) for k in kept])


@honest("pad")
def place_by_place(sequences, length, side, value=0):
    def at(ids: list[int], place: int) -> int:
        index = place + (len(ids) - length if side == "pre" else 0)
        return ids[index] if 0 <= index < len(ids) else value

    batch = torch.tensor([[at(ids, place) for place in range(length)] for ids in sequences])
    return batch, torch.tensor([length if len(ids) > length else len(ids) for ids in sequences])


# ------------------------------------------------------------------ flatten_states: mistakes


@mistake(
    "flatten_states",
    "batch_and_time_mixed",
    "The shape is right, but batch and time are mixed up: reshape does not swap axes. "
    "Swap them first.",
)
def batch_and_time_mixed(output):
    return output.reshape(output.shape[1], -1)


@mistake(
    "flatten_states",
    "steps_as_rows",
    "A row holds a step of all sequences; it must hold all steps of a sequence: swap the axes "
    "first.",
)
def steps_as_rows(output):
    return output.flatten(1)


@mistake(
    "flatten_states",
    "unit_by_unit",
    "A row goes unit by unit through time; it must go step by step: all units of step 0 first.",
)
def unit_by_unit(output):
    return output.permute(1, 2, 0).flatten(1)


@mistake(
    "flatten_states",
    "last_state_alone",
    "Only the state of the last step is there; all of them belong in the row.",
)
def last_state_alone(output):
    return output[-1]


@mistake(
    "flatten_states",
    "first_state_alone",
    "Only the state of the first step is there; all of them belong in the row.",
)
def first_state_alone(output):
    return output[0]


@mistake(
    "flatten_states",
    "mean_over_time",
    "The states are averaged over time; they must stand side by side.",
)
def mean_over_time(output):
    return output.mean(0)


@mistake(
    "flatten_states",
    "sum_over_time",
    "The states are added up over time; they must stand side by side.",
)
def sum_over_time(output):
    return output.sum(0)


@mistake(
    "flatten_states",
    "last_step_first",
    "The steps stand in the reverse order; step 0 comes first.",
)
def last_step_first(output):
    return output.flip(0).transpose(0, 1).flatten(1)


@mistake(
    "flatten_states",
    "batch_flattened_too",
    "Everything is in one row; each sequence has a row of its own: (N, T · H).",
)
def batch_flattened_too(output):
    return output.transpose(0, 1).flatten()


@mistake(
    "flatten_states",
    "not_flattened",
    "The axes are swapped, but time and units are still two axes: flatten them into one.",
)
def not_flattened(output):
    return output.transpose(0, 1)


@mistake(
    "flatten_states",
    "columns_for_rows",
    "The result is (T · H, N); each sequence is a row: (N, T · H).",
)
def columns_for_rows(output):
    return output.transpose(0, 1).flatten(1).T


# ------------------------------------------------------------------ flatten_states: other styles


@honest("flatten_states")
def side_by_side(output):
    return torch.cat(list(output), dim=1)


@honest("flatten_states")
def batch_first(output):
    length, batch, width = output.shape
    return output.permute(1, 0, 2).reshape(batch, length * width)


@honest("flatten_states")
def with_a_module(output):
    return nn.Flatten()(output.transpose(0, 1))


@honest("flatten_states")
def sequence_by_sequence(output):
    return torch.stack([output[:, n].reshape(-1) for n in range(output.shape[1])])


@honest("flatten_states")
def written_into_place(output):
    length, batch, width = output.shape
    rows = output.new_empty(batch, length * width)
    for t in range(length):
        rows[:, t * width : (t + 1) * width] = output[t]
    return rows


@honest("flatten_states")
def stacked_along_the_batch(output):
    return torch.stack(output.unbind(), 1).contiguous().view(output.size(1), -1)


# ------------------------------------------------------------------ masked_cross_entropy: mistakes


def _each(logits: Tensor, targets: Tensor) -> Tensor:
    """The cross-entropy of every step, (T, N)."""
    log_odds = logits.log_softmax(-1)
    return -log_odds.gather(-1, targets.clamp(0, logits.shape[-1] - 1)[..., None])[..., 0]


def _real(targets: Tensor, lengths: Tensor) -> Tensor:
    return torch.arange(len(targets), device=targets.device)[:, None] < lengths


def _mean_where(each: Tensor, real: Tensor) -> Tensor:
    return (each * real).sum() / real.sum()


@mistake(
    "masked_cross_entropy",
    "padding_counted",
    "The steps behind the ends count as well; leave them out of the sum and of the number.",
)
def padding_counted(logits, targets, lengths):
    return _each(logits, targets).mean()


@mistake(
    "masked_cross_entropy",
    "divided_by_all_steps",
    "The sum is right, but it is divided by all T · N steps: divide by the number of real ones.",
)
def divided_by_all_steps(logits, targets, lengths):
    return (_each(logits, targets) * _real(targets, lengths)).mean()


@mistake(
    "masked_cross_entropy",
    "mean_of_means",
    "This is the mean over sequences of their own means; each real step must weigh the same.",
)
def mean_of_means(logits, targets, lengths):
    return ((_each(logits, targets) * _real(targets, lengths)).sum(0) / lengths).mean()


@mistake(
    "masked_cross_entropy",
    "mean_of_step_means",
    "This is the mean over steps of their own means; each real step must weigh the same.",
)
def mean_of_step_means(logits, targets, lengths):
    real = _real(targets, lengths)
    alive = real.any(1)
    sums = (_each(logits, targets) * real).sum(1)
    return (sums[alive] / real.sum(1)[alive]).mean()


@mistake(
    "masked_cross_entropy",
    "sum_without_division",
    "This is the sum over the real steps; divide it by their number.",
)
def sum_without_division(logits, targets, lengths):
    return (_each(logits, targets) * _real(targets, lengths)).sum()


@mistake(
    "masked_cross_entropy",
    "divided_by_the_batch",
    "The sum is divided by the number of sequences; divide it by the number of real steps.",
)
def divided_by_the_batch(logits, targets, lengths):
    return (_each(logits, targets) * _real(targets, lengths)).sum() / len(lengths)


@mistake(
    "masked_cross_entropy",
    "divided_by_the_steps",
    "The sum is divided by T; divide it by the number of real steps.",
)
def divided_by_the_steps(logits, targets, lengths):
    return (_each(logits, targets) * _real(targets, lengths)).sum() / len(targets)


@mistake(
    "masked_cross_entropy",
    "one_step_too_many",
    "The first step behind each end counts as well: steps 0 to length - 1 are real.",
)
def one_step_too_many(logits, targets, lengths):
    return _mean_where(_each(logits, targets), _real(targets, lengths + 1))


@mistake(
    "masked_cross_entropy",
    "one_step_too_few",
    "The last real step of each sequence is left out: steps 0 to length - 1 are real.",
)
def one_step_too_few(logits, targets, lengths):
    return _mean_where(_each(logits, targets), _real(targets, lengths - 1))


@mistake(
    "masked_cross_entropy",
    "padding_in_front",
    "The first steps are left out, as if padding stood in front; here it stands at the end.",
)
def padding_in_front(logits, targets, lengths):
    return _mean_where(_each(logits, targets), _real(targets, lengths).flip(0))


@mistake(
    "masked_cross_entropy",
    "padding_alone_counted",
    "Only the steps behind the ends count: the mask is the wrong way round.",
)
def padding_alone_counted(logits, targets, lengths):
    return _mean_where(_each(logits, targets), ~_real(targets, lengths))


@mistake(
    "masked_cross_entropy",
    "softmax_over_time",
    "softmax runs over time; it must run over the words, the last axis.",
)
def softmax_over_time(logits, targets, lengths):
    log_odds = logits.log_softmax(0)
    each = -log_odds.gather(-1, targets[..., None])[..., 0]
    return _mean_where(each, _real(targets, lengths))


@mistake(
    "masked_cross_entropy",
    "softmax_over_the_batch",
    "softmax runs over the batch; it must run over the words, the last axis.",
)
def softmax_over_the_batch(logits, targets, lengths):
    log_odds = logits.log_softmax(1)
    each = -log_odds.gather(-1, targets[..., None])[..., 0]
    return _mean_where(each, _real(targets, lengths))


@mistake(
    "masked_cross_entropy",
    "softmax_twice",
    "softmax is applied twice: cross_entropy takes the scores as they are.",
)
def softmax_twice(logits, targets, lengths):
    return _mean_where(_each(logits.softmax(-1), targets), _real(targets, lengths))


@mistake(
    "masked_cross_entropy",
    "softmax_forgotten",
    "This is the mean of the scores themselves; nll_loss wants their log_softmax.",
)
def softmax_forgotten(logits, targets, lengths):
    each = -logits.gather(-1, targets[..., None])[..., 0]
    return _mean_where(each, _real(targets, lengths))


@mistake("masked_cross_entropy", "sign_forgotten", "The sign is wrong: a loss is minus the log.")
def sign_forgotten(logits, targets, lengths):
    return -_mean_where(_each(logits, targets), _real(targets, lengths))


@mistake(
    "masked_cross_entropy",
    "scores_set_to_zero",
    "Scores of 0 behind the ends are no mask: each still costs log V. Leave those steps out.",
)
def scores_set_to_zero(logits, targets, lengths):
    return _each(logits * _real(targets, lengths)[..., None], targets).mean()


@mistake(
    "masked_cross_entropy",
    "id_zero_as_padding",
    "Steps with the target 0 are left out; which steps are real is said by lengths, not by ids.",
)
def id_zero_as_padding(logits, targets, lengths):
    return _mean_where(_each(logits, targets), targets != 0)


@mistake(
    "masked_cross_entropy",
    "a_loss_for_each_sequence",
    "There is a loss for each sequence; the result is one number for the whole batch.",
)
def a_loss_for_each_sequence(logits, targets, lengths):
    return (_each(logits, targets) * _real(targets, lengths)).sum(0) / lengths


# ---------------------------------------------------------- masked_cross_entropy: other styles


@honest("masked_cross_entropy")
def ignored_by_torch(logits, targets, lengths):
    steps = torch.arange(targets.shape[0], device=targets.device).unsqueeze(1)
    kept = targets.masked_fill(steps >= lengths, -100)
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), kept.reshape(-1))


@honest("masked_cross_entropy")
def chosen_by_a_mask(logits, targets, lengths):
    real = torch.arange(len(targets), device=targets.device)[:, None] < lengths[None]
    return F.cross_entropy(logits[real], targets[real])


@honest("masked_cross_entropy")
def sequence_after_sequence(logits, targets, lengths):
    total = 0
    for n, length in enumerate(lengths.tolist()):
        total = total + F.cross_entropy(logits[:length, n], targets[:length, n], reduction="sum")
    return total / lengths.sum()


@honest("masked_cross_entropy")
def by_the_formula(logits, targets, lengths):
    chosen = targets.clamp(0, logits.shape[-1] - 1).unsqueeze(-1)
    each = torch.logsumexp(logits, dim=-1) - logits.gather(-1, chosen).squeeze(-1)
    step = torch.arange(len(targets), device=lengths.device)
    weight = (step.unsqueeze(1) < lengths).to(logits.dtype)
    return (each * weight).sum() / weight.sum()


@honest("masked_cross_entropy")
def packed_together(logits, targets, lengths):
    def pack(x: Tensor) -> Tensor:
        return nn.utils.rnn.pack_padded_sequence(x, lengths.cpu(), enforce_sorted=False).data

    return F.nll_loss(F.log_softmax(pack(logits), dim=1), pack(targets))


@honest("masked_cross_entropy")
def with_one_hot_targets(logits, targets, lengths):
    words = torch.arange(logits.shape[2], device=targets.device)
    right = (targets.unsqueeze(2) == words) & (
        torch.arange(len(targets), device=targets.device)[:, None, None] < lengths[:, None]
    )
    return -torch.where(right, logits.log_softmax(2), 0.0).sum() / lengths.sum()


# ------------------------------------------------------------------ sample_next: mistakes


def _drawn(odds: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.multinomial(odds, 1, generator=generator)[:, 0]


def _refuse(temperature: float) -> None:
    if temperature < 0:
        raise ValueError("the temperature is negative")


@mistake(
    "sample_next",
    "temperature_without_effect",
    "The temperature changes nothing: divide the scores by it, before the softmax.",
)
def temperature_without_effect(logits, temperature=1.0, generator=None):
    _refuse(temperature)
    return _drawn(logits.softmax(1), generator) if temperature else logits.argmax(1)


@mistake(
    "sample_next",
    "temperature_multiplied",
    "The scores are multiplied by the temperature; divide them by it.",
)
def temperature_multiplied(logits, temperature=1.0, generator=None):
    _refuse(temperature)
    if temperature == 0:
        return logits.argmax(1)
    return _drawn((logits * temperature).softmax(1), generator)


@mistake(
    "sample_next",
    "no_chance",
    "Rows with the same scores all get the same word: draw each row by itself, with chance.",
)
def no_chance(logits, temperature=1.0, generator=None):
    _refuse(temperature)
    return logits.argmax(1)


@mistake(
    "sample_next",
    "all_words_alike",
    "All words are equally likely: is the softmax over the batch? It must be over the words.",
)
def all_words_alike(logits, temperature=1.0, generator=None):
    _refuse(temperature)
    if temperature == 0:
        return logits.argmax(1)
    return _drawn((logits / temperature).softmax(0), generator)


@mistake(
    "sample_next",
    "unlikely_words_preferred",
    "Low scores are drawn more often than high ones: is there a sign too many?",
)
def unlikely_words_preferred(logits, temperature=1.0, generator=None):
    _refuse(temperature)
    if temperature == 0:
        return logits.argmin(1)
    return _drawn(torch.softmax(-logits / temperature, 1), generator)


@mistake(
    "sample_next",
    "generator_ignored",
    "The generator is not used: hand it on to the function that draws.",
)
def generator_ignored(logits, temperature=1.0, generator=None):
    return by_multinomial(logits, temperature, None)


@mistake(
    "sample_next",
    "generator_as_a_seed",
    "torch's own random stream is seeded from the generator: draw from the generator itself.",
)
def generator_as_a_seed(logits, temperature=1.0, generator=None):
    if generator is not None:
        torch.manual_seed(generator.initial_seed())
    return by_multinomial(logits, temperature, None)


@mistake(
    "sample_next",
    "generator_started_again",
    "The generator starts again at every call, so every word is drawn alike: leave its state "
    "alone.",
)
def generator_started_again(logits, temperature=1.0, generator=None):
    if generator is not None:
        generator.manual_seed(generator.initial_seed())
    return by_multinomial(logits, temperature, generator)


@mistake(
    "sample_next",
    "zero_not_handled",
    "The rest is right, but at temperature 0 the scores are divided by 0: take the largest there.",
)
def zero_not_handled(logits, temperature=1.0, generator=None):
    _refuse(temperature)
    return _drawn((logits / temperature).softmax(1), generator)


@mistake(
    "sample_next",
    "negative_temperature_taken",
    "The rest is right, but a negative temperature must raise ValueError.",
)
def negative_temperature_taken(logits, temperature=1.0, generator=None):
    if temperature == 0:
        return logits.argmax(1)
    return _drawn((logits / temperature).softmax(1), generator)


@mistake(
    "sample_next",
    "zero_and_negative_not_handled",
    "The draws are right; temperature 0 and a negative one are still to be treated apart.",
)
def zero_and_negative_not_handled(logits, temperature=1.0, generator=None):
    return _drawn((logits / temperature).softmax(1), generator)


@mistake(
    "sample_next",
    "excluded_words_drawn",
    "A word with the score -inf is drawn: its probability must be exactly 0.",
)
def excluded_words_drawn(logits, temperature=1.0, generator=None):
    return by_multinomial(logits.nan_to_num(neginf=0.0), temperature, generator)


@mistake(
    "sample_next",
    "axis_of_one_kept",
    "The ids are (N, 1), as multinomial gives them; they must be (N,): take that axis away.",
)
def axis_of_one_kept(logits, temperature=1.0, generator=None):
    return by_multinomial(logits, temperature, generator)[:, None]


# ------------------------------------------------------------------ sample_next: other styles


@honest("sample_next")
def by_multinomial(logits, temperature=1.0, generator=None):
    if temperature < 0:
        raise ValueError("temperature must not be negative")
    if temperature == 0:
        return torch.argmax(logits, dim=-1)
    odds = torch.softmax(logits / temperature, dim=-1)
    return torch.multinomial(odds, num_samples=1, generator=generator).squeeze(-1)


@honest("sample_next")
def by_gumbel_noise(logits, temperature=1.0, generator=None):
    if temperature < 0:
        raise ValueError(temperature)
    if temperature == 0:
        return logits.max(dim=1).indices
    noise = torch.rand(logits.shape, generator=generator)
    return (logits / temperature - torch.log(-torch.log(noise))).argmax(dim=1)


@honest("sample_next")
def by_the_inverse(logits, temperature=1.0, generator=None):
    if temperature < 0.0:
        raise ValueError("below zero")
    if temperature == 0.0:
        return logits.argmax(1)
    bounds = (logits / temperature).softmax(1).cumsum(1)
    at = torch.rand(len(logits), 1, generator=generator) * bounds[:, -1:]
    return torch.searchsorted(bounds, at, right=True).squeeze(1).clamp(max=logits.shape[1] - 1)


@honest("sample_next")
def by_waiting_times(logits, temperature=1.0, generator=None):
    if temperature < 0:
        raise ValueError("a temperature below 0 makes no sense")
    if temperature == 0:
        return logits.topk(1).indices.flatten()
    rates = torch.exp((logits - logits.amax(1, keepdim=True)) / temperature)
    waiting = torch.empty_like(rates).exponential_(generator=generator)
    return (waiting / rates).argmin(1)


@honest("sample_next")
def counting_bounds(logits, temperature=1.0, generator=None):
    if not temperature >= 0:
        raise ValueError("not negative, please")
    if temperature == 0:
        return logits.sort(1, descending=True).indices[:, 0]
    weights = torch.exp(logits / temperature)
    bounds = weights.cumsum(1)
    at = torch.rand(logits.shape[0], generator=generator) * bounds[:, -1]
    return (bounds <= at[:, None]).sum(1).clamp(max=logits.shape[1] - 1)


# ------------------------------------------------------------------ greedy_decode: mistakes


@mistake("greedy_decode", "stop_kept", "The stop word is in the list; it ends it and is left out.")
def stop_kept(step, state, start_id, stop_id, max_length):
    ids, word = [], start_id
    for _ in range(max_length):
        logits, state = step(word, state)
        word = int(logits.argmax())
        ids.append(word)
        if word == stop_id:
            break
    return ids


@mistake("greedy_decode", "start_kept", "The list begins with the start word; leave that out.")
def start_kept(step, state, start_id, stop_id, max_length):
    return [start_id, *in_a_for_loop(step, state, start_id, stop_id, max_length)]


@mistake(
    "greedy_decode",
    "state_not_carried",
    "Every step gets the first state: hand on the state that the step before returned.",
)
def state_not_carried(step, state, start_id, stop_id, max_length):
    return in_a_for_loop(lambda id, _: step(id, state), None, start_id, stop_id, max_length)


@mistake(
    "greedy_decode",
    "word_not_carried",
    "Every step reads the start word: it must read the word that was chosen before.",
)
def word_not_carried(step, state, start_id, stop_id, max_length):
    return in_a_for_loop(lambda _, s: step(start_id, s), state, start_id, stop_id, max_length)


@mistake(
    "greedy_decode",
    "one_word_too_many",
    "A sentence that never stops has one word too many: max_length is the most.",
)
def one_word_too_many(step, state, start_id, stop_id, max_length):
    return in_a_for_loop(step, state, start_id, stop_id, max_length + 1)


@mistake(
    "greedy_decode",
    "one_word_too_few",
    "A sentence that never stops has one word too few: the start word does not count.",
)
def one_word_too_few(step, state, start_id, stop_id, max_length):
    return in_a_for_loop(step, state, start_id, stop_id, max_length - 1)


@mistake(
    "greedy_decode",
    "limit_ignored_in_decoding",
    "A sentence that never stops goes on beyond max_length.",
)
def limit_ignored_in_decoding(step, state, start_id, stop_id, max_length):
    return in_a_for_loop(step, state, start_id, stop_id, 1000)


@mistake(
    "greedy_decode",
    "stop_ignored",
    "The list goes on behind the stop word: end the loop there.",
)
def stop_ignored(step, state, start_id, stop_id, max_length):
    return in_a_for_loop(step, state, start_id, -1, max_length)


@mistake(
    "greedy_decode",
    "stop_skipped",
    "The stop word is left out, but the loop goes on behind it: end it there.",
)
def stop_skipped(step, state, start_id, stop_id, max_length):
    ids = in_a_for_loop(step, state, start_id, -1, max_length)
    return [word for word in ids if word != stop_id]


@mistake(
    "greedy_decode",
    "unlikeliest_word",
    "The word with the lowest score is taken; take the one with the highest.",
)
def unlikeliest_word(step, state, start_id, stop_id, max_length):
    def turned(id, state):
        logits, state = step(id, state)
        return -logits, state

    return in_a_for_loop(turned, state, start_id, stop_id, max_length)


@mistake(
    "greedy_decode",
    "first_word_lost",
    "The first word is missing: what the first step chooses belongs to the list.",
)
def first_word_lost(step, state, start_id, stop_id, max_length):
    return in_a_for_loop(step, state, start_id, stop_id, max_length)[1:]


@mistake(
    "greedy_decode",
    "start_taken_for_stop",
    "Where start and stop are one word nothing is written: look for stop only in what is chosen.",
)
def start_taken_for_stop(step, state, start_id, stop_id, max_length):
    if start_id == stop_id:
        return []
    return in_a_for_loop(step, state, start_id, stop_id, max_length)


@mistake(
    "greedy_decode",
    "tensor_given_to_step",
    "The ids are right, but step is given a tensor; it takes an int.",
)
def tensor_given_to_step(step, state, start_id, stop_id, max_length):
    def by_tensor(id, state):
        return step(torch.tensor(id), state)

    return in_a_for_loop(by_tensor, state, start_id, stop_id, max_length)


# ------------------------------------------------------------------ greedy_decode: other styles


@honest("greedy_decode")
def in_a_for_loop(step, state, start_id, stop_id, max_length):
    ids = []
    word = start_id
    for _ in range(max_length):
        logits, state = step(word, state)
        word = logits.argmax().item()
        if word == stop_id:
            return ids
        ids.append(word)
    return ids


@honest("greedy_decode")
def with_a_list_that_starts_with_start(step, state, start_id, stop_id, max_length):
    words = [start_id]
    while True:
        if len(words) > max_length:
            break
        logits, state = step(words[-1], state)
        words += [max(range(len(logits)), key=lambda k: float(logits[k]))]
        if words[-1] == stop_id:
            words.pop()
            break
    return words[1:]


@honest("greedy_decode")
def recursive(step, state, start_id, stop_id, max_length):
    if max_length == 0:
        return []
    logits, state = step(start_id, state)
    word = int(torch.argmax(logits))
    if word == stop_id:
        return []
    return [word, *recursive(step, state, word, stop_id, max_length - 1)]


@honest("greedy_decode")
def as_a_generator(step, state, start_id, stop_id, max_length):
    def words():
        word, carried = start_id, state
        while True:
            logits, carried = step(word, carried)
            word = logits.tolist().index(max(logits.tolist()))
            yield word

    chosen = itertools.takewhile(lambda word: word != stop_id, words())
    return list(itertools.islice(chosen, max_length))


@honest("greedy_decode")
def one_step_ahead(step, state, start_id, stop_id, max_length):
    ids = []
    logits, state = step(start_id, state)
    word = int(logits.topk(1).indices)
    while word != stop_id and len(ids) < max_length:
        ids.append(word)
        logits, state = step(word, state)
        word = int(logits.topk(1).indices)
    return ids
