"""nn_embedding.Embedding on the filled stub, against torch's."""

from __future__ import annotations

import pytest
import torch

from rnncourse.exercise import Unfilled, find
from rnncourse.nn_embedding import Embedding
from tests.hidden.embedding import SPECS


@pytest.fixture
def filled() -> None:
    find("embed").filled = SPECS["embed"].reference


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("padding", [None, 0, 3, -1])
def test_it_gives_torchs_numbers_and_gradients(padding: int | None) -> None:
    theirs, ours = (kind(6, 4, padding_idx=padding) for kind in (torch.nn.Embedding, Embedding))
    ours.load_state_dict(theirs.state_dict())
    ids = torch.tensor([[0, 3, 3], [5, 1, 0]])
    for inputs in (ids, ids[0], ids[0, 0], ids[None]):
        for module in (theirs, ours):
            module.zero_grad()
            (module(inputs) ** 2).sum().backward()
        assert torch.equal(ours(inputs), theirs(inputs))
        assert torch.allclose(ours.weight.grad, theirs.weight.grad)
    assert repr(ours).startswith("Embedding(6, 4") and repr(ours) == repr(theirs)


def test_from_the_same_seed_it_starts_as_torchs() -> None:
    torch.manual_seed(0)
    theirs = torch.nn.Embedding(7, 3, padding_idx=2)
    torch.manual_seed(0)
    assert torch.equal(Embedding(7, 3, padding_idx=2).weight, theirs.weight)


def test_until_the_stub_is_filled_it_says_so() -> None:
    with pytest.raises(Unfilled, match="embed is not filled in"):
        Embedding(3, 2)(torch.tensor([1]))


@pytest.mark.usefixtures("filled")
def test_what_makes_no_sense_is_refused() -> None:
    for arguments in ((0, 2), (2, 0), (3, 2, 3), (3, 2, -4)):
        with pytest.raises(ValueError, match="must be"):
            Embedding(*arguments)
    with pytest.raises(ValueError, match="int64"):
        Embedding(3, 2)(torch.tensor([1.0]))
