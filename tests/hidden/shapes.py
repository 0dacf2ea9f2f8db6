"""Hidden spec of the assignment shapes."""

from __future__ import annotations

import torch
from torch import Tensor

from rnncourse.grading.spec import Spec


def rnn_output_shapes(
    length: int,
    batch: int,
    hidden_size: int,
    num_layers: int = 1,
    bidirectional: bool = False,
    batch_first: bool = False,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    directions = 2 if bidirectional else 1
    first, second = (batch, length) if batch_first else (length, batch)
    output = (first, second, directions * hidden_size)
    return output, (directions * num_layers, batch, hidden_size)


def parameter_count(
    input_size: int,
    hidden_size: int,
    num_layers: int = 1,
    gates: int = 1,
    bias: bool = True,
    bidirectional: bool = False,
) -> int:
    directions = 2 if bidirectional else 1
    count = 0
    for layer in range(num_layers):
        width = input_size if layer == 0 else directions * hidden_size
        row = width + hidden_size + (2 if bias else 0)
        count += directions * gates * hidden_size * row
    return count


def last_valid(output: Tensor, lengths: Tensor) -> Tensor:
    return output[lengths - 1, torch.arange(len(lengths), device=output.device)]


SPECS = {
    "rnn_output_shapes": Spec(
        rnn_output_shapes,
        {
            "two shapes of three numbers": 0.1,
            "one layer, one direction": 0.15,
            "several layers": 0.15,
            "two directions": 0.15,
            "batch first": 0.15,
            "all together": 0.2,
            "odd sizes": 0.1,
        },
    ),
    "parameter_count": Spec(
        parameter_count,
        {
            "one whole number": 0.1,
            "one layer without biases": 0.15,
            "one layer with biases": 0.1,
            "several layers": 0.15,
            "several gates": 0.1,
            "two directions": 0.1,
            "all together": 0.2,
            "odd sizes": 0.1,
        },
    ),
    "last_valid": Spec(
        last_valid,
        {
            "shapes": 0.1,
            "no padding at all": 0.1,
            "lengths of all kinds": 0.35,
            "large numbers behind the ends": 0.15,
            "gradients": 0.15,
            "a batch of one": 0.05,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
}
