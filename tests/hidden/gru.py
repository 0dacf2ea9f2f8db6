"""Hidden spec of the assignment gru."""

from __future__ import annotations

import torch
from torch import Tensor

from rnncourse.grading.spec import Spec


def gru_cell(
    x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> Tensor:
    x_r, x_z, x_n = (x @ w_ih.T + b_ih).chunk(3, dim=1)
    h_r, h_z, h_n = (h @ w_hh.T + b_hh).chunk(3, dim=1)
    r = torch.sigmoid(x_r + h_r)
    z = torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return (1 - z) * n + z * h


def gru_cell_reset_before(
    x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> Tensor:
    w_hr, w_hz, w_hn = w_hh.chunk(3)
    b_hr, b_hz, b_hn = b_hh.chunk(3)
    x_r, x_z, x_n = (x @ w_ih.T + b_ih).chunk(3, dim=1)
    r = torch.sigmoid(x_r + h @ w_hr.T + b_hr)
    z = torch.sigmoid(x_z + h @ w_hz.T + b_hz)
    n = torch.tanh(x_n + (r * h) @ w_hn.T + b_hn)
    return (1 - z) * n + z * h


def gru_layer(
    x: Tensor, h0: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> tuple[Tensor, Tensor]:
    h = h0
    output = []
    for x_t in x:
        h = gru_cell(x_t, h, w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), h


_CELL = {
    "shapes": 0.1,
    "only the biases": 0.1,
    "only x and its weights": 0.1,
    "only h and its weights": 0.1,
    "only the old state h": 0.1,
    "all terms together": 0.2,
    "gradients": 0.15,
    "a batch of one": 0.05,
    "odd sizes": 0.05,
    "float64 in, float64 out": 0.05,
}

SPECS = {
    "gru_cell": Spec(gru_cell, _CELL),
    "gru_cell_reset_before": Spec(gru_cell_reset_before, _CELL),
    "gru_layer": Spec(
        gru_layer,
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
}
