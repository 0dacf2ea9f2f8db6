"""Exercises: long short-term memory, LSTM (Hochreiter and Schmidhuber, 1997; the forget gate is
from Gers, Schmidhuber and Cummins, 2000).

Shapes: T length, N batch, I input size, H hidden size. Packed weights are torch's: the rows of
w_ih, w_hh, b_ih and b_hh are four blocks of H rows, for the gates i, f, g, o in this order (input,
forget, candidate, output). Every function keeps the dtype and device of its inputs, leaves them
unchanged, and lets gradients flow to all of them.
"""

from __future__ import annotations

from torch import Tensor

from ._exercise import exercise


@exercise
def lstm_cell(
    x: Tensor, h: Tensor, c: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> tuple[Tensor, Tensor]:
    """One step of an LSTM on a batch.

        i, f, o = sigmoid, g = tanh, each of  W_i. x + b_i. + W_h. h + b_h.
        c' = f * c + i * g
        h' = o * tanh(c')

    Args:
        x: input at this step, (N, I).
        h: hidden state before it, (N, H).
        c: cell state before it, (N, H).
        w_ih: (4H, I), blocks i, f, g, o.
        w_hh: (4H, H), the same blocks.
        b_ih, b_hh: (4H,), the same blocks.

    Returns:
        h', c': the states after the step, each (N, H).

    Source: the formulas on the page of torch.nn.LSTMCell.
    """
    raise NotImplementedError


@exercise
def lstm_layer(
    x: Tensor, h0: Tensor, c0: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """One LSTM layer in one direction: `lstm_cell` at every step, with the same weights.

    Args:
        x: the whole sequence, (T, N, I).
        h0, c0: states before the first step, each (N, H); there is no axis for layers.
        w_ih, w_hh, b_ih, b_hh: as in `lstm_cell`.

    Returns:
        output, (h_n, c_n): the hidden state after every step (T, N, H), and both states after the
        last step, each (N, H).

    Source: torch.nn.LSTM with one layer.
    """
    raise NotImplementedError


@exercise
def pack_gates(
    w_f: Tensor,
    w_i: Tensor,
    w_c: Tensor,
    w_o: Tensor,
    b_f: Tensor,
    b_i: Tensor,
    b_c: Tensor,
    b_o: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """From one matrix a gate, as papers and lessons write it, to torch's packed weights.

    Args:
        w_f, w_i, w_c, w_o: forget gate, input gate, candidate, output gate, each (H, H + I). They
            multiply [h; x]: the first H columns belong to h, the last I to x.
        b_f, b_i, b_c, b_o: one bias a gate, each (H,).

    Returns:
        w_ih (4H, I), w_hh (4H, H), b_ih (4H,), b_hh (4H,) with blocks i, f, g, o; g is torch's name
        for the candidate c. How a bias is divided between b_ih and b_hh does not matter; their sum
        does.

    Source: "Variables" on the page of torch.nn.LSTM.
    """
    raise NotImplementedError


@exercise
def unpack_gates(
    w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """From torch's packed weights to one matrix and one bias a gate: the way back of `pack_gates`.

    Args:
        w_ih: (4H, I), blocks i, f, g, o.
        w_hh: (4H, H), the same blocks.
        b_ih, b_hh: (4H,), the same blocks.

    Returns:
        w_f, w_i, w_c, w_o, each (H, H + I) for [h; x], then b_f, b_i, b_c, b_o, each (H,). A bias
        is the sum of its blocks of b_ih and b_hh.

    Source: "Variables" on the page of torch.nn.LSTM.
    """
    raise NotImplementedError


@exercise
def set_forget_bias(b_ih: Tensor, b_hh: Tensor, value: float) -> tuple[Tensor, Tensor]:
    """New biases in which the forget gate's two blocks add up to `value`.

    Args:
        b_ih, b_hh: (4H,), blocks i, f, g, o.
        value: what the forget gate's two biases add up to; how they share it does not matter.

    Returns:
        b_ih, b_hh: new tensors of the same shapes, the other blocks exactly as they were.

    Source: Gers, Schmidhuber and Cummins (2000); Jozefowicz, Zaremba and Sutskever (2015) on 1.
    """
    raise NotImplementedError
