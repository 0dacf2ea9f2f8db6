"""How `pad` is tried: each side on its own, and both together."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from .... import models as stubs
from ...._exercise import Function
from ...drivers import Driver
from ...plan import Fixture, Plan, Stage
from ...results import Arrays
from ...sizes import Sizes, integers
from ...stages import SHAPES, Call, odd_sizes, stage, unchanged, whole
from .common import Arguments, different, number, pass_on

SIDES = ("pre", "post")
PAD_ONE_SIDE = "one side"


def _pad_one_side(function: Function, arguments: Arguments) -> object:
    return _padded(function, arguments, SIDES[int(arguments["side"])])


def _pad_both_sides(function: Function, arguments: Arguments) -> object:
    given = arguments["sequences"]
    copies = [arguments | {"sequences": given.clone()} for _ in SIDES]
    results = tuple(_padded(function, own, side) for own, side in zip(copies, SIDES, strict=True))
    pass_on(any(not torch.equal(own["sequences"], given) for own in copies), given)
    return results


def _sequences(arguments: Arguments) -> list[list[int]]:
    ids, lengths = arguments["sequences"].tolist(), arguments["lengths"].tolist()
    return [row[:length] for row, length in zip(ids, lengths, strict=True)]


def _shown_one_side(arguments: Arguments) -> Arguments:
    """The arguments of a call on one side."""
    numbers = {name: arguments[name] for name in _NUMBERS if name in arguments}
    side = SIDES[int(arguments["side"])]
    return {"sequences": _sequences(arguments), "side": side, **numbers}


def _padded(function: Function, arguments: Arguments, side: str) -> object:
    sequences = _sequences(arguments)
    given = [row.copy() for row in sequences]
    value = {"value": arguments["value"]} if "value" in arguments else {}
    result = function(sequences=sequences, length=arguments["length"], side=side, **value)
    pass_on(sequences != given, arguments["sequences"])
    return result


def _short_and_long(sizes: Sizes, generator: Generator) -> Tensor:
    """Lengths around T: one shorter, one longer, one equal, and others, in any order."""
    length, longest = sizes["T"], sizes["K"]
    if sizes["N"] == 1:
        return torch.tensor([longest])
    lengths = torch.randint(1, longest + 1, (sizes["N"],), generator=generator)
    lengths[:3] = torch.tensor([max(1, length - 2), length + 1, length])[: sizes["N"]]
    return lengths[torch.randperm(sizes["N"], generator=generator)]


def _pad_stages(*fixtures: Fixture) -> list[Stage]:
    fixtures = tuple(_with_the_value_inside(fixture) for fixture in fixtures)
    first, second, *_ = fixtures
    values = "short and long on both sides"
    plain = {k: v for k, v in first.inputs.items() if k != "value"}
    short = plain | {"lengths": first["lengths"].clamp(max=int(first["length"]))}
    long = plain | {"lengths": first["lengths"].clamp(min=first["sequences"].shape[1] - 1)}
    other = short | {"value": torch.tensor(-7)}
    both = [
        _on(side, f"shapes {k}", fixture.inputs)
        for side in SIDES
        for k, fixture in enumerate((first, second))
    ]

    def one_side(title: str, *calls: Call, weight: float) -> Stage:
        return stage(title, *calls, driver=PAD_ONE_SIDE, weight=weight)

    return [
        stage(SHAPES, *both, driver=PAD_ONE_SIDE, aspect="shapes", after="", weight=0.1),
        one_side("short ones, padded in front", _on("pre", "short", short), weight=0.15),
        one_side("short ones, padded behind", _on("post", "short", short), weight=0.15),
        one_side("long ones, cut in front", _on("pre", "long", long), weight=0.15),
        one_side("long ones, cut behind", _on("post", "long", long), weight=0.15),
        one_side(
            "another padding value", *(_on(side, "value -7", other) for side in SIDES), weight=0.1
        ),
        stage(values, *whole(first, second), weight=0.15),
        odd_sizes(fixtures, after=values),
        unchanged(first, second),
    ]


def _with_the_value_inside(fixture: Fixture) -> Fixture:
    """Each sequence begins with an id that equals the padding value: a real one all the same."""
    sequences = fixture["sequences"].clone()
    sequences[:, 0] = fixture["value"]
    return fixture.replaced(sequences=sequences)


def _on(side: str, label: str, arrays: Arrays) -> Call:
    return f"{label}, {side}", arrays | {"side": torch.tensor(SIDES.index(side))}


def _pad_sizes(generator: Generator) -> list[Sizes]:
    drawn = []
    for count in different(2, 3, 6, generator):
        length = 6 + int(torch.randint(3, (), generator=generator))
        drawn.append({"N": count, "T": length, "K": length + 3})
    return [*drawn, {"N": 1, "T": 3, "K": 5}, {"N": 4, "T": 1, "K": 4}]


_NUMBERS = {"length": int, "value": int}

pad = Plan(
    stubs.pad,
    _pad_stages,
    inputs={
        "sequences": integers("N", "K", below="10"),
        "lengths": _short_and_long,
        "length": number(lambda s: s["T"], lambda s: s["T"] + 1),
        "value": number(lambda s: 1, lambda s: 10),
    },
    only_inputs=True,
    outputs={
        **dict.fromkeys(("batch (pre)", "batch (post)"), ("N", "length")),
        **dict.fromkeys(("lengths (pre)", "lengths (post)"), ("N",)),
    },
    driver=Driver(
        tuple((f"batch ({side})", f"lengths ({side})") for side in SIDES),
        _NUMBERS,
        call=_pad_both_sides,
    ),
    drivers={
        PAD_ONE_SIDE: Driver(
            ("batch", "lengths"), _NUMBERS, call=_pad_one_side, shown=_shown_one_side
        )
    },
    gradients=False,
    sizes=(
        {"N": 4, "T": 6, "K": 9},
        {"N": 3, "T": 7, "K": 10},
        {"N": 1, "T": 3, "K": 5},
        {"N": 4, "T": 1, "K": 4},
    ),
    drawn=_pad_sizes,
)
