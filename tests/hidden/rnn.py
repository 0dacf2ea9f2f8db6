"""Hidden spec of the assignment rnn."""

from __future__ import annotations

import torch
from torch import Tensor

from rnncourse.grading.spec import Spec


def rnn_cell(
    x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> Tensor:
    return torch.tanh(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh)


def rnn_layer(
    x: Tensor, h0: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> tuple[Tensor, Tensor]:
    h = h0
    output = []
    for x_t in x:
        h = rnn_cell(x_t, h, w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), h


def stacked_rnn(
    x: Tensor, h0: list[Tensor], layers: list[tuple[Tensor, Tensor, Tensor, Tensor]]
) -> tuple[Tensor, list[Tensor]]:
    output, h_n = x, []
    for h, weights in zip(h0, layers, strict=True):
        output, last = rnn_layer(output, h, *weights)
        h_n.append(last)
    return output, h_n


SPECS = {
    "rnn_cell": Spec(
        rnn_cell,
        {
            "shapes": 0.1,
            "only the biases": 0.1,
            "only x and its weights": 0.15,
            "only h and its weights": 0.15,
            "all terms together": 0.2,
            "gradients": 0.15,
            "a batch of one": 0.05,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "rnn_layer": Spec(
        rnn_layer,
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
    "stacked_rnn": Spec(
        stacked_rnn,
        {
            "shapes": 0.1,
            "one layer": 0.15,
            "two layers": 0.15,
            "three layers": 0.25,
            "gradients": 0.2,
            "a batch of one": 0.05,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
}
