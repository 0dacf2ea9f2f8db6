"""Hidden spec of the assignment models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from rnncourse.grading.spec import Spec


def build_vocabulary(texts: list[list[str]], max_size: int) -> dict[str, int]:
    counts = Counter(word for text in texts for word in text)
    by_frequency = sorted(counts, key=lambda word: (-counts[word], word))
    words = ["<pad>", "<unk>", *by_frequency[: max_size - 2]]
    return {word: id for id, word in enumerate(words)}


def pad(
    sequences: list[list[int]], length: int, side: str, value: int = 0
) -> tuple[Tensor, Tensor]:
    batch = torch.full((len(sequences), length), value)
    for row, ids in zip(batch, sequences, strict=True):
        kept = torch.tensor(ids[-length:] if side == "pre" else ids[:length])
        if side == "pre":
            row[length - len(kept) :] = kept
        else:
            row[: len(kept)] = kept
    return batch, torch.tensor([min(len(ids), length) for ids in sequences])


def flatten_states(output: Tensor) -> Tensor:
    return output.transpose(0, 1).flatten(1)


def masked_cross_entropy(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    real = torch.arange(len(targets), device=targets.device)[:, None] < lengths
    kept = torch.where(real, targets, -100)
    return F.cross_entropy(logits.flatten(0, 1), kept.flatten(), ignore_index=-100)


def sample_next(
    logits: Tensor, temperature: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    if temperature < 0:
        raise ValueError(f"a temperature cannot be negative: {temperature}")
    if temperature == 0:
        return logits.argmax(1)
    odds = torch.softmax(logits / temperature, dim=1)
    return torch.multinomial(odds, 1, generator=generator).squeeze(1)


def greedy_decode(
    step: Callable[[int, Any], tuple[Tensor, Any]],
    state: Any,
    start_id: int,
    stop_id: int,
    max_length: int,
) -> list[int]:
    ids: list[int] = []
    word = start_id
    while len(ids) < max_length:
        logits, state = step(word, state)
        word = int(logits.argmax())
        if word == stop_id:
            break
        ids.append(word)
    return ids


SPECS = {
    "build_vocabulary": Spec(
        build_vocabulary,
        {
            "the most frequent words first": 0.25,
            "ties in alphabetical order": 0.2,
            "max_size counts padding and unknown": 0.2,
            "frequency, ties and the limit together": 0.25,
            "one text, an empty text, few and many words": 0.1,
        },
    ),
    "pad": Spec(
        pad,
        {
            "shapes": 0.1,
            "short ones, padded in front": 0.15,
            "short ones, padded behind": 0.15,
            "long ones, cut in front": 0.15,
            "long ones, cut behind": 0.15,
            "another padding value": 0.1,
            "short and long on both sides": 0.15,
            "odd sizes": 0.05,
        },
    ),
    "flatten_states": Spec(
        flatten_states,
        {
            "shapes": 0.1,
            "a sequence of one step": 0.1,
            "a batch of one": 0.1,
            "whole sequences": 0.4,
            "gradients": 0.2,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "masked_cross_entropy": Spec(
        masked_cross_entropy,
        {
            "shapes": 0.1,
            "sequences without padding": 0.15,
            "one sequence and its padding": 0.15,
            "sequences of several lengths": 0.2,
            "gradients": 0.15,
            "what is no id behind the end": 0.1,
            "gradients beside what is no id": 0.05,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "sample_next": Spec(
        sample_next,
        {
            "shapes": 0.1,
            "temperature 0 takes the likeliest": 0.1,
            "frequencies": 0.15,
            "frequencies at other temperatures": 0.15,
            "each row by its own scores": 0.1,
            "-inf is never drawn": 0.1,
            "the generator is the only source of chance": 0.1,
            "without a generator": 0.05,
            "a negative temperature is a ValueError": 0.05,
            "all of it together": 0.05,
            "odd sizes": 0.05,
        },
    ),
    "greedy_decode": Spec(
        greedy_decode,
        {
            "one word": 0.15,
            "words and states go on": 0.2,
            "the stop word ends it": 0.2,
            "it may stop at once": 0.1,
            "start and stop are one word": 0.1,
            "step gets an int": 0.1,
            "all of it together": 0.1,
            "odd sizes": 0.05,
        },
    ),
}
