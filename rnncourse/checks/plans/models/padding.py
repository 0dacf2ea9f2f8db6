"""How `pad` is tried: each side on its own, and both together."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ...drivers import Driver, Function
from ...plan import Plan, Sizes, Stage, integers
from ...results import Arrays
from ...stages import SHAPES, Call, fixture_calls, odd_sizes, stage, unchanged
from .common import Arguments, different, number, pass_on

SIDES = ("pre", "post")
PAD_ONE_SIDE = "pad on one side"


def _pad_one_side(function: Function, arguments: Arguments) -> object:
    return _padded(function, arguments, SIDES[int(arguments["side"])])


def _pad_both_sides(function: Function, arguments: Arguments) -> object:
    given = arguments["sequences"]
    copies = [arguments | {"sequences": given.clone()} for _ in SIDES]
    results = tuple(_padded(function, own, side) for own, side in zip(copies, SIDES, strict=True))
    pass_on(any(not torch.equal(own["sequences"], given) for own in copies), given)
    return results


def _padded(function: Function, arguments: Arguments, side: str) -> object:
    ids, lengths = arguments["sequences"].tolist(), arguments["lengths"].tolist()
    sequences = [row[:length] for row, length in zip(ids, lengths, strict=True)]
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
        stage(values, name, *fixture_calls(first, second)),
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
    for count in different(2, 3, 6, generator):
        length = 6 + int(torch.randint(3, (), generator=generator))
        drawn.append({"N": count, "T": length, "K": length + 3})
    return [*drawn, {"N": 1, "T": 3, "K": 5}, {"N": 4, "T": 1, "K": 4}]


_PADDING = {"length": int, "value": int}

DRIVERS = {
    "pad": Driver(
        tuple((f"batch ({side})", f"lengths ({side})") for side in SIDES),
        _PADDING,
        call=_pad_both_sides,
    ),
    PAD_ONE_SIDE: Driver(("batch", "lengths"), _PADDING, call=_pad_one_side),
}

PLANS = {
    "pad": Plan(
        "pad",
        {
            "sequences": integers("N", "K", below="10"),
            "lengths": _short_and_long,
            "length": number(lambda s: s["T"], lambda s: s["T"] + 1),
            "value": number(lambda s: 1, lambda s: 10),
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
    )
}
