"""The loop of the notebooks: it learns, and takes the learner's own step if there is one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from rnncourse import train
from rnncourse._exercise import find
from tools.answers import solution


def draw() -> tuple[Tensor, Tensor]:
    x = torch.rand(8, 3)
    return x, x.sum(dim=1, keepdim=True)


def losses() -> list[float]:
    torch.manual_seed(0)
    return train.fit(torch.nn.Linear(3, 1), draw, mse_loss, steps=60, lr=0.1, max_norm=0.5)


def test_it_learns_and_gives_the_loss_of_every_step() -> None:
    found = losses()
    assert len(found) == 60 and all(isinstance(loss, float) for loss in found)
    assert found[-1] < found[0] / 10


def test_a_filled_step_takes_its_place_and_gives_the_same() -> None:
    calls = []

    def step(*args: object) -> tuple[float, float]:
        calls.append(args)
        result: tuple[float, float] = solution("clipped_training_step")(*args)
        return result

    before = losses()
    find("clipped_training_step").filled = step
    assert torch.allclose(torch.tensor(losses()), torch.tensor(before), rtol=1e-3)
    assert len(calls) == 60
