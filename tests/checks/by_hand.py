"""An LSTM step in plain Python: no tensor, no torch, one number at a time.

A second route to the numbers, so that a reference and its test cannot share an error.
"""

from __future__ import annotations

import math
from typing import Any


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def step(x: list[float], h: list[float], c: list[float], gates: Any) -> list[float]:
    """One step with a matrix a gate on [h; x]; gives h' and then c', unit by unit."""
    joined = [*h, *x]

    def gate(name: str, unit: int) -> float:
        row = gates[f"w_{name}"][unit].tolist()
        return sum(w * v for w, v in zip(row, joined, strict=True)) + float(
            gates[f"b_{name}"][unit]
        )

    new_c = [
        sigmoid(gate("f", k)) * c[k] + sigmoid(gate("i", k)) * math.tanh(gate("c", k))
        for k in range(len(h))
    ]
    return [sigmoid(gate("o", k)) * math.tanh(new_c[k]) for k in range(len(h))] + new_c


def packed_step(x: list[float], h: list[float], c: list[float], packed: Any) -> list[float]:
    """The same with torch's packed weights; the rows of gate number g are g * H and on."""
    size = len(h)

    def gate(number: int, unit: int) -> float:
        row = number * size + unit
        from_x = sum(w * v for w, v in zip(packed["w_ih"][row].tolist(), x, strict=True))
        from_h = sum(w * v for w, v in zip(packed["w_hh"][row].tolist(), h, strict=True))
        return from_x + from_h + float(packed["b_ih"][row]) + float(packed["b_hh"][row])

    new_c = [
        sigmoid(gate(1, k)) * c[k] + sigmoid(gate(0, k)) * math.tanh(gate(2, k))
        for k in range(size)
    ]
    return [sigmoid(gate(3, k)) * math.tanh(new_c[k]) for k in range(size)] + new_c
