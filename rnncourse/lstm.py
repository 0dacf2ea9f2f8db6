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
    """From one matrix a gate, as papers and lessons write it, to torch's packed weights.

    Args:
        w_f, w_i, w_c, w_o: forget gate, input gate, candidate, output gate. They
            multiply [h; x]: the first H columns belong to h, the last I to x.
        b_f, b_i, b_c, b_o: one bias a gate.

    Returns:
        w_ih, w_hh, b_ih, b_hh: torch's, with the blocks i, f, g, o; g is torch's
            name for the candidate c. How a bias is divided between b_ih and b_hh does not matter;
            their sum does.

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
    """From torch's packed weights to one matrix and one bias a gate: the way back of `pack_gates`.

    Args:
        w_ih, w_hh, b_ih, b_hh: weights and biases, each with the blocks i, f, g, o.

    Returns:
        w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o: matrices for [h; x], then biases. A bias is the sum
            of its blocks of b_ih and b_hh.

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

    Source: Gers, Schmidhuber and Cummins (2000); Jozefowicz, Zaremba and Sutskever (2015) on 1.
    """
    raise NotImplementedError
