"""How `sample_next` is tried: by frequencies, for honest samplers draw different ids."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from .... import models as stubs
from ...._exercise import Function, describe
from ...drivers import Driver
from ...plan import Fixture, Plan, Stage
from ...relations import Relation
from ...results import Arrays, WrongResultError, as_int, as_tensor
from ...sizes import Sizes
from ...stages import SHAPES, stage, unchanged, whole
from .common import Arguments, different, pass_on

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

SAMPLE_ONCE, SAMPLE_OFTEN, SAMPLE_AGAIN = "once", "many times", "again from one generator"
SAMPLE_WITHOUT, SAMPLE_EXCLUDED, SAMPLE_NEGATIVE = "no generator", "beside -inf", "below zero"
"""Names of drivers."""

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
    pass_on(not torch.equal(given, logits), logits)  # the same for all words: no other odds
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
        raise WrongResultError(
            "torch's own random stream is drawn from or seeded, though there is a generator: "
            "draw from the generator alone."
        )
    if not same:
        raise WrongResultError(
            "the same state of the generator gives other ids: it must be the only source of chance."
        )
    if not other:
        raise WrongResultError(
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
    raise WrongResultError(
        f"a negative temperature must raise ValueError; yours returns {describe(result)}."
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
    ids = as_tensor("ids", result)
    if ids.dtype != torch.int64:
        raise WrongResultError(
            f"ids must be int64; yours is {str(ids.dtype).removeprefix('torch.')}."
        )
    if ids.numel() != len(rows):
        raise WrongResultError(
            f"ids has shape {tuple(ids.shape)} for {len(rows)} rows of scores; "
            f"it must be ({len(rows)},)."
        )
    if ids.min() < 0 or ids.max() >= rows.shape[1]:
        raise WrongResultError(f"an id is outside 0 to {rows.shape[1] - 1}.")
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


def _sample_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *odd = fixtures
    often, values, inputs = "frequencies", "all of it together", first.inputs
    one = inputs | {"logits": inputs["logits"][:1]}
    even = torch.arange(one["logits"].shape[1]) % 2 == 0
    excluded = one | {"logits": one["logits"].masked_fill(even, -torch.inf)}
    # A word that leads by 50 is as good as certain, and exp of it is finite.
    leads = inputs | {"logits": _one_leads(inputs["logits"])}
    batches = (("a batch", inputs), ("another batch", second.inputs), ("one row", one))

    def at(temperature: float, arrays: Arrays) -> Arrays:
        return arrays | {"temperature": torch.tensor(temperature)}

    cold = [(f"{label}, temperature 0", at(0.0, arrays)) for label, arrays in batches]
    warm = ("a low temperature", one), ("a high temperature", at(2.5, one))
    # What exp makes of such scores is infinite, unless the largest is taken away first.
    apart = one | {"logits": 20 * one["logits"], "temperature": torch.tensor(0.02)}
    equal = at(1.0, one | {"logits": torch.full_like(one["logits"], 200.0)})
    large = ("scores far apart, temperature 0.02", apart), ("equal scores of 200", equal)
    never = (
        ("some words with -inf", at(1.0, excluded)),
        ("-inf at a high temperature", at(2.5, excluded)),
    )
    bare = ("no generator", one), ("the scores alone", at(1.0, one))
    sizes = [(f"odd sizes {k}", fixture.inputs) for k, fixture in enumerate(odd, start=1)]
    others, rows = "frequencies at other temperatures", "each row by its own scores"
    only_source = "the generator is the only source of chance"
    negative = ("temperature -1", at(-1.0, inputs))
    refused = "a negative temperature is a ValueError"
    return [
        stage(SHAPES, *batches, driver=SAMPLE_ONCE, aspect="shapes", after="", weight=0.1),
        stage("temperature 0 takes the likeliest", *cold, driver=SAMPLE_ONCE, weight=0.1),
        stage(often, ("temperature 1", at(1.0, one)), driver=SAMPLE_OFTEN, weight=0.1),
        stage(others, *warm, driver=SAMPLE_OFTEN, weight=0.15),
        stage(rows, ("one word leads", at(1.0, leads)), driver=SAMPLE_OFTEN, weight=0.1),
        stage("large scores", *large, driver=SAMPLE_OFTEN, after=often, weight=0.05),
        stage("-inf is never drawn", *never, driver=SAMPLE_EXCLUDED, weight=0.1),
        stage(only_source, ("a generator", one), driver=SAMPLE_AGAIN, weight=0.1),
        stage("without a generator", *bare, driver=SAMPLE_WITHOUT, weight=0.05),
        stage(refused, negative, driver=SAMPLE_NEGATIVE, weight=0.05),
        stage(values, *whole(first, second), weight=0.05),
        stage("odd sizes", *sizes, driver=SAMPLE_OFTEN, after=often, weight=0.05),
        unchanged(first, second),
    ]


def _one_leads(logits: Tensor) -> Tensor:
    """Another word in each row, as far as there are so many."""
    leading = torch.arange(len(logits)) % logits.shape[1]
    return logits + 50 * torch.nn.functional.one_hot(leading, logits.shape[1])


def _sample_sizes(generator: Generator) -> list[Sizes]:
    words = different(2, 4, 6, generator)
    return [
        {"N": 3, "V": words[0]},
        {"N": 2, "V": words[1]},
        {"N": 1, "V": 2},
        {"N": 1, "V": 1},
    ]


_SAMPLING = {"temperature": float, "seed": int}

sample_next = Plan(
    stubs.sample_next,
    _sample_stages,
    inputs={"logits": _ladder, "temperature": _temperature, "seed": _seed},
    only_inputs=True,
    outputs={"ids at temperature 0": ("N",), "frequencies": ("N", "V")},
    driver=Driver(
        (
            *("frequencies", "the number of axes of ids", AGAIN),
            *("a word with -inf drawn", "ids at temperature 0"),
            "a ValueError at a negative temperature",
        ),
        _SAMPLING,
        {
            **dict.fromkeys(AGAIN, as_int),
            "the number of axes of ids": as_int,
            "a word with -inf drawn": as_int,
            "a ValueError at a negative temperature": as_int,
        },
        _alone(_sample_all),
    ),
    drivers={
        SAMPLE_ONCE: Driver("ids", _SAMPLING, call=_alone(_sample_once)),
        SAMPLE_OFTEN: Driver("frequencies", _SAMPLING, call=_alone(_sample_often)),
        SAMPLE_AGAIN: Driver(
            AGAIN, _SAMPLING, dict.fromkeys(AGAIN, as_int), _alone(_sample_from_one)
        ),
        SAMPLE_WITHOUT: Driver(
            ("frequencies", "the same ids after torch.manual_seed"),
            _SAMPLING,
            {"the same ids after torch.manual_seed": as_int},
            _alone(_sample_without),
        ),
        SAMPLE_EXCLUDED: Driver(
            "a word with -inf drawn",
            _SAMPLING,
            {"a word with -inf drawn": as_int},
            _alone(_sample_excluded),
        ),
        SAMPLE_NEGATIVE: Driver(
            "a ValueError", _SAMPLING, {"a ValueError": as_int}, _alone(_sample_negative)
        ),
    },
    relation=Relation(lambda arrays: arrays, atol=APART),
    gradients=False,
    sizes=({"N": 3, "V": 5}, {"N": 2, "V": 4}, {"N": 1, "V": 2}, {"N": 1, "V": 1}),
    drawn=_sample_sizes,
)
