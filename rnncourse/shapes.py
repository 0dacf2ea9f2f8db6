"""Exercises: the shapes of recurrent layers.

Shapes: T length, N batch, I input size, H hidden size. The first axis of a state counts layers and
directions: (layers · directions, N, H), and it is never batch-first.
"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from ._exercise import exercise


@exercise
def rnn_output_shapes(
    length: int,
    batch: int,
    hidden_size: int,
    num_layers: int = 1,
    bidirectional: bool = False,
    batch_first: bool = False,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shapes of what torch.nn.RNN returns, without running it.

    Args:
        length: T, steps of the input.
        batch: N, sequences in it.
        hidden_size: H.
        num_layers: layers, each on top of the one before.
        bidirectional: whether each layer has a second direction, from the end to the beginning.
        batch_first: whether the input's first axis is N instead of T.

    Returns:
        the shape of output and the shape of h_n, as tuples of ints.

    Example:
        >>> rnn_output_shapes(7, 5, 4, num_layers=2, bidirectional=True)
        ((7, 5, 8), (4, 5, 4))

    Source: "Outputs" on the page of torch.nn.RNN.
    """
    raise NotImplementedError


@exercise
def parameter_count(
    input_size: int,
    hidden_size: int,
    num_layers: int = 1,
    gates: int = 1,
    bias: bool = True,
    bidirectional: bool = False,
) -> Annotated[int, "", "the number of parameters"]:
    """The number of parameters of torch.nn.RNN, GRU or LSTM.

    Args:
        input_size: I. Layers above the first take what the directions below them give.
        hidden_size: H.
        num_layers: layers.
        gates: blocks of rows in each weight: 1 for an RNN, 3 for a GRU, 4 for an LSTM.
        bias: whether there are biases; torch has two in each layer and direction.
        bidirectional: whether each layer has two directions, with weights of their own.

    Returns:
        the number of parameters: all weights and biases.

    Example:
        >>> parameter_count(3, 4)  # an RNN: each of 4 rows has 3 + 4 weights and 2 biases
        36
        >>> parameter_count(3, 4, gates=4)  # an LSTM
        144

    Source: "Variables" on the page of torch.nn.RNN.
    """
    raise NotImplementedError


@exercise
def last_valid(
    output: Annotated[Tensor, "T N H"], lengths: Annotated[Tensor, "N"]
) -> Annotated[Tensor, "N H", "the result"]:
    """The output at each sequence's own last step, in a batch that is padded at its end.

    Args:
        output: a layer's outputs. What stands behind a sequence's end means nothing.
        lengths: how many steps each sequence has, int64, from 1 to T.

    Returns:
        the result: row n is output[lengths[n] - 1, n].

    Example:
        >>> import torch
        >>> output = torch.tensor([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])[:, :, None]
        >>> last_valid(output, torch.tensor([3, 1])).tolist()
        [[3.0], [10.0]]

    Source: what h_n of torch.nn.RNN holds for a packed sequence.
    """
    raise NotImplementedError
