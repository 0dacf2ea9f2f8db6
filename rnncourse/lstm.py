"""Exercises: long short-term memory, LSTM (Hochreiter and Schmidhuber, 1997; the forget gate is
from Gers, Schmidhuber and Cummins, 2000).

Shapes: T length, N batch, I input size, H hidden size. Packed weights are torch's: the rows of
w_ih, w_hh, b_ih and b_hh are four blocks of H rows, for the gates i, f, g, o in this order (input,
forget, candidate, output). Every function keeps the dtype and device of its inputs, leaves them
unchanged, and lets gradients flow to all of them.
"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from ._exercise import exercise


@exercise
def lstm_cell(
    x: Annotated[Tensor, "N I"],
    h: Annotated[Tensor, "N H"],
    c: Annotated[Tensor, "N H"],
    w_ih: Annotated[Tensor, "4H I"],
    w_hh: Annotated[Tensor, "4H H"],
    b_ih: Annotated[Tensor, "4H"],
    b_hh: Annotated[Tensor, "4H"],
) -> tuple[Annotated[Tensor, "N H", "h'"], Annotated[Tensor, "N H", "c'"]]:
    """One step of an LSTM on a batch.

        i, f, o = sigmoid, g = tanh, each of  W_i. x + b_i. + W_h. h + b_h.
        c' = f * c + i * g
        h' = o * tanh(c')

    Args:
        x: input at this step.
        h: hidden state before it.
        c: cell state before it.
        w_ih, w_hh, b_ih, b_hh: weights and biases, each with the blocks i, f, g, o.

    Returns:
        h', c': the states after the step.

    Example:
        >>> import torch
        >>> zero, no_weights = torch.zeros(1, 1), torch.zeros(4, 1)
        >>> b = torch.tensor([-100.0, 100.0, 0.0, 100.0])  # i shut, f and o open
        >>> h, c = lstm_cell(zero, zero, zero + 2, no_weights, no_weights, b, torch.zeros(4))
        >>> round(c.item(), 3), round(h.item(), 3)  # c is kept; h is tanh(2)
        (2.0, 0.964)

    Source: the formulas on the page of torch.nn.LSTMCell.
    """
    raise NotImplementedError


@exercise
def lstm_layer(
    x: Annotated[Tensor, "T N I"],
    h0: Annotated[Tensor, "N H"],
    c0: Annotated[Tensor, "N H"],
    w_ih: Annotated[Tensor, "4H I"],
    w_hh: Annotated[Tensor, "4H H"],
    b_ih: Annotated[Tensor, "4H"],
    b_hh: Annotated[Tensor, "4H"],
) -> tuple[
    Annotated[Tensor, "T N H", "output"],
    tuple[Annotated[Tensor, "N H", "h_n"], Annotated[Tensor, "N H", "c_n"]],
]:
    """One LSTM layer in one direction: `lstm_cell` at every step, with the same weights.

    Args:
        x: the whole sequence.
        h0, c0: states before the first step; there is no axis for layers.
        w_ih, w_hh, b_ih, b_hh: as in `lstm_cell`.

    Returns:
        output, (h_n, c_n): the hidden state after every step, and both states after the last step.

    Example:
        >>> import torch
        >>> x, h0, c0 = torch.ones(7, 5, 3), torch.zeros(5, 4), torch.zeros(5, 4)
        >>> weights = torch.ones(16, 3), torch.ones(16, 4), torch.ones(16), torch.ones(16)
        >>> output, (h_n, c_n) = lstm_layer(x, h0, c0, *weights)
        >>> output.shape, c_n.shape, torch.equal(output[-1], h_n)
        (torch.Size([7, 5, 4]), torch.Size([5, 4]), True)

    Source: torch.nn.LSTM with one layer.
    """
    raise NotImplementedError


@exercise
def pack_gates(
    w_f: Annotated[Tensor, "H H+I"],
    w_i: Annotated[Tensor, "H H+I"],
    w_c: Annotated[Tensor, "H H+I"],
    w_o: Annotated[Tensor, "H H+I"],
    b_f: Annotated[Tensor, "H"],
    b_i: Annotated[Tensor, "H"],
    b_c: Annotated[Tensor, "H"],
    b_o: Annotated[Tensor, "H"],
) -> tuple[
    Annotated[Tensor, "4H I", "w_ih"],
    Annotated[Tensor, "4H H", "w_hh"],
    Annotated[Tensor, "4H", "b_ih"],
    Annotated[Tensor, "4H", "b_hh"],
]:
    """Pack one matrix a gate, as papers and lessons write it, into torch's weights.

    Args:
        w_f, w_i, w_c, w_o: forget gate, input gate, candidate, output gate. They
            multiply [h; x]: the first H columns belong to h, the last I to x.
        b_f, b_i, b_c, b_o: one bias a gate.

    Returns:
        w_ih, w_hh, b_ih, b_hh: torch's, with the blocks i, f, g, o; g is torch's
            name for the candidate c. How a bias is divided between b_ih and b_hh does not matter;
            their sum does.

    Example:
        >>> import torch
        >>> weights = [torch.full((1, 2), number) for number in (1.0, 2.0, 3.0, 4.0)]
        >>> w_ih, *_ = pack_gates(*weights, *[torch.zeros(1)] * 4)
        >>> w_ih.flatten().tolist()  # f, i, c, o become i, f, g, o
        [2.0, 1.0, 3.0, 4.0]

    Source: "Variables" on the page of torch.nn.LSTM.
    """
    raise NotImplementedError


@exercise
def unpack_gates(
    w_ih: Annotated[Tensor, "4H I"],
    w_hh: Annotated[Tensor, "4H H"],
    b_ih: Annotated[Tensor, "4H"],
    b_hh: Annotated[Tensor, "4H"],
) -> tuple[
    Annotated[Tensor, "H H+I", "w_f"],
    Annotated[Tensor, "H H+I", "w_i"],
    Annotated[Tensor, "H H+I", "w_c"],
    Annotated[Tensor, "H H+I", "w_o"],
    Annotated[Tensor, "H", "b_f"],
    Annotated[Tensor, "H", "b_i"],
    Annotated[Tensor, "H", "b_c"],
    Annotated[Tensor, "H", "b_o"],
]:
    """Split torch's packed weights into one matrix and one bias a gate: `pack_gates` inverted.

    Args:
        w_ih, w_hh, b_ih, b_hh: weights and biases, each with the blocks i, f, g, o.

    Returns:
        w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o: matrices for [h; x], then biases. A bias is the sum
            of its blocks of b_ih and b_hh.

    Example:
        >>> import torch
        >>> w_ih = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
        >>> w_f, w_i, *_ = unpack_gates(w_ih, 10 * w_ih, torch.zeros(4), torch.zeros(4))
        >>> w_f.tolist(), w_i.tolist()  # for [h; x]
        ([[20.0, 2.0]], [[10.0, 1.0]])

    Source: "Variables" on the page of torch.nn.LSTM.
    """
    raise NotImplementedError


@exercise
def set_forget_bias(
    b_ih: Annotated[Tensor, "4H"], b_hh: Annotated[Tensor, "4H"], value: Annotated[float, ""]
) -> tuple[Annotated[Tensor, "4H", "b_ih"], Annotated[Tensor, "4H", "b_hh"]]:
    """New biases in which the forget gate's two blocks add up to `value`.

    Args:
        b_ih, b_hh: biases with the blocks i, f, g, o.
        value: what the forget gate's two biases add up to; how they share it does not matter.

    Returns:
        b_ih, b_hh: new tensors of the same shapes, the other blocks exactly as they were.

    Example:
        >>> import torch
        >>> b_ih, b_hh = set_forget_bias(torch.zeros(8), torch.zeros(8), 1.0)
        >>> (b_ih + b_hh).tolist()
        [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]

    Source: Gers, Schmidhuber and Cummins (2000); Jozefowicz, Zaremba and Sutskever (2015) on 1.
    """
    raise NotImplementedError
