"""How the exercises of `rnncourse.gru` are tried."""

from __future__ import annotations

import torch
from torch import Tensor

from ... import gru as stubs
from ..forbidden_calls import GRU
from ..plan import Plan, only
from ..stages import cell, layer

_STAGES = cell(
    {
        "only the biases": (lambda first: only(first, "b_ih", "b_hh"), 0.1),
        "only x and its weights": (lambda first: only(first, "x", "w_ih"), 0.1),
        "only h and its weights": (lambda first: only(first, "h", "w_hh"), 0.1),
        "only the old state h": (lambda first: only(first, "h"), 0.1),
    }
)


def _torch_cell(x: Tensor, h: Tensor, **weights: Tensor) -> Tensor:
    return torch.gru_cell(x, h, **weights)


gru_cell = Plan(stubs.gru_cell, _STAGES, oracle=_torch_cell, forbidden_calls=GRU)

gru_cell_reset_before = Plan(stubs.gru_cell_reset_before, _STAGES)


def _probe_cell(
    x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> Tensor:
    """No GRU at all: a function of every number in its arguments, which a correct loop has to
    carry. As in a GRU, it matters which bias is which."""
    first, second, third = (x @ w_ih.T + b_ih).chunk(3, dim=1)
    fourth, fifth, sixth = (h @ w_hh.T + b_hh).chunk(3, dim=1)
    return torch.sin(first - fourth / 2 + third / 3) + torch.cos(second + sixth - fifth / 3) - h / 2


def _torch_layer(x: Tensor, h0: Tensor, **weights: Tensor) -> tuple[Tensor, Tensor]:
    packed = list(weights.values())
    output, h_n = torch.gru(x, h0[None], packed, True, 1, 0.0, False, False, False)
    return output, h_n[0]


gru_layer = Plan(
    stubs.gru_layer,
    layer("h0"),
    probes={"gru_cell": _probe_cell},
    oracle=_torch_layer,
    forbidden_calls=GRU,
)
