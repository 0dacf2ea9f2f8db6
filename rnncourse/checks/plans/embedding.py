"""How the exercises of `rnncourse.embedding` are tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor

from ... import embedding as stubs
from ..._axes import Axes
from ..._exercise import Function
from ..drivers import Driver
from ..forbidden_calls import EMBEDDING, ONE_HOT
from ..plan import Fixture, Plan, Stage, in_float64, only
from ..relations import MULTISET
from ..results import Arrays, as_int, pairs, whole_numbers
from ..sizes import Draw, Sizes, extent, integers, shape_of, uniform
from ..stages import (
    BEYOND_ONE,
    Call,
    endings,
    gradients,
    odd_sizes,
    on_the_device,
    shapes,
    stage,
    unchanged,
    whole,
)

RESULT, GRADIENT = "the result", "the gradient"
DTYPE = "the result's dtype"
DTYPES = tuple(
    str(dtype).removeprefix("torch.")
    for dtype in (
        torch.float32,
        torch.float64,
        torch.float16,
        torch.bfloat16,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
        torch.bool,
        torch.complex64,
    )
)
"""Those that a result may have, by the number by which they travel."""
PADDED = tuple(f"{GRADIENT} with padding_idx {p}" for p in ("None", "0", "above 0"))

OF_FLOATS, WITH_PADDING, AT_LARGE_SCORES = "dtype", "padding", "large scores"
"""Drivers beside the exercises' own: what they ask for is judged alone."""
_TABLE: Axes = ("V", "D")

WIDE = 12
"""Added to every number of a vector, this makes scores of several hundred."""


# ------------------------------------------------------------------ inputs


def _size(axis: str) -> Draw:
    """The extent of an axis, as a number."""
    return lambda sizes, generator: torch.tensor(extent(axis, sizes))


def _ids(*axes: str) -> Draw:
    """Ids of which 0 and 1 occur at least twice, and the last word never."""

    def drawn(sizes: Sizes, generator: Generator) -> Tensor:
        flat = torch.randint(sizes["V"] - 1, shape_of(axes, sizes), generator=generator).flatten()
        if len(flat) >= 4:
            places = torch.randperm(len(flat), generator=generator)[:4]
            flat[places] = torch.tensor([0, 0, 1, 1])
        return flat.view(shape_of(axes, sizes))

    return drawn


def _text(sizes: Sizes, generator: Generator) -> Tensor:
    """A text with a word that stands again two places later."""
    text = integers("T", below="V")(sizes, generator)
    if len(text) > 2:
        place = int(torch.randint(len(text) - 2, (), generator=generator))
        text[place + 2] = text[place]
    return text


def _vectors(sizes: Sizes, generator: Generator) -> Tensor:
    """Rows of many lengths. The first three point nearly the same way, so that words of a question
    are among its answers where nobody leaves them out."""
    draw = uniform("V", "D")
    weight, noise = draw(sizes, generator), draw(sizes, generator)
    lengths = 2.0 ** -torch.randint(4, (sizes["V"], 1), generator=generator)
    weight[1:3] = weight[0] + noise[1:3] / 16
    return weight * lengths


def _questions(sizes: Sizes, generator: Generator) -> Tensor:
    """Rows of three different words; the first asks for words that are near each other."""
    near = torch.randperm(3, generator=generator)
    rest = [torch.randperm(sizes["V"], generator=generator)[:3] for _ in range(sizes["Q"] - 1)]
    return torch.stack([near, *rest])


# ------------------------------------------------------------------ calls


def _in_float32(function: Function, arguments: dict[str, Any]) -> object:
    """The result as float32, for stages in which its dtype is not the question."""
    result = function(**arguments)
    return result.float() if isinstance(result, Tensor) else result


def _and_its_dtype(function: Function, arguments: dict[str, Any]) -> object:
    result = function(**arguments)
    dtype = str(getattr(result, "dtype", "")).removeprefix("torch.")
    number = DTYPES.index(dtype) if dtype in DTYPES else len(DTYPES)
    return result.float() if isinstance(result, Tensor) else result, number


def _each_padding(function: Function, arguments: dict[str, Any]) -> object:
    """Without a word that does not learn, with word 0 and with another one."""
    given = {k: v for k, v in arguments.items() if k != "padding_idx"}
    return tuple(function(**given, padding_idx=p) for p in (None, 0, arguments["padding_idx"]))


def _large(arrays: Arrays, turned: str) -> Arrays:
    """The same vectors with scores of several hundred. Those of the input `turned` are negative."""
    return {k: -v - WIDE if k == turned else v + WIDE for k, v in arrays.items()}


def _also_at_large_scores(function: Function, arguments: dict[str, Any]) -> object:
    """On the vectors as they are, and on those of a model that is wrong about every pair."""
    return function(**arguments), function(**_large(arguments, turned="context"))


def _each_question(function: Function, arguments: dict[str, Any]) -> object:
    """The answers to all questions in a row."""
    given = {k: v for k, v in arguments.items() if k != "questions"}
    answers = [function(a=a, b=b, c=c, **given) for a, b, c in arguments["questions"]]
    return torch.cat([whole_numbers("the answer", answer) for answer in answers])


def _torch_one_hot(ids: Tensor, vocab_size: int) -> Tensor:
    return torch.nn.functional.one_hot(ids, vocab_size).float()


def _torch_embedding(ids: Tensor, weight: Tensor) -> Tensor:
    return torch.nn.functional.embedding(ids, weight)


def _torch_backward(
    grad_output: Tensor, ids: Tensor, vocab_size: int, padding_idx: int | None = None
) -> Tensor:
    """What autograd says of torch's embedding."""
    weight = grad_output.new_zeros(vocab_size, grad_output.shape[-1], requires_grad=True)
    with torch.enable_grad():
        total = (torch.nn.functional.embedding(ids, weight, padding_idx) * grad_output).sum()
    gradient: Tensor = torch.autograd.grad(total, weight)[0]
    return gradient


# ------------------------------------------------------------------ stages


def _other_shapes(fixture: Fixture, *names: str) -> list[Call]:
    """The same inputs where those named have no axis, one and three in the place of two."""
    cuts: dict[str, Callable[[Tensor], Tensor]] = {
        "one id": lambda v: v[0, 0],
        "a text": lambda v: v[0],
        "ids with three axes": lambda v: v[None],
    }
    return [
        (label, fixture.inputs | {name: cut(fixture[name]) for name in names})
        for label, cut in cuts.items()
    ]


def _one_hot_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values, calls = "1 in the place of the id", whole(first, second)
    others = _other_shapes(first, "ids")
    return [
        shapes(first, second),
        stage(values, *calls, weight=0.4),
        stage("ids of any shape", *others, after=values, weight=0.2),
        odd_sizes(fixtures, values, weight=0.1),
        stage("floats, no whole numbers", *calls, driver=OF_FLOATS, after=values, weight=0.2),
        on_the_device(first, values),
        unchanged(first, second),
    ]


def _embed_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values = "the row of each id"
    return [
        shapes(first, second),
        stage(values, *whole(first, second), weight=0.4),
        stage("ids of any shape", *_other_shapes(first, "ids"), after=values, weight=0.2),
        gradients(first, second, values, weight=0.2),
        *endings(fixtures, values, BEYOND_ONE),
    ]


def _backward_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values = "words that occur again"
    count = min(int(first["vocab_size"]), first["ids"].numel())
    once = first.inputs | {
        "ids": torch.arange(count).flip(0),
        "grad_output": first["grad_output"].flatten(0, 1)[:count],
    }
    padded = whole(*(f.replaced(padding_idx=f["ids"].max()) for f in (first, second)))
    others = _other_shapes(first, "ids", "grad_output")
    return [
        shapes(first, second),
        stage("words that occur once", ("each once", once), weight=0.2),
        stage(values, *whole(first, second), weight=0.25),
        stage("ids of any shape", *others, after=values, weight=0.1),
        stage("padding_idx", *padded, driver=WITH_PADDING, after=values, weight=0.25),
        *endings(fixtures, values, BEYOND_ONE),
    ]


def _pairs_stages(*fixtures: Fixture) -> list[Stage]:
    """Nothing comes after anything: a wrong number of pairs is wrong in every stage where it
    shows, and in no other."""
    first, second, short, single, *_ = fixtures
    narrow = first.inputs | {"window": torch.tensor(1)}
    same = first.inputs | {"ids": torch.ones_like(first["ids"])}
    short_text, single_word = ("short text", short.inputs), ("single word", single.inputs)
    return [
        stage("a window of one", ("window of one", narrow), after="", weight=0.25),
        stage("a wider window", *whole(first, second), after="", weight=0.35),
        stage("one word again and again", ("one word", same), after="", weight=0.2),
        stage("a window larger than the text", short_text, after="", weight=0.1),
        stage("a text of one word", single_word, after="", weight=0.1),
    ]


def _loss_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values = "the whole loss"
    near = ("neighbours", only(first, "centre", "context"))
    far = ("negatives", only(first, "centre", "negatives"))
    one = {k: v[:1] for k, v in first.inputs.items()}
    large = whole(*(Fixture(f.inputs) for f in (first, second)))
    confident = ("large scores", _large(first.inputs, turned="negatives"))
    return [
        shapes(first, second),
        stage("only the neighbours", near, weight=0.1),
        stage("only the negatives", far, weight=0.1),
        stage(values, *whole(first, second), weight=0.2),
        gradients(first, second, values, weight=0.15),
        stage("a batch of one", ("a batch of one", one), after=values, weight=0.05),
        stage("finite at large scores", *large, driver=AT_LARGE_SCORES, after=values, weight=0.15),
        stage("no loss where all is right", confident, after=values, weight=0.05),
        *endings(fixtures, values),
    ]


def _analogy_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values = "several answers, the best first"
    single = {k: v for k, v in first.inputs.items() if k != "k"}
    near = single | {"questions": first["questions"][:1]}
    double = ("float64", in_float64(first, BEYOND_ONE))
    return [
        stage("a, b and c are left out", ("near words", near), after="", weight=0.2),
        stage("one answer", ("k left out", single), after="", weight=0.3),
        stage(values, *whole(first, second), after="", weight=0.35),
        odd_sizes(fixtures, values, weight=0.1),
        stage("float64 vectors", double, after=values, weight=0.05),
        unchanged(first, second, after=values),
    ]


# ------------------------------------------------------------------ sizes


def _drawn(generator: Generator, count: int, low: int, high: int) -> list[int]:
    """Different numbers from `low` to below `high`."""
    return (torch.randperm(high - low, generator=generator)[:count] + low).tolist()


TABLES: tuple[Sizes, ...] = (
    {"N": 3, "T": 4, "V": 6, "D": 5},
    {"N": 4, "T": 2, "V": 7, "D": 3},
    {"N": 1, "T": 1, "V": 2, "D": 1},
    {"N": 2, "T": 5, "V": 3, "D": 1},
)


def _tables(generator: Generator) -> list[Sizes]:
    different = [dict(zip("NTVD", _drawn(generator, 4, 3, 9), strict=True)) for _ in range(2)]
    length = _drawn(generator, 1, 4, 9)[0]
    return [*different, {"N": 1, "T": 1, "V": 2, "D": 1}, {"N": 2, "T": length, "V": 3, "D": 1}]


TEXTS: tuple[Sizes, ...] = (
    {"T": 9, "V": 5, "W": 2},
    {"T": 11, "V": 6, "W": 3},
    {"T": 4, "V": 7, "W": 9},
    {"T": 1, "V": 5, "W": 2},
)


def _texts(generator: Generator) -> list[Sizes]:
    windows, words = _drawn(generator, 2, 2, 4), _drawn(generator, 3, 5, 8)
    lengths, short = _drawn(generator, 2, 9, 14), _drawn(generator, 1, 3, 6)[0]
    return [
        *({"T": lengths[k], "V": words[k], "W": windows[k]} for k in range(2)),
        {"T": short, "V": words[2], "W": short + windows[0]},
        {"T": 1, "V": words[2], "W": windows[1]},
    ]


SAMPLES: tuple[Sizes, ...] = (
    {"N": 3, "D": 5, "K": 4},
    {"N": 5, "D": 3, "K": 2},
    {"N": 1, "D": 1, "K": 1},
    {"N": 4, "D": 2, "K": 1},
)


def _samples(generator: Generator) -> list[Sizes]:
    different = [dict(zip("NDK", _drawn(generator, 3, 2, 8), strict=True)) for _ in range(2)]
    return [
        *different,
        {"N": 1, "D": 1, "K": 1},
        {"N": _drawn(generator, 1, 2, 6)[0], "D": 2, "K": 1},
    ]


VOCABULARIES: tuple[Sizes, ...] = (
    {"V": 11, "D": 5, "Q": 4, "K": 3},
    {"V": 13, "D": 6, "Q": 5, "K": 4},
    {"V": 4, "D": 3, "Q": 1, "K": 1},
    {"V": 8, "D": 4, "Q": 2, "K": 5},
)


def _vocabularies(generator: Generator) -> list[Sizes]:
    words = _drawn(generator, 3, 11, 15)
    different = [
        dict(zip("VDQK", [size, *_drawn(generator, 3, 4, 8)], strict=True)) for size in words[:2]
    ]
    return [
        *different,
        {"V": 4, "D": 3, "Q": 1, "K": 1},
        {"V": words[2], "D": 4, "Q": 2, "K": words[2] - 3},
    ]


# ------------------------------------------------------------------ plans

one_hot = Plan(
    stubs.one_hot,
    _one_hot_stages,
    inputs={"ids": _ids("N", "T"), "vocab_size": _size("V")},
    outputs={RESULT: ("N", "T", "V")},
    driver=Driver(RESULT, inputs={"vocab_size": int}, call=_in_float32),
    drivers={
        OF_FLOATS: Driver(
            (RESULT, DTYPE),
            inputs={"vocab_size": int},
            results={DTYPE: as_int},
            call=_and_its_dtype,
        )
    },
    words={DTYPE: DTYPES},
    oracle=_torch_one_hot,
    gradients=False,
    sizes=TABLES,
    drawn=_tables,
    forbidden_calls=ONE_HOT,
)

embed = Plan(
    stubs.embed,
    _embed_stages,
    inputs={"ids": _ids("N", "T")},
    outputs={RESULT: ("N", "T", "D")},
    oracle=_torch_embedding,
    sizes=TABLES,
    drawn=_tables,
    forbidden_calls=EMBEDDING,
)

embed_backward = Plan(
    stubs.embed_backward,
    _backward_stages,
    inputs={"grad_output": ("N", "T", "D"), "ids": _ids("N", "T"), "vocab_size": _size("V")},
    outputs=dict.fromkeys(PADDED, _TABLE),
    drivers={
        WITH_PADDING: Driver(
            PADDED, inputs={"vocab_size": int, "padding_idx": int}, call=_each_padding
        )
    },
    oracle=_torch_backward,
    gradients=False,
    sizes=TABLES,
    drawn=_tables,
    forbidden_calls=EMBEDDING,
)

skipgram_pairs = Plan(
    stubs.skipgram_pairs,
    _pairs_stages,
    inputs={"ids": _text, "window": _size("W")},
    outputs={"pairs": ("pairs", "2"), "sorted pairs": ("pairs", "2")},
    driver=Driver("pairs", inputs={"ids": Tensor.tolist, "window": int}, results={"pairs": pairs}),
    relation=MULTISET,
    gradients=False,
    sizes=TEXTS,
    drawn=_texts,
)

negative_sampling_loss = Plan(
    stubs.negative_sampling_loss,
    _loss_stages,
    drivers={AT_LARGE_SCORES: Driver(("loss", "loss at large scores"), call=_also_at_large_scores)},
    sizes=SAMPLES,
    drawn=_samples,
)

analogy = Plan(
    stubs.analogy,
    _analogy_stages,
    inputs={"weight": _vectors, "questions": _questions, "k": _size("K")},
    only_inputs=True,
    outputs={"answers": ("answers",)},
    driver=Driver("answers", inputs={"questions": Tensor.tolist, "k": int}, call=_each_question),
    gradients=False,
    sizes=VOCABULARIES,
    drawn=_vocabularies,
)
