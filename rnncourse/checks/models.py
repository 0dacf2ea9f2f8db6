"""How the exercises of `rnncourse.models` are tried.

Arrays hold numbers only: a word travels as its place in TABLE, a list of lists as a matrix.

An exercise that has several sides to it has several drivers. The one with its name looks at all
sides at once: by its numbers mistakes are recognised. The others look at one side each, for a stage
that speaks of nothing else.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor

from ..exercise import a_kind
from .drivers import Driver, Function
from .plan import Plan, Sizes, Stage, numbers, whole, without_cotangents
from .relations import Relation
from .results import (
    Arrays,
    WrongResult,
    a_tensor,
    a_whole_number,
    whole_numbers,
)
from .stages import BEYOND_ONE, SHAPES, Call, endings, odd_sizes, shapes, stage, unchanged
from .stages import whole as fixtures_1_and_2

Arguments = dict[str, Any]

# ------------------------------------------------------------------ build_vocabulary

SPECIAL = ("<pad>", "<unk>")
TABLE = (
    *("river", "cold", "the", "moon", "apple", "walks", "sea"),
    *("bread", "under", "green", "night", "and", "old"),
)
"""The words that texts are made of. The last one is in no text."""
COUNTS = ((7, 1), (5, 3), (3, 1), (2, 3), (1, 4))
"""How often words occur, and how many words do so."""


def _id_of(word: str) -> str:
    return f'id of "{word}" (-1: not there)'


def _build_vocabulary(function: Function, arguments: Arguments) -> object:
    texts = [[TABLE[i] for i in row if i >= 0] for row in arguments["texts"].tolist()]
    given = [text.copy() for text in texts]
    vocabulary = function(texts=texts, max_size=arguments["max_size"])
    _pass_on(texts != given, arguments["texts"])
    if not isinstance(vocabulary, dict):
        missing = ": is the return missing?" if vocabulary is None else "."
        raise WrongResult(f"it must return a dict; yours returns {a_kind(vocabulary)}{missing}")
    for word in vocabulary:
        if not isinstance(word, str):
            raise WrongResult(
                f"the dict must have words as its keys; one of yours is {a_kind(word)}: "
                "are words and ids the wrong way round?"
            )
        if word not in (*SPECIAL, *TABLE):
            raise WrongResult(f"the dict holds '{word[:40]}', which is no word of the texts.")
    return [*(vocabulary.get(word, -1) for word in (*SPECIAL, *TABLE)), len(vocabulary)]


def _texts(sizes: Sizes, generator: Generator) -> Tensor:
    """N texts as places in TABLE, -1 behind their ends.

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
    return torch.tensor([[TABLE.index(word) for word in words.split()]])


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
    **{_id_of(word): a_whole_number for word in (*SPECIAL, *TABLE)},
    "how many ids": a_whole_number,
}


def _vocabulary_stages(*fixtures: Arrays) -> list[Stage]:
    first, second, few, many = fixtures
    name, values = "build_vocabulary", "frequency, ties and the limit together"
    by_count = "the most frequent words first"
    everything = {"max_size": torch.tensor(len(TABLE) + 5)}
    frequent = {"texts": _text("moon sea the sea the sea")}
    tied = {"texts": _text("sea the river the sea river apple")}
    empty = torch.cat([first["texts"][:1], torch.full_like(first["texts"][:1], -1)])
    return [
        stage(
            by_count,
            name,
            ("three words", frequent | everything),
            after="",
        ),
        stage("ties in alphabetical order", name, ("a tie", tied | everything), after=by_count),
        stage(
            "max_size counts padding and unknown",
            name,
            *((f"max_size {n}", frequent | {"max_size": torch.tensor(n)}) for n in (2, 3, 4)),
            after=by_count,
        ),
        stage(values, name, *fixtures_1_and_2(first, second), after=""),
        stage(
            "one text, an empty text, few and many words",
            name,
            ("few words", few),
            ("many words", many),
            ("an empty text", first | {"texts": empty}),
            after=values,
        ),
        unchanged(name, first, second, after=""),
    ]


def _vocabulary_sizes(generator: Generator) -> list[Sizes]:
    texts = _different(2, 3, 7, generator)
    limits = _different(2, 8, 10, generator)
    whole_ones = [{"N": n, "V": v} for n, v in zip(texts, limits, strict=True)]
    return [*whole_ones, {"N": 1, "V": 2}, {"N": 2, "V": 30}]


# ------------------------------------------------------------------ pad

SIDES = ("pre", "post")
PAD_ONE_SIDE = "pad on one side"


def _pad_one_side(function: Function, arguments: Arguments) -> object:
    return _padded(function, arguments, SIDES[int(arguments["side"])])


def _pad_both_sides(function: Function, arguments: Arguments) -> object:
    given = arguments["sequences"]
    copies = [arguments | {"sequences": given.clone()} for _ in SIDES]
    results = tuple(_padded(function, own, side) for own, side in zip(copies, SIDES, strict=True))
    _pass_on(any(not torch.equal(own["sequences"], given) for own in copies), given)
    return results


def _padded(function: Function, arguments: Arguments, side: str) -> object:
    ids, lengths = arguments["sequences"].tolist(), arguments["lengths"].tolist()
    sequences = [row[:length] for row, length in zip(ids, lengths, strict=True)]
    given = [row.copy() for row in sequences]
    value = {"value": arguments["value"]} if "value" in arguments else {}
    result = function(sequences=sequences, length=arguments["length"], side=side, **value)
    _pass_on(sequences != given, arguments["sequences"])
    return result


def _pass_on(changed: bool, array: Tensor) -> None:
    """Let a change of the lists that were made of an array show in the array."""
    if changed:
        array += 1


def _short_and_long(sizes: Sizes, generator: Generator) -> Tensor:
    """Lengths around T: one shorter, one longer, one equal, and others, in any order."""
    length, longest = sizes["T"], sizes["K"]
    if sizes["N"] == 1:
        return torch.tensor([longest])
    lengths = torch.randint(1, longest + 1, (sizes["N"],), generator=generator)
    lengths[:3] = torch.tensor([max(1, length - 2), length + 1, length])[: sizes["N"]]
    return lengths[torch.randperm(sizes["N"], generator=generator)]


def _pad_stages(*fixtures: Arrays) -> list[Stage]:
    first, second, *odd = (_with_the_value_inside(f) for f in fixtures)
    name, values = "pad", "short and long on both sides"
    plain = {k: v for k, v in first.items() if k != "value"}
    short = plain | {"lengths": first["lengths"].clamp(max=int(first["length"]))}
    longest = first["sequences"].shape[1]
    long = plain | {"lengths": first["lengths"].clamp(min=longest - 1)}
    return [
        stage(
            SHAPES,
            PAD_ONE_SIDE,
            *(_on(side, f"shapes {k}", f) for side in SIDES for k, f in enumerate((first, second))),
            aspect="shapes",
            after="",
        ),
        stage("short ones, padded in front", PAD_ONE_SIDE, _on("pre", "short", short)),
        stage("short ones, padded behind", PAD_ONE_SIDE, _on("post", "short", short)),
        stage("long ones, cut in front", PAD_ONE_SIDE, _on("pre", "long", long)),
        stage("long ones, cut behind", PAD_ONE_SIDE, _on("post", "long", long)),
        stage(
            "another padding value",
            PAD_ONE_SIDE,
            *(_on(side, "value -7", short | {"value": torch.tensor(-7)}) for side in SIDES),
        ),
        stage(values, name, *fixtures_1_and_2(first, second)),
        odd_sizes(name, (first, second, *odd), after=values),
        unchanged(name, first, second),
    ]


def _with_the_value_inside(arrays: Arrays) -> Arrays:
    """Each sequence begins with an id that equals the padding value: a real one all the same."""
    sequences = arrays["sequences"].clone()
    sequences[:, 0] = arrays["value"]
    return arrays | {"sequences": sequences}


def _on(side: str, label: str, arrays: Arrays) -> Call:
    return f"{label}, {side}", arrays | {"side": torch.tensor(SIDES.index(side))}


def _pad_sizes(generator: Generator) -> list[Sizes]:
    drawn = []
    for count in _different(2, 3, 6, generator):
        length = 6 + int(torch.randint(3, (), generator=generator))
        drawn.append({"N": count, "T": length, "K": length + 3})
    return [*drawn, {"N": 1, "T": 3, "K": 5}, {"N": 4, "T": 1, "K": 4}]


# ------------------------------------------------------------------ flatten_states


def _flatten_stages(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values, calls = "flatten_states", "whole sequences", fixtures_1_and_2(first, second)
    output = first["output"]
    return [
        shapes(name, first, second),
        stage("a sequence of one step", name, ("one step", {"output": output[:1]})),
        stage("a batch of one", name, ("a batch of one", {"output": output[:, :1]})),
        stage(values, name, *calls),
        stage("gradients", name, *calls, aspect="gradients", after=values),
        *endings(name, fixtures, values, BEYOND_ONE),
    ]


# ------------------------------------------------------------------ masked_cross_entropy


def _targets(sizes: Sizes, generator: Generator) -> Tensor:
    """The first one is 0: an id like any other."""
    targets = whole("T", "N", below="V")(sizes, generator)
    targets[0, 0] = 0
    return targets


def _lengths(sizes: Sizes, generator: Generator) -> Tensor:
    """Lengths up to T; of several sequences one is shorter than T and one is not."""
    longest = sizes["T"]
    lengths = torch.randint(1, longest + 1, (sizes["N"],), generator=generator)
    if sizes["N"] > 1:
        lengths[0], lengths[1] = longest, max(1, longest - 2)
    return lengths[torch.randperm(sizes["N"], generator=generator)]


def _loss_stages(*fixtures: Arrays) -> list[Stage]:
    # Scores as far apart as a trained network's: then no two mistakes give nearly the same loss.
    fixtures = tuple(arrays | {"logits": 6 * arrays["logits"]} for arrays in fixtures)
    first, second, *_ = fixtures
    name, values = "masked_cross_entropy", "sequences of several lengths"
    calls, inputs = fixtures_1_and_2(first, second), without_cotangents(first)
    full = inputs | {"lengths": torch.full_like(inputs["lengths"], len(inputs["targets"]))}
    shortest = int(inputs["lengths"].argmin())
    one = {
        "logits": inputs["logits"][:, shortest : shortest + 1],
        "targets": inputs["targets"][:, shortest : shortest + 1],
        "lengths": inputs["lengths"][shortest : shortest + 1],
    }
    return [
        shapes(name, first, second),
        stage("sequences without padding", name, ("no padding", full)),
        stage("one sequence and its padding", name, ("a batch of one", one)),
        stage(values, name, *calls),
        stage("gradients", name, *calls, aspect="gradients", after=values),
        stage(
            "what is no id behind the end",
            name,
            *((f"{n} behind the end", _behind_the_end(inputs, n)) for n in (-1, 10**6, -100)),
            after=values,
        ),
        stage(
            "gradients beside what is no id",
            name,
            ("gradients, -1 behind the end", _behind_the_end(first, -1)),
            aspect="gradients",
            after="what is no id behind the end",
        ),
        *endings(name, fixtures, values, BEYOND_ONE),
    ]


def _behind_the_end(arrays: Arrays, value: int) -> Arrays:
    """The same with another number in the targets behind each end."""
    step = torch.arange(len(arrays["targets"]))
    return arrays | {
        "targets": torch.stack(
            [
                torch.where(step < length, column, value)
                for column, length in zip(arrays["targets"].T, arrays["lengths"], strict=True)
            ],
            dim=1,
        )
    }


def _loss_sizes(generator: Generator) -> list[Sizes]:
    drawn = [dict(zip("TNV", _different(3, 3, 9, generator), strict=True)) for _ in range(2)]
    return [*drawn, {"T": 10, "N": 3, "V": 2}, {"T": 1, "N": 1, "V": 4}]


# ------------------------------------------------------------------ sample_next

DRAWS = 40_000
APART = 0.04
"""How far the frequencies of two honest samplers may be apart.

By Hoeffding's inequality the average of n draws is off by more than a/2 with a probability below
2 exp(-2 n (a/2)^2). Two averages are apart by more than a only if one of them is off by more than
a/2; that both may come from one random stream plays no part in it. So n = 40 000 and a = 0.04 give
less than 2 * 2 exp(-n a^2 / 2) = 4 exp(-32) = 5.1e-14 for each number. A check compares fewer than
100 of them, public or hidden: a false alarm is rarer than 1e-11.
"""
ROWS = 200
"""Draws that are compared one by one. Two independent ones are all equal with a probability of the
sum of all p^2, to the power of 200: below 1e-9 as long as that sum is below 0.9."""
EXCLUDED_DRAWS = 4_000
"""Enough to see a word that should not come, were it drawn only once in a hundred times: that none
of them shows it then has the probability 0.99^4000 = 3e-18."""

SAMPLE_ONCE = "sample_next once"
SAMPLE_OFTEN = "sample_next many times"
SAMPLE_AGAIN = "sample_next again from one generator"
SAMPLE_WITHOUT = "sample_next without a generator"
SAMPLE_EXCLUDED = "sample_next beside -inf"
SAMPLE_NEGATIVE = "sample_next below zero"

AGAIN = (
    "the same ids from the same state of the generator",
    "other ids from its next state",
    "torch's own random stream as before",
)


def _alone(
    call: Callable[[Function, Arguments], object],
) -> Callable[[Function, Arguments], object]:
    """The call with torch's own random stream seeded, and left as it was."""

    def call_alone(function: Function, arguments: Arguments) -> object:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(arguments["seed"])
            return call(function, arguments)

    return call_alone


def _sample_once(function: Function, arguments: Arguments) -> object:
    logits, given = arguments["logits"], arguments["logits"].clone()
    result = function(
        logits=given, temperature=arguments["temperature"], generator=_seeded(arguments)
    )
    _pass_on(not torch.equal(given, logits), logits)  # the same for all words: no other odds
    return result


def _sample_often(function: Function, arguments: Arguments) -> Tensor:
    return _frequencies(function, arguments["logits"], arguments["temperature"], _seeded(arguments))


def _sample_again(function: Function, arguments: Arguments) -> tuple[int, ...]:
    logits, temperature = arguments["logits"][:1].repeat(ROWS, 1), arguments["temperature"]
    generator, stream = _seeded(arguments), torch.get_rng_state()
    first = _drawn(function, logits, temperature, generator)
    untouched = torch.equal(torch.get_rng_state(), stream)
    other = _drawn(function, logits, temperature, generator)
    again = _drawn(function, logits, temperature, _seeded(arguments))
    return int(torch.equal(first, again)), int(not torch.equal(first, other)), int(untouched)


def _sample_from_one(function: Function, arguments: Arguments) -> tuple[int, ...]:
    """The same, with a sentence where it is not as it should be."""
    same, other, untouched = _sample_again(function, arguments)
    if not untouched:
        raise WrongResult(
            "torch's own random stream is drawn from or seeded, though there is a generator: "
            "draw from the generator alone."
        )
    if not same:
        raise WrongResult(
            "the same state of the generator gives other ids: it must be the only source of chance."
        )
    if not other:
        raise WrongResult(
            "200 draws are the same when they are made again from the generator's next state: is "
            "there chance in them, and does its state go on?"
        )
    return same, other, untouched


def _sample_without(function: Function, arguments: Arguments) -> object:
    """Left out are the generator, and at a temperature of 1 the temperature as well."""
    logits, temperature = arguments["logits"][:1], arguments["temperature"]
    rest = {} if temperature == 1 else {"temperature": temperature}
    rows = logits.repeat(DRAWS, 1)
    ids = _checked(function(logits=rows, **rest), rows)
    twice = []
    for _ in range(2):
        torch.manual_seed(arguments["seed"])
        few = logits.repeat(ROWS, 1)
        twice.append(_checked(function(logits=few, **rest), few))
    return _shares(ids, logits), int(torch.equal(*twice))


def _sample_excluded(function: Function, arguments: Arguments) -> int:
    """Whether a word with -inf is drawn at all."""
    rows = arguments["logits"][:1].repeat(EXCLUDED_DRAWS, 1)
    ids = _drawn(function, rows, arguments["temperature"], _seeded(arguments))
    return int(rows.gather(1, ids[:, None]).isinf().any())


def _sample_negative(function: Function, arguments: Arguments) -> int:
    try:
        result = _sample_once(function, arguments)
    except ValueError:
        return 1
    raise WrongResult(
        f"a negative temperature must raise ValueError; yours returns {a_kind(result)}."
    )


def _sample_all(function: Function, arguments: Arguments) -> tuple[object, ...]:
    """All sides at once. What raises an error on one side is a -1 there."""
    logits = arguments["logits"]
    excluded = logits.clone()
    excluded[:, ::2] = -torch.inf
    cold, below = arguments | {"temperature": 0.0}, arguments | {"temperature": -0.5}
    once = _sample_once(function, arguments)
    return (
        _sample_often(function, arguments | {"logits": logits[:1]}),
        once.ndim if isinstance(once, Tensor) else -1,
        _sample_again(function, arguments),
        _or(-1, lambda: _sample_excluded(function, arguments | {"logits": excluded})),
        _or(torch.full((len(logits),), -1), lambda: _likeliest(function, cold)),
        _or(-1, lambda: _sample_negative(function, below)),
    )


def _likeliest(function: Function, arguments: Arguments) -> Tensor:
    return _checked(_sample_once(function, arguments), arguments["logits"])


def _or(otherwise: object, value: Callable[[], object]) -> object:
    try:
        return value()
    except Exception:
        return otherwise


def _seeded(arguments: Arguments) -> Generator:
    return Generator().manual_seed(arguments["seed"])


def _frequencies(
    function: Function, logits: Tensor, temperature: float, generator: Generator
) -> Tensor:
    """How often each word is drawn for each row of scores."""
    rows = logits.repeat(DRAWS // len(logits), 1)
    return _shares(_drawn(function, rows, temperature, generator), logits)


def _drawn(function: Function, rows: Tensor, temperature: float, generator: Generator) -> Tensor:
    result = function(logits=rows.clone(), temperature=temperature, generator=generator)
    return _checked(result, rows)


def _checked(result: object, rows: Tensor) -> Tensor:
    """The ids in a row, whatever their axes: these are another stage's matter."""
    ids = a_tensor("ids", result)
    if ids.dtype != torch.int64:
        raise WrongResult(f"ids must be int64; yours is {str(ids.dtype).removeprefix('torch.')}.")
    if ids.numel() != len(rows):
        raise WrongResult(
            f"ids has shape {tuple(ids.shape)} for {len(rows)} rows of scores; "
            f"it must be ({len(rows)},)."
        )
    if ids.min() < 0 or ids.max() >= rows.shape[1]:
        raise WrongResult(f"an id is outside 0 to {rows.shape[1] - 1}.")
    return ids.flatten()


def _shares(ids: Tensor, logits: Tensor) -> Tensor:
    """How often each word was drawn for each row of scores, which were repeated in turn."""
    count, words = logits.shape
    places = ids + words * torch.arange(count).repeat(len(ids) // count)
    counts = torch.bincount(places, minlength=count * words).view(count, words)
    return counts * (count / len(ids))


def _ladder(sizes: Sizes, generator: Generator) -> Tensor:
    """Scores at even distances, in another order in each row: no two words are equally likely."""
    ranks = torch.rand(sizes["N"], sizes["V"], generator=generator).argsort(1)
    return (-58 + 116 * ranks / max(1, sizes["V"] - 1)).round() / 64


def _temperature(sizes: Sizes, generator: Generator) -> Tensor:
    """Well below 1, so that it shows whether and how it is used."""
    return torch.randint(20, 33, (), generator=generator) / 64


def _seed(sizes: Sizes, generator: Generator) -> Tensor:
    return torch.randint(1 << 30, (), generator=generator)


def _sample_stages(*fixtures: Arrays) -> list[Stage]:
    first, second, *odd = fixtures
    often, values = "frequencies", "all of it together"
    one = first | {"logits": first["logits"][:1]}
    excluded = one["logits"].masked_fill(torch.arange(one["logits"].shape[1]) % 2 == 0, -torch.inf)
    batches = (("a batch", first), ("another batch", second))

    def at(temperature: float, arrays: Arrays) -> Arrays:
        return arrays | {"temperature": torch.tensor(temperature)}

    return [
        stage(SHAPES, SAMPLE_ONCE, *batches, aspect="shapes", after=""),
        stage(
            "temperature 0 takes the likeliest",
            SAMPLE_ONCE,
            *((f"{label}, temperature 0", at(0.0, arrays)) for label, arrays in batches),
        ),
        stage(often, SAMPLE_OFTEN, ("temperature 1", at(1.0, one))),
        stage(
            "frequencies at other temperatures",
            SAMPLE_OFTEN,
            ("a low temperature", one),
            ("a high temperature", at(2.5, one)),
        ),
        stage(
            "each row by its own scores",
            SAMPLE_OFTEN,
            # A word that leads by 50 is as good as certain, and exp of it is finite.
            ("one word leads", at(1.0, first | {"logits": _one_leads(first["logits"])})),
        ),
        stage(
            "-inf is never drawn",
            SAMPLE_EXCLUDED,
            ("some words with -inf", at(1.0, one | {"logits": excluded})),
            ("-inf at a high temperature", at(2.5, one | {"logits": excluded})),
        ),
        stage("the generator is the only source of chance", SAMPLE_AGAIN, ("a generator", one)),
        stage(
            "without a generator",
            SAMPLE_WITHOUT,
            ("no generator", one),
            ("the scores alone", at(1.0, one)),
        ),
        stage(
            "a negative temperature is a ValueError",
            SAMPLE_NEGATIVE,
            ("temperature -1", at(-1.0, first)),
        ),
        stage(values, "sample_next", *fixtures_1_and_2(first, second)),
        stage(
            "odd sizes",
            SAMPLE_OFTEN,
            *((f"odd sizes {k}", arrays) for k, arrays in enumerate(odd, start=1)),
            after=often,
        ),
        unchanged("sample_next", first, second),
    ]


def _one_leads(logits: Tensor) -> Tensor:
    """Another word in each row, as far as there are so many."""
    leading = torch.arange(len(logits)) % logits.shape[1]
    return logits + 50 * torch.nn.functional.one_hot(leading, logits.shape[1])


def _sample_sizes(generator: Generator) -> list[Sizes]:
    words = _different(2, 4, 6, generator)
    return [
        {"N": 3, "V": words[0]},
        {"N": 2, "V": words[1]},
        {"N": 1, "V": 2},
        {"N": 1, "V": 1},
    ]


# ------------------------------------------------------------------ greedy_decode

DECODE_ONCE = "greedy_decode once"
DECODE_INTS = "greedy_decode on ids that are int"
NEVER = -1
EXTRA = 4
"""Calls of step beyond max_length after which it ends any sentence: no loop is endless."""


class _Steps:
    """A `step` out of tables: what it says depends on the word and on all words before it.

    Args:
        scores: for each memory and each word that is read, a score for each next word, (K, V, V).
        stop_after: after how many words it says stop; NEVER for never.
    """

    def __init__(
        self, scores: Tensor, start_id: int, stop_id: int, stop_after: int, most: int
    ) -> None:
        self._scores, self._start_id, self._stop_id = scores, start_id, stop_id
        self._stop_after, self._most = stop_after, most
        self._calls = 0
        self.not_an_int: object = None

    def __call__(self, id: Any, state: tuple[int, int]) -> tuple[Tensor, tuple[int, int]]:
        words, memory = state
        self._calls += 1
        if self._calls > 10 * (self._most + EXTRA):
            raise WrongResult("step is called again and again: does the loop ever stop?")
        if type(id) is not int:
            self.not_an_int = id
        word = operator.index(id)
        logits = self._scores[memory, word].clone()
        stops = words == self._stop_after or self._calls > self._most + EXTRA
        logits[self._start_id] = -9
        logits[self._stop_id] = 9 if stops else -9
        return logits, (words + 1, (memory + word + 1) % len(self._scores))


def _decoded(function: Function, arguments: Arguments) -> tuple[object, _Steps]:
    start_id, stop_id = arguments["start_id"], arguments["stop_id"]
    most = arguments["max_length"]
    steps = _Steps(arguments["scores"], start_id, stop_id, arguments["stop_after"], most)
    ids = function(
        step=steps.__call__,
        state=(0, arguments["memory"]),
        start_id=start_id,
        stop_id=stop_id,
        max_length=most,
    )
    return ids, steps


def _decode_once(function: Function, arguments: Arguments) -> object:
    return _decoded(function, arguments)[0]


def _decode_ints(function: Function, arguments: Arguments) -> int:
    _, steps = _decoded(function, arguments)
    if steps.not_an_int is not None:
        raise WrongResult(
            f"step takes the id as an int; yours gives it {a_kind(steps.not_an_int)}: "
            "int(...) or .item() makes an int of a tensor with one element."
        )
    return 1


def _decode_all(function: Function, arguments: Arguments) -> tuple[object, ...]:
    """All sides at once."""
    ids, steps = _decoded(function, arguments)
    never, at_once = ({"stop_after": n} for n in (NEVER, 0))
    same = {"stop_id": arguments["start_id"]}
    return (
        ids,
        *(_decode_once(function, arguments | other) for other in (never, at_once, same)),
        int(steps.not_an_int is None),
    )


_DECODING = {"memory": int, "start_id": int, "stop_id": int, "max_length": int, "stop_after": int}


def _score_tables(sizes: Sizes, generator: Generator) -> Tensor:
    """In no row are two scores equal, so that there is one likeliest word."""
    words = sizes["V"]
    return torch.rand(sizes["K"], words, words, generator=generator).argsort(-1) / 64


def _number(low: Callable[[Sizes], int], below: Callable[[Sizes], int]) -> Any:
    """Draws one whole number between limits that depend on the sizes."""
    return lambda sizes, generator: torch.randint(low(sizes), below(sizes), (), generator=generator)


def _decode_stages(*fixtures: Arrays) -> list[Stage]:
    first, second, *odd = fixtures
    values = "all of it together"

    def decoding(title: str, **other: Tensor | int) -> Stage:
        changed = {k: torch.as_tensor(v) for k, v in other.items()}
        calls = [(f"{title} {k}", f | changed) for k, f in enumerate((first, second), start=1)]
        return stage(title, DECODE_ONCE, *calls, after="")

    return [
        decoding("one word", stop_after=NEVER, max_length=1),
        decoding("words and states go on", stop_after=NEVER),
        decoding("the stop word ends it"),
        decoding("it may stop at once", stop_after=0),
        stage(
            "start and stop are one word",
            DECODE_ONCE,
            ("one word for both", first | {"stop_id": first["start_id"]}),
            after="",
        ),
        stage("step gets an int", DECODE_INTS, ("a sentence", first), after=""),
        stage(values, "greedy_decode", *fixtures_1_and_2(first, second), after=""),
        stage(
            "odd sizes",
            DECODE_ONCE,
            *((f"odd sizes {k}", arrays) for k, arrays in enumerate(odd, start=1)),
            after=values,
        ),
    ]


def _decode_sizes(generator: Generator) -> list[Sizes]:
    drawn = [dict(zip("KVT", _different(3, 5, 11, generator), strict=True)) for _ in range(2)]
    return [*drawn, {"K": 1, "V": 3, "T": 4}, {"K": 2, "V": 12, "T": 1}]


def _different(count: int, low: int, high: int, generator: Generator) -> list[int]:
    """Whole numbers from `low` to below `high`, no two of them equal."""
    found: list[int] = (torch.randperm(high - low, generator=generator)[:count] + low).tolist()
    return found


# ------------------------------------------------------------------ all of them

_SAMPLING = {"temperature": float, "seed": int}
_PADDING = {"length": int, "value": int}

DRIVERS = {
    "build_vocabulary": Driver(
        tuple(_VOCABULARY), {"max_size": int}, _VOCABULARY, _build_vocabulary
    ),
    "pad": Driver(
        tuple((f"batch ({side})", f"lengths ({side})") for side in SIDES),
        _PADDING,
        call=_pad_both_sides,
    ),
    PAD_ONE_SIDE: Driver(("batch", "lengths"), _PADDING, call=_pad_one_side),
    "flatten_states": Driver("rows"),
    "masked_cross_entropy": Driver("loss"),
    "sample_next": Driver(
        (
            *("frequencies", "the number of axes of ids", AGAIN),
            *("a word with -inf drawn", "ids at temperature 0"),
            "a ValueError at a negative temperature",
        ),
        _SAMPLING,
        {
            **dict.fromkeys(AGAIN, a_whole_number),
            "the number of axes of ids": a_whole_number,
            "a word with -inf drawn": a_whole_number,
            "a ValueError at a negative temperature": a_whole_number,
        },
        _alone(_sample_all),
    ),
    SAMPLE_ONCE: Driver("ids", _SAMPLING, call=_alone(_sample_once)),
    SAMPLE_OFTEN: Driver("frequencies", _SAMPLING, call=_alone(_sample_often)),
    SAMPLE_AGAIN: Driver(
        AGAIN, _SAMPLING, dict.fromkeys(AGAIN, a_whole_number), _alone(_sample_from_one)
    ),
    SAMPLE_WITHOUT: Driver(
        ("frequencies", "the same ids after torch.manual_seed"),
        _SAMPLING,
        {"the same ids after torch.manual_seed": a_whole_number},
        _alone(_sample_without),
    ),
    SAMPLE_EXCLUDED: Driver(
        "a word with -inf drawn",
        _SAMPLING,
        {"a word with -inf drawn": a_whole_number},
        _alone(_sample_excluded),
    ),
    SAMPLE_NEGATIVE: Driver(
        "a ValueError", _SAMPLING, {"a ValueError": a_whole_number}, _alone(_sample_negative)
    ),
    "greedy_decode": Driver(
        (
            *("ids", "ids where stop never comes", "ids where stop comes at once"),
            *("ids where start and stop are one word", "ids given to step as int"),
        ),
        _DECODING,
        {
            "ids": whole_numbers,
            "ids where stop never comes": whole_numbers,
            "ids where stop comes at once": whole_numbers,
            "ids where start and stop are one word": whole_numbers,
            "ids given to step as int": a_whole_number,
        },
        _decode_all,
    ),
    DECODE_ONCE: Driver("ids", _DECODING, {"ids": whole_numbers}, _decode_once),
    DECODE_INTS: Driver("an int", _DECODING, {"an int": a_whole_number}, _decode_ints),
}

PLANS = {
    plan.exercise: plan
    for plan in (
        Plan(
            "build_vocabulary",
            {"texts": _texts, "max_size": _number(lambda s: s["V"], lambda s: s["V"] + 1)},
            {},
            _vocabulary_stages,
            gradients=False,
            sizes=({"N": 3, "V": 8}, {"N": 5, "V": 9}, {"N": 1, "V": 2}, {"N": 2, "V": 30}),
            drawn=_vocabulary_sizes,
        ),
        Plan(
            "pad",
            {
                "sequences": whole("N", "K", below="10"),
                "lengths": _short_and_long,
                "length": _number(lambda s: s["T"], lambda s: s["T"] + 1),
                "value": _number(lambda s: 1, lambda s: 10),
            },
            {
                **dict.fromkeys(("batch", "batch (pre)", "batch (post)"), ("N", "length")),
                **dict.fromkeys(("lengths", "lengths (pre)", "lengths (post)"), ("N",)),
            },
            _pad_stages,
            gradients=False,
            sizes=(
                {"N": 4, "T": 6, "K": 9},
                {"N": 3, "T": 7, "K": 10},
                {"N": 1, "T": 3, "K": 5},
                {"N": 4, "T": 1, "K": 4},
            ),
            drawn=_pad_sizes,
        ),
        Plan(
            "flatten_states",
            {"output": ("T", "N", "H")},
            {"rows": ("N", "T·H")},
            _flatten_stages,
        ),
        Plan(
            "masked_cross_entropy",
            {
                "logits": numbers("T", "N", "V"),
                "targets": _targets,
                "lengths": _lengths,
            },
            {"loss": ()},
            _loss_stages,
            sizes=(
                {"T": 7, "N": 3, "V": 5},
                {"T": 6, "N": 4, "V": 7},
                {"T": 9, "N": 2, "V": 2},
                {"T": 1, "N": 1, "V": 3},
            ),
            drawn=_loss_sizes,
        ),
        Plan(
            "sample_next",
            {"logits": _ladder, "temperature": _temperature, "seed": _seed},
            {
                "ids": ("N",),
                "ids at temperature 0": ("N",),
                "frequencies": ("N", "V"),
            },
            _sample_stages,
            Relation(lambda arrays: arrays, atol=APART),
            gradients=False,
            sizes=({"N": 3, "V": 5}, {"N": 2, "V": 4}, {"N": 1, "V": 2}, {"N": 1, "V": 1}),
            drawn=_sample_sizes,
        ),
        Plan(
            "greedy_decode",
            {
                "scores": _score_tables,
                "memory": whole(below="K"),
                "start_id": _number(lambda s: 0, lambda s: s["V"] // 2),
                "stop_id": _number(lambda s: s["V"] // 2, lambda s: s["V"]),
                "max_length": _number(lambda s: s["T"], lambda s: s["T"] + 1),
                "stop_after": _number(
                    lambda s: min(2, s["T"] - 1), lambda s: max(min(2, s["T"] - 1) + 1, s["T"] - 1)
                ),
            },
            {},
            _decode_stages,
            gradients=False,
            sizes=(
                {"K": 4, "V": 7, "T": 8},
                {"K": 3, "V": 9, "T": 6},
                {"K": 1, "V": 3, "T": 4},
                {"K": 2, "V": 12, "T": 1},
            ),
            drawn=_decode_sizes,
        ),
    )
}
