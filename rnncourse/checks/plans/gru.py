"""How the exercises of `rnncourse.gru` are tried."""

from __future__ import annotations

import torch
from torch import Tensor

from ..drivers import PROBE, Driver
from ..plan import Plan, only
from ..ready_made import GRU
from ..results import Structure
from ..stages import cell, layer

_WEIGHTS = {"w_ih": ("3H", "I"), "w_hh": ("3H", "H"), "b_ih": ("3H",), "b_hh": ("3H",)}


def _probe_cell(
    x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> Tensor:
    """No GRU at all: a function of every number in its arguments, which a correct loop has to
    carry. As in a GRU, it matters which bias is which."""
    first, second, third = (x @ w_ih.T + b_ih).chunk(3, dim=1)
    fourth, fifth, sixth = (h @ w_hh.T + b_hh).chunk(3, dim=1)
    return torch.sin(first - fourth / 2 + third / 3) + torch.cos(second + sixth - fifth / 3) - h / 2


_LAYER: Structure = ("output", "h_n")

DRIVERS = {
    "gru_cell": Driver("h'"),
    "gru_cell_reset_before": Driver("h'"),
    "gru_layer": Driver(_LAYER),
    "gru_layer" + PROBE: Driver(_LAYER, probes={"gru_cell": _probe_cell}),
}

_TERMS = {
    "only the biases": lambda arrays: only(arrays, "b_ih", "b_hh"),
    "only x and its weights": lambda arrays: only(arrays, "x", "w_ih"),
    "only h and its weights": lambda arrays: only(arrays, "h", "w_hh"),
    "only the old state h": lambda arrays: only(arrays, "h"),
}

_STEP = {"x": ("N", "I"), "h": ("N", "H"), **_WEIGHTS}


def _torch_gru_cell(x: Tensor, h: Tensor, **weights: Tensor) -> Tensor:
    return torch.gru_cell(x, h, **weights)


def _torch_gru(x: Tensor, h0: Tensor, **weights: Tensor) -> tuple[Tensor, Tensor]:
    packed = list(weights.values())
    output, h_n = torch.gru(x, h0[None], packed, True, 1, 0.0, False, False, False)
    return output, h_n[0]


PLANS = {
    plan.exercise: plan
    for plan in (
        Plan(
            "gru_cell",
            _STEP,
            {"h'": ("N", "H")},
            cell("gru_cell", _TERMS),
            oracle=_torch_gru_cell,
            ready_made=GRU,
        ),
        Plan(
            "gru_cell_reset_before",
            _STEP,
            {"h'": ("N", "H")},
            cell("gru_cell_reset_before", _TERMS),
        ),
        Plan(
            "gru_layer",
            {"x": ("T", "N", "I"), "h0": ("N", "H"), **_WEIGHTS},
            {"output": ("T", "N", "H"), "h_n": ("N", "H")},
            layer("gru_layer", "h0"),
            oracle=_torch_gru,
            ready_made=GRU,
        ),
    )
}
