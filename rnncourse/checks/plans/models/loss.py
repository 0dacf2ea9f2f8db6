"""How `masked_cross_entropy` is tried: what stands behind a sequence's end must not count."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from .... import models as stubs
from ...plan import Fixture, Plan, Stage
from ...results import Arrays
from ...sizes import Sizes, integers
from ...stages import BEYOND_ONE, endings, gradients, shapes, stage, whole
from .common import different


def _targets(sizes: Sizes, generator: Generator) -> Tensor:
    """The first one is 0: an id like any other."""
    targets = integers("T", "N", below="V")(sizes, generator)
    targets[0, 0] = 0
    return targets


def _lengths(sizes: Sizes, generator: Generator) -> Tensor:
    """Lengths up to T; of several sequences one is shorter than T and one is not."""
    longest = sizes["T"]
    lengths = torch.randint(1, longest + 1, (sizes["N"],), generator=generator)
    if sizes["N"] > 1:
        lengths[0], lengths[1] = longest, max(1, longest - 2)
    return lengths[torch.randperm(sizes["N"], generator=generator)]


def _loss_stages(*fixtures: Fixture) -> list[Stage]:
    # Scores as far apart as a trained network's: then no two mistakes give nearly the same loss.
    fixtures = tuple(fixture.replaced(logits=6 * fixture["logits"]) for fixture in fixtures)
    first, second, *_ = fixtures
    values, inputs = "sequences of several lengths", first.inputs
    no_id, beside = "what is no id behind the end", "gradients beside what is no id"
    full = inputs | {"lengths": torch.full_like(inputs["lengths"], len(inputs["targets"]))}
    shortest = slice(int(inputs["lengths"].argmin()), int(inputs["lengths"].argmin()) + 1)
    one = {name: inputs[name][:, shortest] for name in ("logits", "targets")}
    one["lengths"] = inputs["lengths"][shortest]
    # Words whose probability is 0 in float32, so that its logarithm is infinite.
    large = ("large scores", inputs | {"logits": 100 * inputs["logits"]})
    behind = [
        (f"{n} behind the end", inputs | {"targets": _behind_the_end(inputs, n)})
        for n in (-1, 10**6, -100)
    ]
    through = ("gradients, -1 behind the end", first.replaced(targets=_behind_the_end(inputs, -1)))
    return [
        shapes(first, second),
        stage("sequences without padding", ("no padding", full), weight=0.15),
        stage("one sequence and its padding", ("a batch of one", one), weight=0.1),
        stage(values, *whole(first, second), weight=0.2),
        gradients(first, second, values, weight=0.15),
        stage("finite at large scores", large, after=values, weight=0.05),
        stage(no_id, *behind, after=values, weight=0.1),
        stage(beside, through, aspect="gradients", after=no_id, weight=0.05),
        *endings(fixtures, values, BEYOND_ONE),
    ]


def _behind_the_end(inputs: Arrays, value: int) -> Tensor:
    """The targets with another number behind each end."""
    step = torch.arange(len(inputs["targets"]))
    return torch.stack(
        [
            torch.where(step < length, column, value)
            for column, length in zip(inputs["targets"].T, inputs["lengths"], strict=True)
        ],
        dim=1,
    )


def _loss_sizes(generator: Generator) -> list[Sizes]:
    drawn = [dict(zip("TNV", different(3, 3, 9, generator), strict=True)) for _ in range(2)]
    return [*drawn, {"T": 10, "N": 3, "V": 2}, {"T": 1, "N": 1, "V": 4}]


masked_cross_entropy = Plan(
    stubs.masked_cross_entropy,
    _loss_stages,
    inputs={"targets": _targets, "lengths": _lengths},
    sizes=(
        {"T": 7, "N": 3, "V": 5},
        {"T": 6, "N": 4, "V": 7},
        {"T": 9, "N": 2, "V": 2},
        {"T": 1, "N": 1, "V": 3},
    ),
    drawn=_loss_sizes,
)
