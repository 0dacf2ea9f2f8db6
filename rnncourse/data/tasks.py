"""Tasks that lessons and exercises share: each generates as many examples as are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Generator, Tensor

Option = TypeVar("Option")


def flagged_number(
    batch: int, length: int, generator: Generator | None = None
) -> tuple[Tensor, Tensor]:
    """A memory task: one number of a sequence is flagged, and the answer at the end is that number.

    The flag stands in the first half, at a step drawn anew for each sequence. So the number must be
    kept for at least `length - length // 2` further steps, and at most `length - 1`. Answering 0
    every time gives a mean squared error of 1/3.

    Args:
        batch: how many sequences, N.
        length: how many steps each has, T, at least 2.
        generator: where the random numbers come from; torch's own if left out.

    Returns:
        inputs: (T, N, 2); [..., 0] the numbers, uniform in [-1, 1), [..., 1] the flag, 1 at one
            step and 0 elsewhere.
        targets: (N, 1), the flagged numbers.

    Raises:
        ValueError: if length is below 2.

    Example:
        >>> inputs, targets = flagged_number(batch=5, length=7)
        >>> inputs.shape, targets.shape
        (torch.Size([7, 5, 2]), torch.Size([5, 1]))
        >>> inputs[..., 1].sum(0).tolist()  # one flag a sequence
        [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    if length < 2:
        raise ValueError(f"length must be at least 2, got {length}")
    numbers = 2 * torch.rand(length, batch, generator=generator) - 1
    at = torch.randint(length // 2, (batch,), generator=generator)
    flags = torch.nn.functional.one_hot(at, length).T.to(numbers.dtype)
    targets = (numbers * flags).sum(0).unsqueeze(1)
    return torch.stack([numbers, flags], dim=-1), targets


TINY_ANIMALS = {
    ("cat", "cats"): ("milk", "mice", "yarn"),
    ("dog", "dogs"): ("bones", "balls", "sticks"),
    ("horse", "horses"): ("hay", "oats", "saddles"),
    ("hen", "hens"): ("corn", "worms", "nests"),
    ("bear", "bears"): ("honey", "caves", "salmon"),
    ("rabbit", "rabbits"): ("carrots", "clover", "burrows"),
}
"""In `tiny_sentences`: an animal, several of it, and the things that go with it alone."""

TINY_VERBS = {
    ("drinks", "drank"): ("tea", "juice", "water"),
    ("eats", "ate"): ("bread", "soup", "rice"),
    ("writes", "wrote"): ("letters", "books", "poems"),
    ("sings", "sang"): ("songs", "tunes", "hymns"),
    ("drives", "drove"): ("cars", "trucks", "taxis"),
    ("draws", "drew"): ("maps", "faces", "plans"),
    ("wears", "wore"): ("hats", "coats", "gloves"),
}
"""In `tiny_sentences`: a verb, its past, and the things that go with it alone."""

_COLOURS = ("red", "blue", "green", "white", "black")
_NUMBER = (("this", "one", "every"), ("these", "many", "all"))
_WISHES = (("likes", "needs", "has"), ("like", "need", "have"))
_TIMES = (("today", "now"), ("yesterday", "once"))
_PEOPLE = ("she", "he", "ann", "ben", "eva", "tom", "mia", "leo")
_STRANGERS = (
    "ada", "bo", "cem", "dag", "fay", "gus", "hal", "ida", "jo", "kim",
    "lee", "max", "nan", "ole", "pia", "quy", "ron", "sue", "uma", "vic",
)  # fmt: skip


def tiny_sentences(count: int, generator: Generator | None = None) -> list[list[str]]:
    """Sentences of a small grammar: 98 common words, and 20 names that hardly ever occur.

    There are three kinds, each as likely as the others:

    - an animal and a thing of its own, such as "this (red) cat likes milk". The words around tell
      one animal ("this cat likes") from several ("these cats like");
    - what somebody does, such as "today ann drinks tea" or "ann drinks tea today". The time tells
      present from past. One person in a hundred has a rare name;
    - a thing of either kind, such as "we found (red) hats".

    A colour, where it may stand, stands in half of the sentences, and goes with everything.

    Args:
        count: how many sentences.
        generator: where the random numbers come from; torch's own if left out.

    Returns:
        each sentence as a list of 3 to 5 words.

    Example:
        >>> sentences = tiny_sentences(1000)
        >>> sorted({len(words) for words in sentences})
        [3, 4, 5]
        >>> "cat" in {words[1] for words in sentences}  # such as "this cat likes milk"
        True
    """
    chance = _Chance(generator)
    kinds = (_about_an_animal, _about_a_person, _about_a_thing)
    return [chance.one_of(kinds)(chance) for _ in range(count)]


class _Chance:
    """Picks one of several, each as likely as the others."""

    def __init__(self, generator: Generator | None) -> None:
        self._generator = generator

    def one_of(self, options: Sequence[Option]) -> Option:
        return options[int(torch.randint(len(options), (), generator=self._generator))]

    def perhaps_a_colour(self) -> list[str]:
        return self.one_of(([], [self.one_of(_COLOURS)]))


def _about_an_animal(chance: _Chance) -> list[str]:
    forms = chance.one_of(tuple(TINY_ANIMALS))
    several = chance.one_of((0, 1))
    start = [chance.one_of(_NUMBER[several]), *chance.perhaps_a_colour(), forms[several]]
    return [*start, chance.one_of(_WISHES[several]), chance.one_of(TINY_ANIMALS[forms])]


def _about_a_person(chance: _Chance) -> list[str]:
    forms = chance.one_of(tuple(TINY_VERBS))
    past = chance.one_of((0, 1))
    people = _STRANGERS if chance.one_of(range(100)) == 0 else _PEOPLE
    deed = [chance.one_of(people), forms[past], chance.one_of(TINY_VERBS[forms])]
    time = [chance.one_of(_TIMES[past])]
    return chance.one_of((time + deed, deed + time))


def _about_a_thing(chance: _Chance) -> list[str]:
    things = chance.one_of((*TINY_ANIMALS.values(), *TINY_VERBS.values()))
    verb = chance.one_of(("saw", "found", "bought"))
    return ["we", verb, *chance.perhaps_a_colour(), chance.one_of(things)]
