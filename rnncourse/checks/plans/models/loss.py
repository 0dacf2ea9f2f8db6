"""How `masked_cross_entropy` is tried: what stands behind a sequence's end must not count."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ...drivers import Driver
from ...plan import Plan, Sizes, Stage, integers, uniform, without_cotangents
from ...results import Arrays
from ...stages import BEYOND_ONE, endings, fixture_calls, shapes, stage
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


def _loss_stages(*fixtures: Arrays) -> list[Stage]:
    # Scores as far apart as a trained network's: then no two mistakes give nearly the same loss.
    fixtures = tuple(arrays | {"logits": 6 * arrays["logits"]} for arrays in fixtures)
    first, second, *_ = fixtures
    name, values = "masked_cross_entropy", "sequences of several lengths"
    calls, inputs = fixture_calls(first, second), without_cotangents(first)
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
    drawn = [dict(zip("TNV", different(3, 3, 9, generator), strict=True)) for _ in range(2)]
    return [*drawn, {"T": 10, "N": 3, "V": 2}, {"T": 1, "N": 1, "V": 4}]


DRIVERS = {
    "masked_cross_entropy": Driver("loss"),
}

PLANS = {
    "masked_cross_entropy": Plan(
        "masked_cross_entropy",
        {
            "logits": uniform("T", "N", "V"),
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
    )
}
