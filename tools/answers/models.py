"""Right answers in other styles to the exercises of `rnncourse.models`.

Parameters have the exercises' names and order.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import honest


@honest("build_vocabulary")
def counter_and_sort(texts, max_size):
    counts = Counter(word for text in texts for word in text if word not in ("<pad>", "<unk>"))
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
        vocabulary.setdefault(word, len(vocabulary))
    return vocabulary


@honest("build_vocabulary")
def from_a_heap(texts, max_size):
    counts = Counter()
    for text in texts:
        counts.update(text)
    del counts["<pad>"], counts["<unk>"]
    best = heapq.nsmallest(max_size - 2, ((-n, word) for word, n in counts.items()))
    return dict(zip(["<pad>", "<unk>"] + [word for _, word in best], itertools.count()))


@honest("build_vocabulary")
def one_after_the_other(texts, max_size):
    everything = [word for text in texts for word in text]
    found = ["<pad>", "<unk>"]
    left = set(everything).difference(found)
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
    words.extend(word for word, _ in counts if word not in ("<pad>", "<unk>"))
    return {word: words.index(word) for word in words[:max_size]}


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
    scores = logits / temperature
    weights = torch.exp(scores - scores.max(1, keepdim=True).values)
    bounds = weights.cumsum(1)
    at = torch.rand(logits.shape[0], generator=generator) * bounds[:, -1]
    return (bounds <= at[:, None]).sum(1).clamp(max=logits.shape[1] - 1)


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
