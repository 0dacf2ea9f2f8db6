"""nn.LSTM on the filled stubs, against torch's."""

from __future__ import annotations

import itertools

import pytest
import torch

from rnncourse import nn
from rnncourse.exercise import Unfilled, exercises
from tests.hidden.lstm import SPECS

SETTINGS = list(itertools.product((1, 3), (True, False), (True, False), (True, False)))


@pytest.fixture
def filled() -> None:
    for name, entry in exercises().items():
        if entry.chapter == "lstm":
            entry.filled = SPECS[name].reference


def pair(layers: int, bias: bool, batch_first: bool, bidirectional: bool):
    settings = {
        "num_layers": layers,
        "bias": bias,
        "batch_first": batch_first,
        "bidirectional": bidirectional,
    }
    theirs, ours = torch.nn.LSTM(3, 5, **settings), nn.LSTM(3, 5, **settings)
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(("layers", "bias", "batch_first", "bidirectional"), SETTINGS)
def test_it_gives_torchs_numbers_with_torchs_weights(
    layers: int, bias: bool, batch_first: bool, bidirectional: bool
) -> None:
    theirs, ours = pair(layers, bias, batch_first, bidirectional)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = torch.randn(4, 2, 3)
    batch = 4 if batch_first else 2
    states = [torch.randn(layers * (1 + bidirectional), batch, 5) for _ in range(2)]
    for given in (None, tuple(states)):
        output, (h_n, c_n) = ours(x, given)
        wanted, (wanted_h, wanted_c) = theirs(x, given)
        torch.testing.assert_close(output, wanted)
        torch.testing.assert_close(h_n, wanted_h)
        torch.testing.assert_close(c_n, wanted_c)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("batch_first", [True, False])
def test_one_sequence_needs_no_batch_axis(batch_first: bool) -> None:
    theirs, ours = pair(2, True, batch_first, True)
    x, states = torch.randn(7, 3), (torch.randn(4, 5), torch.randn(4, 5))
    for given in (None, states):
        output, (h_n, c_n) = ours(x, given)
        wanted, (wanted_h, wanted_c) = theirs(x, given)
        torch.testing.assert_close(output, wanted)
        torch.testing.assert_close(h_n, wanted_h)
        torch.testing.assert_close(c_n, wanted_c)


@pytest.mark.usefixtures("filled")
def test_gradients_are_torchs() -> None:
    theirs, ours = pair(2, True, False, True)
    x = torch.randn(6, 2, 3)
    for module in (theirs, ours):
        module(x)[0].square().sum().backward()
    for (name, wanted), (_, own) in zip(
        theirs.named_parameters(), ours.named_parameters(), strict=True
    ):
        torch.testing.assert_close(own.grad, wanted.grad, msg=name)


@pytest.mark.usefixtures("filled")
def test_dropout_acts_between_layers_and_only_in_training() -> None:
    theirs, ours = torch.nn.LSTM(3, 5, 2, dropout=1.0), nn.LSTM(3, 5, 2, dropout=1.0)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(6, 2, 3)
    torch.testing.assert_close(ours(x)[0], theirs(x)[0])
    torch.testing.assert_close(ours.eval()(x)[0], theirs.eval()(x)[0])
    assert not torch.allclose(ours(x)[0], ours.train()(x)[0])


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda m: m(torch.ones(4, 2, 9)), r"input must be \(T, N, 3\).*got \(4, 2, 9\)"),
        (lambda m: m(torch.ones(3)), "input must be"),
        (lambda m: m(torch.ones(4, 2, 3), (torch.ones(1, 1, 5),) * 2), r"h_0 must be \(1, 2, 5\)"),
        (lambda m: m(torch.ones(4, 2, 3), torch.ones(1, 2, 5)), "the states are a pair"),
        (lambda m: m(torch.ones(4, 3), (torch.ones(2, 5),) * 2), r"h_0 must be \(1, 5\); got"),
        (
            lambda m: m(torch.nn.utils.rnn.pack_sequence([torch.ones(4, 3)])),
            "packed sequences are not supported",
        ),
        (lambda m: nn.LSTM(0, 5), "at least 1"),
        (lambda m: nn.LSTM(3, 5, dropout=1.5), "probability"),
    ],
)
def test_wrong_arguments_get_a_sentence(call, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        call(nn.LSTM(3, 5))


def test_it_shows_what_it_is() -> None:
    assert repr(nn.LSTM(3, 5)) == repr(torch.nn.LSTM(3, 5))
    theirs = torch.nn.LSTM(3, 5, num_layers=2, batch_first=True, bidirectional=True)
    ours = nn.LSTM(3, 5, num_layers=2, batch_first=True, bidirectional=True)
    assert repr(ours) == repr(theirs)


def test_unfilled_it_says_what_is_missing() -> None:
    with pytest.raises(Unfilled, match="lstm_layer is not filled in"):
        nn.LSTM(3, 5)(torch.ones(4, 2, 3))
