"""Recurrent layers and word vectors on the filled stubs, against torch's."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from rnncourse import nn
from rnncourse._exercise import UnfilledError, exercises
from tools.answers import solution

KINDS = ("RNN", "LSTM", "GRU")
SETTINGS = list(itertools.product((1, 3), (True, False), (True, False), (True, False)))

every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def filled() -> None:
    for name, entry in exercises().items():
        if entry.chapter in ("embedding", "gru", "lstm", "rnn"):
            entry.filled = solution(name)


def pair(kind: str, *sizes: int, **settings: Any) -> tuple[torch.nn.Module, torch.nn.Module]:
    """Torch's module and ours, with the same weights."""
    theirs, ours = (getattr(place, kind)(*sizes, **settings) for place in (torch.nn, nn))
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def states(kind: str, *shape: int) -> Any:
    """Random states before the first step, as the kind takes them."""
    if kind == "LSTM":
        return torch.randn(*shape), torch.randn(*shape)
    return torch.randn(*shape)


def flat(result: Any) -> list[Tensor]:
    """The tensors in a result such as output, (h_n, c_n)."""
    if isinstance(result, Tensor):
        return [result]
    return [tensor for part in result for tensor in flat(part)]


def assert_same(own: Any, wanted: Any) -> None:
    torch.testing.assert_close(flat(own), flat(wanted), rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("filled")
@every_kind
@pytest.mark.parametrize(("layers", "bias", "batch_first", "bidirectional"), SETTINGS)
def test_it_gives_torchs_numbers_with_torchs_weights(
    kind: str, layers: int, bias: bool, batch_first: bool, bidirectional: bool
) -> None:
    theirs, ours = pair(
        kind,
        3,
        5,
        num_layers=layers,
        bias=bias,
        batch_first=batch_first,
        bidirectional=bidirectional,
    )
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = torch.randn(4, 2, 3)
    given = states(kind, layers * (1 + bidirectional), 4 if batch_first else 2, 5)
    for hx in (None, given):
        assert_same(ours(x, hx), theirs(x, hx))


@pytest.mark.usefixtures("filled")
@every_kind
@pytest.mark.parametrize("batch_first", [True, False])
def test_one_sequence_needs_no_batch_axis(kind: str, batch_first: bool) -> None:
    theirs, ours = pair(kind, 3, 5, num_layers=2, batch_first=batch_first, bidirectional=True)
    x = torch.randn(7, 3)
    for hx in (None, states(kind, 4, 5)):
        assert_same(ours(x, hx), theirs(x, hx))


@pytest.mark.usefixtures("filled")
@every_kind
def test_gradients_are_torchs(kind: str) -> None:
    theirs, ours = pair(kind, 3, 5, num_layers=2, bidirectional=True)
    x = torch.randn(6, 2, 3)
    for module in (theirs, ours):
        module(x)[0].square().sum().backward()
    for (name, wanted), (_, own) in zip(
        theirs.named_parameters(), ours.named_parameters(), strict=True
    ):
        torch.testing.assert_close(own.grad, wanted.grad, rtol=1e-4, atol=1e-4, msg=name)


@pytest.mark.usefixtures("filled")
@every_kind
def test_dropout_acts_between_layers_and_only_in_training(kind: str) -> None:
    theirs, ours = pair(kind, 3, 5, 2, dropout=1.0)
    x = torch.randn(6, 2, 3)
    assert_same(ours(x)[0], theirs(x)[0])
    assert_same(ours.eval()(x)[0], theirs.eval()(x)[0])
    assert not torch.allclose(ours(x)[0], ours.train()(x)[0])


@pytest.mark.usefixtures("filled")
@every_kind
@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda m: m(torch.ones(4, 2, 9)), r"input must be \(T, N, 3\).*got \(4, 2, 9\)"),
        (lambda m: m(torch.ones(3)), "input must be"),
        (
            lambda m: m(torch.nn.utils.rnn.pack_sequence([torch.ones(4, 3)])),
            "packed sequences are not supported",
        ),
        (lambda m: type(m)(0, 5), "at least 1"),
        (lambda m: type(m)(3, 5, dropout=1.5), "probability"),
    ],
)
def test_wrong_arguments_get_a_sentence(kind: str, call, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        call(getattr(nn, kind)(3, 5))


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("kind", "x", "hx", "sentence"),
    [
        ("LSTM", (4, 2, 3), (torch.ones(1, 1, 5),) * 2, r"h_0 must be \(1, 2, 5\)"),
        ("LSTM", (4, 2, 3), torch.ones(1, 2, 5), "the states are a pair"),
        ("LSTM", (4, 2, 3), (torch.ones(1, 2, 5), torch.ones(2, 5)), "c_0 must be"),
        ("LSTM", (4, 3), (torch.ones(2, 5),) * 2, r"h_0 must be \(1, 5\); got"),
        ("GRU", (4, 2, 3), torch.ones(1, 1, 5), r"h_0 must be \(1, 2, 5\)"),
        ("GRU", (4, 2, 3), (torch.ones(1, 2, 5),) * 2, "the state is one tensor"),
        ("GRU", (4, 3), torch.ones(2, 5), r"h_0 must be \(1, 5\); got"),
    ],
)
def test_wrong_states_get_a_sentence(kind: str, x: tuple[int, ...], hx: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        getattr(nn, kind)(3, 5)(torch.ones(*x), hx)


@every_kind
def test_it_shows_what_it_is(kind: str) -> None:
    for theirs, ours in (
        pair(kind, 3, 5),
        pair(kind, 3, 5, num_layers=2, batch_first=True, bidirectional=True),
    ):
        assert repr(ours) == repr(theirs)


@every_kind
def test_a_seed_gives_torchs_weights(kind: str) -> None:
    drawn = []
    for place in (torch.nn, nn):
        torch.manual_seed(0)
        drawn.append(getattr(place, kind)(3, 5, num_layers=2).state_dict())
    assert all(torch.equal(drawn[0][name], value) for name, value in drawn[1].items())


@every_kind
def test_unfilled_it_says_what_is_missing(kind: str) -> None:
    with pytest.raises(UnfilledError, match=f"{kind.lower()}_layer is not filled in"):
        getattr(nn, kind)(3, 5)(torch.ones(4, 2, 3))


@pytest.mark.usefixtures("filled")
def test_a_stack_of_one_width_is_torchs() -> None:
    theirs, ours = torch.nn.RNN(3, 5, num_layers=3), nn.StackedRNN(3, (5, 5, 5))
    ours.load_state_dict(theirs.state_dict())
    x, h_0 = torch.randn(4, 2, 3), torch.randn(3, 2, 5)
    output, h_n = ours(x, list(h_0))
    assert_same((output, torch.stack(h_n)), theirs(x, h_0))
    assert_same(ours(x)[0], theirs(x)[0])


@pytest.mark.usefixtures("filled")
def test_a_stack_of_several_widths_is_a_layer_on_a_layer() -> None:
    stack = nn.StackedRNN(3, (5, 2))
    below, above = torch.nn.RNN(3, 5), torch.nn.RNN(5, 2)
    for layer, module in enumerate((below, above)):
        own = {n.replace("l0", f"l{layer}"): p for n, p in module.state_dict().items()}
        stack.load_state_dict(own, strict=False)
    x = torch.randn(4, 2, 3)
    assert_same(stack(x)[0], above(below(x)[0])[0])
    assert repr(stack) == "StackedRNN(3, (5, 2))"


def test_a_stack_refuses_what_does_not_fit() -> None:
    for sizes in ((0, (2,)), (3, ()), (3, (2, 0))):
        with pytest.raises(ValueError, match="must be at least 1"):
            nn.StackedRNN(*sizes)
    stack = nn.StackedRNN(3, (5, 2))
    with pytest.raises(ValueError, match=r"input must be \(T, N, 3\); got \(4, 2, 4\)"):
        stack(torch.ones(4, 2, 4))
    with pytest.raises(ValueError, match="hx must be a list of states"):
        stack(torch.ones(4, 2, 3), [torch.ones(2, 5)])


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("padding", [None, 0, 4, -1])
def test_word_vectors_and_their_gradients_are_torchs(padding: int | None) -> None:
    theirs, ours = pair("Embedding", 6, 3, padding_idx=padding)
    assert repr(ours) == repr(theirs)
    ids = torch.tensor([[0, 4, 4], [5, 0, 1]])
    for inputs in (ids, ids[0], ids[0, 0], ids[None]):
        for module in (theirs, ours):
            module.zero_grad()
            (module(inputs) ** 2).sum().backward()
        assert_same(ours(inputs), theirs(inputs))
        assert_same(ours.weight.grad, theirs.weight.grad)


def test_word_vectors_start_as_torchs_and_refuse_what_is_no_word() -> None:
    drawn = []
    for place in (torch.nn, nn):
        torch.manual_seed(0)
        drawn.append(place.Embedding(6, 3, padding_idx=2).weight)
    assert torch.equal(*drawn) and not drawn[1][2].any()
    for arguments in ((0, 2), (2, 0), (3, 2, 3), (3, 2, -4)):
        with pytest.raises(ValueError, match="must be"):
            nn.Embedding(*arguments)
    with pytest.raises(ValueError, match="ids, int64"):
        nn.Embedding(6, 3)(torch.ones(2))
