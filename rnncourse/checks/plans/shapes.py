"""How the exercises of `rnncourse.shapes` are tried."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ... import shapes as stubs
from ..drivers import Driver
from ..forbidden_calls import NETWORKS
from ..plan import Fixture, Plan, Stage
from ..results import whole_numbers
from ..sizes import Draw, Sizes
from ..stages import BEYOND_ONE, each_alone, endings, gradients, odd_sizes, shapes, stage, whole

_YES, _NO, _ONE = torch.tensor(1), torch.tensor(0), torch.tensor(1)


def _size(letter: str) -> Draw:
    """An input that is itself a size. Switches, which have no place among the sizes that must
    differ, are on where they are not mentioned."""
    return lambda sizes, generator: torch.tensor(sizes.get(letter, 1))


def _between(low: int, high: int, generator: Generator) -> int:
    return int(torch.randint(low, high + 1, (), generator=generator))


# ------------------------------------------------------------------ rnn_output_shapes

_OUTPUT, _STATE = "the shape of output", "the shape of h_n"
_THREE = "two shapes of three numbers"


def _output_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values, calls = "all together", whole(first, second)
    plain = first.inputs | {"num_layers": _ONE, "bidirectional": _NO, "batch_first": _NO}
    one_thing = {
        "one layer, one direction": (plain, 0.15),
        "several layers": (plain | {"num_layers": first["num_layers"]}, 0.15),
        "two directions": (plain | {"bidirectional": _YES}, 0.15),
        "batch first": (plain | {"batch_first": _YES}, 0.15),
    }
    return [
        stage(_THREE, *calls, aspect="shapes", after="", weight=0.1),
        *each_alone(one_thing, after=_THREE),
        stage(values, *calls, after=_THREE, weight=0.2),
        odd_sizes(fixtures, after=values, weight=0.1),
    ]


_OUTPUT_SIZES: tuple[Sizes, ...] = (
    {"T": 7, "N": 9, "H": 5, "L": 3},
    {"T": 5, "N": 11, "H": 3, "L": 4},
    {"T": 1, "N": 1, "H": 1, "L": 1, "bidirectional": 0},
    {"T": 10, "N": 3, "H": 20, "L": 4, "bidirectional": 0, "batch_first": 0},
    {"T": 1, "N": 6, "H": 2, "L": 3, "batch_first": 0},
)
"""In the first two no size is 2 or another one doubled: no wrong axis passes for a right one."""


def _drawn_output_sizes(generator: Generator) -> list[Sizes]:
    """Sizes like `_OUTPUT_SIZES`, drawn anew."""

    def different() -> Sizes:
        length, batch, width, *_ = (2 * torch.randperm(6, generator=generator) + 5).tolist()
        return {"T": length, "N": batch, "H": width, "L": _between(3, 4, generator)}

    one = {"T": 1, "N": 1, "H": 1, "L": 1, "bidirectional": _between(0, 1, generator)}
    plain = {**different(), "bidirectional": 0, "batch_first": 0}
    return [different(), different(), one, plain, {**different(), "T": 1, "batch_first": 0}]


rnn_output_shapes = Plan(
    stubs.rnn_output_shapes,
    _output_stages,
    inputs={
        "length": _size("T"),
        "batch": _size("N"),
        "hidden_size": _size("H"),
        "num_layers": _size("L"),
        "bidirectional": _size("bidirectional"),
        "batch_first": _size("batch_first"),
    },
    driver=Driver(
        (_OUTPUT, _STATE),
        inputs={
            **dict.fromkeys(("length", "batch", "hidden_size", "num_layers"), int),
            **dict.fromkeys(("bidirectional", "batch_first"), bool),
        },
        results={_OUTPUT: whole_numbers, _STATE: whole_numbers},
    ),
    gradients=False,
    sizes=_OUTPUT_SIZES,
    drawn=_drawn_output_sizes,
    forbidden_calls=NETWORKS,
)

# ------------------------------------------------------------------ parameter_count

_WHOLE = "one whole number"


def _count_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values, calls = "all together", whole(first, second)
    plain = first.inputs | {"num_layers": _ONE, "gates": _ONE, "bias": _YES, "bidirectional": _NO}
    one_thing = {
        "one layer without biases": (plain | {"bias": _NO}, 0.15),
        "one layer with biases": (plain, 0.1),
        "several layers": (plain | {"num_layers": first["num_layers"]}, 0.15),
        "several gates": (plain | {"gates": first["gates"]}, 0.1),
        "two directions": (plain | {"bidirectional": _YES}, 0.1),
    }
    return [
        stage(_WHOLE, *calls, aspect="shapes", after="", weight=0.1),
        *each_alone(one_thing, after=_WHOLE),
        stage(values, *calls, after=_WHOLE, weight=0.2),
        odd_sizes(fixtures, after=values, weight=0.1),
    ]


_COUNT_SIZES: tuple[Sizes, ...] = (
    {"I": 5, "H": 8, "L": 3, "G": 4},
    {"I": 9, "H": 6, "L": 2, "G": 3},
    {"I": 1, "H": 1, "L": 1, "G": 1, "bidirectional": 0},
    {"I": 100, "H": 20, "L": 4, "G": 1, "bidirectional": 0},
    {"I": 1, "H": 7, "L": 3, "G": 3, "bias": 0},
)


def _drawn_count_sizes(generator: Generator) -> list[Sizes]:
    """Sizes like `_COUNT_SIZES`, drawn anew."""

    def different() -> Sizes:
        features, width = 2 * _between(2, 5, generator) + 1, 2 * _between(3, 6, generator)
        layers, gates = ((2, 3), (2, 4), (3, 4), (4, 3))[_between(0, 3, generator)]
        return {"I": features, "H": width, "L": layers, "G": gates}

    one = {"I": 1, "H": 1, "L": 1, "G": 1, "bidirectional": _between(0, 1, generator)}
    plain = {**different(), "G": 1, "bidirectional": 0}
    return [different(), different(), one, plain, {**different(), "I": 1, "bias": 0}]


parameter_count = Plan(
    stubs.parameter_count,
    _count_stages,
    inputs={
        "input_size": _size("I"),
        "hidden_size": _size("H"),
        "num_layers": _size("L"),
        "gates": _size("G"),
        "bias": _size("bias"),
        "bidirectional": _size("bidirectional"),
    },
    gradients=False,
    sizes=_COUNT_SIZES,
    drawn=_drawn_count_sizes,
    forbidden_calls=NETWORKS,
)

# ------------------------------------------------------------------ last_valid

_FAR_OFF = 1000.0
"""What stands behind the ends where it must not matter."""


def _lengths(sizes: Sizes, generator: Generator) -> Tensor:
    """From 1 to T. In a batch both are there, the 1 first: so lengths never begin with the
    longest, as packed sequences do."""
    length, batch = sizes["T"], sizes["N"]
    lengths = torch.randint(1, length + 1, (batch,), generator=generator)
    if batch > 1:
        shortest, longest = sorted(torch.randperm(batch, generator=generator)[:2].tolist())
        lengths[shortest], lengths[longest] = 1, length
    return lengths


def _last_stages(*fixtures: Fixture) -> list[Stage]:
    first, second, *_ = fixtures
    values, inputs = "lengths of all kinds", first.inputs
    output, lengths = inputs["output"], inputs["lengths"]
    equal = inputs | {"lengths": torch.full_like(lengths, len(output))}
    behind = torch.arange(len(output))[:, None, None] >= lengths[:, None]
    padded = inputs | {"output": output.masked_fill(behind, _FAR_OFF)}
    one = {"output": output[:, :1], "lengths": lengths[:1]}
    return [
        shapes(first, second),
        stage("no padding at all", ("no padding", equal), weight=0.1),
        stage(values, *whole(first, second), weight=0.35),
        stage(
            "large numbers behind the ends", ("large numbers", padded), after=values, weight=0.15
        ),
        gradients(first, second, values, weight=0.15),
        stage("a batch of one", ("a batch of one", one), after=values, weight=0.05),
        *endings(fixtures, values, BEYOND_ONE),
    ]


_PADDED_SIZES: tuple[Sizes, ...] = (
    {"T": 5, "N": 4, "H": 3},
    {"T": 7, "N": 5, "H": 2},
    {"T": 11, "N": 2, "H": 1},
    {"T": 1, "N": 1, "H": 3},
    {"T": 6, "N": 1, "H": 6},
)


def _drawn_padded_sizes(generator: Generator) -> list[Sizes]:
    """Sizes like `_PADDED_SIZES`, drawn anew."""

    def different() -> Sizes:
        return dict(zip("TNH", (torch.randperm(6, generator=generator) + 3).tolist(), strict=False))

    length, width = _between(9, 14, generator), _between(2, 6, generator)
    ones = ({"T": 1, "N": 1, "H": width}, {"T": width, "N": 1, "H": width})
    return [different(), different(), {"T": length, "N": 2, "H": 1}, *ones]


last_valid = Plan(
    stubs.last_valid,
    _last_stages,
    inputs={"lengths": _lengths},
    sizes=_PADDED_SIZES,
    drawn=_drawn_padded_sizes,
)
