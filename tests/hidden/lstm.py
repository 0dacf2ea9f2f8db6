"""Hidden spec of the assignment lstm."""

from __future__ import annotations

import torch
from torch import Tensor

from rnncourse.grading.spec import Spec


def lstm_cell(
    x: Tensor, h: Tensor, c: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> tuple[Tensor, Tensor]:
    i, f, g, o = (x @ w_ih.T + b_ih + h @ w_hh.T + b_hh).chunk(4, dim=1)
    c_next = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_next), c_next


def lstm_layer(
    x: Tensor, h0: Tensor, c0: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    h, c = h0, c0
    output = []
    for x_t in x:
        h, c = lstm_cell(x_t, h, c, w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), (h, c)


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
    hidden_size = b_f.shape[0]
    packed = torch.cat([w_i, w_f, w_c, w_o])
    bias = torch.cat([b_i, b_f, b_c, b_o])
    return packed[:, hidden_size:], packed[:, :hidden_size], bias, torch.zeros_like(bias)


def unpack_gates(w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> tuple[Tensor, ...]:
    w_i, w_f, w_c, w_o = torch.cat([w_hh, w_ih], dim=1).chunk(4)
    b_i, b_f, b_c, b_o = (b_ih + b_hh).chunk(4)
    return w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o


def set_forget_bias(b_ih: Tensor, b_hh: Tensor, value: float) -> tuple[Tensor, Tensor]:
    hidden_size = b_ih.shape[0] // 4
    forget = slice(hidden_size, 2 * hidden_size)
    b_ih, b_hh = b_ih.clone(), b_hh.clone()
    b_ih[forget] = value
    b_hh[forget] = 0
    return b_ih, b_hh


SPECS = {
    "lstm_cell": Spec(
        lstm_cell,
        {
            "shapes": 0.1,
            "only the biases": 0.1,
            "only x and its weights": 0.1,
            "only h and its weights": 0.1,
            "only the old cell state c": 0.1,
            "all terms together": 0.2,
            "gradients": 0.15,
            "a batch of one": 0.05,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "lstm_layer": Spec(
        lstm_layer,
        {
            "shapes": 0.1,
            "a sequence of one step": 0.2,
            "whole sequences": 0.35,
            "gradients": 0.2,
            "a batch of one": 0.05,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "pack_gates": Spec(
        pack_gates,
        {
            "shapes": 0.1,
            "only the weights": 0.2,
            "only the biases": 0.2,
            "weights and biases": 0.3,
            "gradients": 0.1,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "unpack_gates": Spec(
        unpack_gates,
        {
            "shapes": 0.1,
            "only w_ih": 0.1,
            "only w_hh": 0.1,
            "only the biases": 0.2,
            "weights and biases": 0.3,
            "gradients": 0.1,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "set_forget_bias": Spec(
        set_forget_bias,
        {
            "shapes": 0.1,
            "the forget gate's biases": 0.6,
            "zero and a large value": 0.2,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
}
