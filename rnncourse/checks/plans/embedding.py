"""How the exercises of `rnncourse.embedding` are tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor

from ..drivers import Driver, Function
from ..plan import (
    Axes,
    Draw,
    Plan,
    Sizes,
    Stage,
    extent,
    in_float64,
    integers,
    only,
    shape_of,
    to_meta,
    uniform,
    without_cotangents,
)
from ..ready_made import EMBEDDING, ONE_HOT
from ..relations import MULTISET
from ..results import Arrays, as_int, pairs, whole_numbers
from ..stages import BEYOND_ONE, endings, fixture_calls, odd_sizes, shapes, stage, unchanged

RESULT, GRADIENT = "the result", "the gradient"
DTYPE = "result.dtype == torch.get_default_dtype()"
PADDED = tuple(f"{GRADIENT} with padding_idx {p}" for p in ("None", "0", "above 0"))

OF_FLOATS = "one_hot with its dtype"
WITH_PADDING = "embed_backward with padding"
AT_LARGE_SCORES = "negative_sampling_loss at large scores"
"""Drivers beside the exercises' own: what they ask for is judged alone."""

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
    if not isinstance(result, Tensor):
        return result, 0
    return result.float(), int(result.dtype == torch.get_default_dtype())


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


DRIVERS = {
    "one_hot": Driver(RESULT, inputs={"vocab_size": int}, call=_in_float32),
    OF_FLOATS: Driver(
        (RESULT, DTYPE),
        inputs={"vocab_size": int},
        results={DTYPE: as_int},
        call=_and_its_dtype,
    ),
    "embed": Driver(RESULT),
    "embed_backward": Driver(GRADIENT, inputs={"vocab_size": int}),
    WITH_PADDING: Driver(
        PADDED,
        inputs={"vocab_size": int, "padding_idx": int},
        call=_each_padding,
    ),
    "skipgram_pairs": Driver(
        "pairs", inputs={"ids": Tensor.tolist, "window": int}, results={"pairs": pairs}
    ),
    "negative_sampling_loss": Driver("loss"),
    AT_LARGE_SCORES: Driver(("loss", "loss at large scores"), call=_also_at_large_scores),
    "analogy": Driver(
        "answers", inputs={"questions": Tensor.tolist, "k": int}, call=_each_question
    ),
}


def _torch_one_hot(ids: Tensor, **size: int) -> Tensor:
    return torch.nn.functional.one_hot(ids, size["vocab_size"]).float()


def _torch_embedding(ids: Tensor, **table: Tensor) -> Tensor:
    return torch.nn.functional.embedding(ids, table["weight"])


def _torch_backward(**given: Any) -> Tensor:
    """What autograd says of torch's embedding."""
    grad_output = given["grad_output"]
    weight = grad_output.new_zeros(given["vocab_size"], grad_output.shape[-1], requires_grad=True)
    with torch.enable_grad():
        vectors = torch.nn.functional.embedding(given["ids"], weight)
    gradient: Tensor = torch.autograd.grad(vectors, weight, grad_output)[0]
    return gradient


# ------------------------------------------------------------------ stages


def _other_shapes(arrays: Arrays, *names: str) -> tuple[tuple[str, Arrays], ...]:
    """The same inputs where those named have no axis, one and three in the place of two."""
    inputs = without_cotangents(arrays)
    cuts: dict[str, Callable[[Tensor], Tensor]] = {
        "one id": lambda v: v[0, 0],
        "a text": lambda v: v[0],
        "ids with three axes": lambda v: v[None],
    }
    return tuple(
        (label, inputs | {name: cut(inputs[name]) for name in names}) for label, cut in cuts.items()
    )


def _one_hot(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values = "one_hot", "1 in the place of the id"
    away = ("another device", to_meta(first))
    return [
        shapes(name, first, second),
        stage(values, name, *fixture_calls(first, second)),
        stage("ids of any shape", name, *_other_shapes(first, "ids"), after=values),
        odd_sizes(name, fixtures, values),
        stage("floats, no whole numbers", OF_FLOATS, *fixture_calls(first, second), after=values),
        stage("stays on the device", name, away, aspect="device", after=values),
        unchanged(name, first, second),
    ]


def _embed(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values = "embed", "the row of each id"
    calls = fixture_calls(first, second)
    return [
        shapes(name, first, second),
        stage(values, name, *calls),
        stage("ids of any shape", name, *_other_shapes(first, "ids"), after=values),
        stage("gradients", name, *calls, aspect="gradients", after=values),
        *endings(name, fixtures, values, BEYOND_ONE),
    ]


def _embed_backward(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values = "embed_backward", "words that occur again"
    count = min(int(first["vocab_size"]), first["ids"].numel())
    once = first | {
        "ids": torch.arange(count).flip(0),
        "grad_output": first["grad_output"].flatten(0, 1)[:count],
    }
    padded = [f | {"padding_idx": f["ids"].max()} for f in (first, second)]
    return [
        shapes(name, first, second),
        stage("words that occur once", name, ("each once", once)),
        stage(values, name, *fixture_calls(first, second)),
        stage("ids of any shape", name, *_other_shapes(first, "ids", "grad_output"), after=values),
        stage("padding_idx", WITH_PADDING, *fixture_calls(*padded), after=values),
        *endings(name, fixtures, values, BEYOND_ONE),
    ]


def _skipgram_pairs(*fixtures: Arrays) -> list[Stage]:
    """Nothing comes after anything: a wrong number of pairs is wrong in every stage where it
    shows, and in no other."""
    first, second, short, single, *_ = fixtures
    name = "skipgram_pairs"
    calls = {
        "a window of one": [("window of one", first | {"window": torch.tensor(1)})],
        "a wider window": [*fixture_calls(first, second)],
        "one word again and again": [("one word", first | {"ids": torch.ones_like(first["ids"])})],
        "a window larger than the text": [("short text", short)],
        "a text of one word": [("single word", single)],
    }
    return [stage(title, name, *cases, after="") for title, cases in calls.items()]


def _negative_sampling_loss(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values, large = "negative_sampling_loss", "the whole loss", "finite at large scores"
    calls = fixture_calls(first, second)
    one = {k: v[:1] for k, v in without_cotangents(first).items()}
    confident = _large(without_cotangents(first), turned="negatives")
    return [
        shapes(name, first, second),
        stage("only the neighbours", name, ("neighbours", only(first, "centre", "context"))),
        stage("only the negatives", name, ("negatives", only(first, "centre", "negatives"))),
        stage(values, name, *calls),
        stage("gradients", name, *calls, aspect="gradients", after=values),
        stage("a batch of one", name, ("a batch of one", one), after=values),
        stage(
            large,
            AT_LARGE_SCORES,
            *fixture_calls(*map(without_cotangents, (first, second))),
            after=values,
        ),
        stage("no loss where all is right", name, ("large scores", confident), after=values),
        *endings(name, fixtures, values),
    ]


def _analogy(*fixtures: Arrays) -> list[Stage]:
    first, second, *_ = fixtures
    name, values = "analogy", "several answers, the best first"
    single = {k: v for k, v in first.items() if k != "k"}
    near = single | {"questions": first["questions"][:1]}
    return [
        stage("a, b and c are left out", name, ("near words", near), after=""),
        stage("one answer", name, ("k left out", single), after=""),
        stage(values, name, *fixture_calls(first, second), after=""),
        odd_sizes(name, fixtures, values),
        stage("float64 vectors", name, ("float64", in_float64(first, BEYOND_ONE)), after=values),
        unchanged(name, first, second, after=values),
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


_TABLE: Axes = ("V", "D")

PLANS = {
    plan.exercise: plan
    for plan in (
        Plan(
            "one_hot",
            {"ids": _ids("N", "T"), "vocab_size": _size("V")},
            {RESULT: ("N", "T", "V")},
            _one_hot,
            oracle=_torch_one_hot,
            gradients=False,
            sizes=TABLES,
            drawn=_tables,
            ready_made=ONE_HOT,
        ),
        Plan(
            "embed",
            {"ids": _ids("N", "T"), "weight": _TABLE},
            {RESULT: ("N", "T", "D")},
            _embed,
            oracle=_torch_embedding,
            sizes=TABLES,
            drawn=_tables,
            ready_made=EMBEDDING,
        ),
        Plan(
            "embed_backward",
            {
                "grad_output": ("N", "T", "D"),
                "ids": _ids("N", "T"),
                "vocab_size": _size("V"),
            },
            dict.fromkeys((GRADIENT, *PADDED), _TABLE),
            _embed_backward,
            oracle=_torch_backward,
            gradients=False,
            sizes=TABLES,
            drawn=_tables,
            ready_made=EMBEDDING,
        ),
        Plan(
            "skipgram_pairs",
            {"ids": _text, "window": _size("W")},
            {"pairs": ("pairs", "2"), "sorted pairs": ("pairs", "2")},
            _skipgram_pairs,
            MULTISET,
            gradients=False,
            sizes=TEXTS,
            drawn=_texts,
        ),
        Plan(
            "negative_sampling_loss",
            {"centre": ("N", "D"), "context": ("N", "D"), "negatives": ("N", "K", "D")},
            {"loss": (), "loss at large scores": ()},
            _negative_sampling_loss,
            sizes=SAMPLES,
            drawn=_samples,
        ),
        Plan(
            "analogy",
            {"weight": _vectors, "questions": _questions, "k": _size("K")},
            {"answers": ("answers",)},
            _analogy,
            gradients=False,
            sizes=VOCABULARIES,
            drawn=_vocabularies,
        ),
    )
}
