"""How `build_vocabulary` is tried: a word travels as its place in a table."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from .... import models as stubs
from ...._exercise import Function, describe
from ...drivers import Driver
from ...plan import Fixture, Plan, Stage
from ...results import WrongResultError, as_int
from ...sizes import Sizes
from ...stages import stage, unchanged, whole
from .common import Arguments, different, number, pass_on

SPECIAL = ("<pad>", "<unk>")
TABLE = (
    *("river", "cold", "the", "moon", "apple", "walks", "sea"),
    *("bread", "under", "green", "night", "and", "old"),
)
"""The words that texts are made of. The last one is in no text."""
WORDS = (*TABLE, *SPECIAL)
"""All words, by the number by which they travel."""
COUNTS = ((7, 1), (5, 3), (3, 1), (2, 3), (1, 4))
"""How often words occur, and how many words do so."""


def _id_of(word: str) -> str:
    return f'id of "{word}" (-1: not there)'


def _words(arguments: Arguments) -> Arguments:
    """The arguments with the words of the texts."""
    texts = [[WORDS[i] for i in row if i >= 0] for row in arguments["texts"].tolist()]
    return arguments | {"texts": texts}


def _build_vocabulary(function: Function, arguments: Arguments) -> object:
    texts = _words(arguments)["texts"]
    given = [text.copy() for text in texts]
    vocabulary = function(texts=texts, max_size=arguments["max_size"])
    pass_on(texts != given, arguments["texts"])
    if not isinstance(vocabulary, dict):
        missing = ": is the return missing?" if vocabulary is None else "."
        raise WrongResultError(
            f"it must return a dict; yours returns {describe(vocabulary)}{missing}"
        )
    for word in vocabulary:
        if not isinstance(word, str):
            raise WrongResultError(
                f"the dict must have words as its keys; one of yours is {describe(word)}: "
                "are words and ids the wrong way round?"
            )
        if word not in (*SPECIAL, *TABLE):
            raise WrongResultError(f"the dict holds '{word[:40]}', which is no word of the texts.")
    return [*(vocabulary.get(word, -1) for word in (*SPECIAL, *TABLE)), len(vocabulary)]


def _texts(sizes: Sizes, generator: Generator) -> Tensor:
    """N texts as places in WORDS, -1 behind their ends.

    Words that occur equally often appear first in an order that is neither alphabetical nor its
    reverse, so that every way to settle a tie shows.
    """
    total = sum(count * words for count, words in COUNTS)
    slots = torch.repeat_interleave(
        torch.arange(sum(words for _, words in COUNTS)),
        torch.tensor([count for count, words in COUNTS for _ in range(words)]),
    )[torch.randperm(total, generator=generator)].tolist()
    names = _names_of_slots(slots, generator)
    cuts = torch.randperm(total - 1, generator=generator)[: sizes["N"] - 1] + 1
    edges = [0, *sorted(cuts.tolist()), total]
    lengths = [end - start for start, end in zip(edges[:-1], edges[1:], strict=True)]
    texts = torch.full((sizes["N"], max(lengths)), -1)
    for row, start, length in zip(texts, edges[:-1], lengths, strict=True):
        row[:length] = torch.tensor([names[s] for s in slots[start : start + length]])
    return texts


def _text(words: str) -> Tensor:
    """One text, as an input."""
    return torch.tensor([[WORDS.index(word) for word in words.split()]])


def _names_of_slots(slots: list[int], generator: Generator) -> dict[int, int]:
    """A place in TABLE for each slot, out of alphabetical order where counts are equal."""
    drawn = torch.randperm(len(TABLE) - 1, generator=generator).tolist()
    names: dict[int, int] = {}
    first_seen = list(dict.fromkeys(slots))
    done = 0
    for _, words in COUNTS:
        group = [slot for slot in first_seen if done <= slot < done + words]
        places = sorted(drawn[done : done + words], key=lambda place: TABLE[place])
        names |= zip(group, places[1:] + places[:1], strict=True)  # b c a
        done += words
    return names


_VOCABULARY = {
    **{_id_of(word): as_int for word in (*SPECIAL, *TABLE)},
    "how many ids": as_int,
}


def _vocabulary_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, few, many = fixtures
    by_count, values = "the most frequent words first", "frequency, ties and the limit together"
    everything = {"max_size": torch.tensor(len(TABLE) + 5)}
    frequent = {"texts": _text("moon sea the sea the sea")}
    tied = {"texts": _text("sea the river the sea river apple")}
    limits = [(f"max_size {n}", frequent | {"max_size": torch.tensor(n)}) for n in (2, 3, 4)]
    empty = torch.cat([first["texts"][:1], torch.full_like(first["texts"][:1], -1)])
    texts = (
        ("few words", few.inputs),
        ("many words", many.inputs),
        ("an empty text", first.inputs | {"texts": empty}),
    )
    marked = {"texts": _text("sea <unk> moon <pad> <unk> sea <pad> <unk>")} | everything
    marks = ("marks in a text", marked)
    three, tie = ("three words", frequent | everything), ("a tie", tied | everything)
    last = "one text, an empty text, few and many words"
    return [
        stage(by_count, three, after="", weight=0.25),
        stage("ties in alphabetical order", tie, after=by_count, weight=0.2),
        stage("max_size counts padding and unknown", *limits, after=by_count, weight=0.2),
        stage(values, *whole(first, second), after="", weight=0.25),
        stage(last, *texts, after=values, weight=0.05),
        stage("texts that hold <pad> and <unk>", marks, after=values, weight=0.05),
        unchanged(first, second, after=""),
    ]


def _vocabulary_sizes(generator: Generator) -> list[Sizes]:
    texts = different(2, 3, 7, generator)
    limits = different(2, 8, 10, generator)
    whole_ones = [{"N": n, "V": v} for n, v in zip(texts, limits, strict=True)]
    return [*whole_ones, {"N": 1, "V": 2}, {"N": 2, "V": 30}]


build_vocabulary = Plan(
    stubs.build_vocabulary,
    _vocabulary_stages,
    inputs={"texts": _texts, "max_size": number(lambda s: s["V"], lambda s: s["V"] + 1)},
    only_inputs=True,
    driver=Driver(
        tuple(_VOCABULARY), {"max_size": int}, _VOCABULARY, _build_vocabulary, shown=_words
    ),
    gradients=False,
    sizes=({"N": 3, "V": 8}, {"N": 5, "V": 9}, {"N": 1, "V": 2}, {"N": 2, "V": 30}),
    drawn=_vocabulary_sizes,
)
