"""Right answers in other styles to the exercises of `rnncourse.shapes`.

Parameters have the exercises' names and order.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from . import honest


@honest("rnn_output_shapes")
def by_hand(length, batch, hidden_size, num_layers=1, bidirectional=False, batch_first=False):
    d = 2 if bidirectional else 1
    output = (batch, length, d * hidden_size) if batch_first else (length, batch, d * hidden_size)
    return output, (d * num_layers, batch, hidden_size)


@honest("rnn_output_shapes")
def case_by_case(length, batch, hidden_size, num_layers=1, bidirectional=False, batch_first=False):
    output, state = [length, batch, hidden_size], [num_layers, batch, hidden_size]
    if bidirectional:
        output[2] *= 2
        state[0] *= 2
    if batch_first:
        output[0], output[1] = output[1], output[0]
    return tuple(output), tuple(state)


@honest("rnn_output_shapes")
def as_lists(length, batch, hidden_size, num_layers=1, bidirectional=False, batch_first=False):
    directions = 1 + bidirectional
    axes = sorted([(not batch_first, batch), (batch_first, length)], key=lambda pair: pair[0])
    return [*(n for _, n in axes), directions * hidden_size], [
        directions * num_layers,
        batch,
        hidden_size,
    ]


@honest("rnn_output_shapes")
def of_empty_tensors(
    length, batch, hidden_size, num_layers=1, bidirectional=False, batch_first=False
):
    directions = int(bidirectional) + 1
    output = torch.empty(length, batch, hidden_size, device="meta").repeat(1, 1, directions)
    states = torch.empty(num_layers, directions, batch, hidden_size, device="meta").flatten(0, 1)
    return (output.transpose(0, 1) if batch_first else output).shape, states.shape


@honest("parameter_count")
def layer_after_layer(
    input_size, hidden_size, num_layers=1, gates=1, bias=True, bidirectional=False
):
    total, width, d = 0, input_size, 2 if bidirectional else 1
    for _ in range(num_layers):
        total += d * (gates * hidden_size * width + gates * hidden_size * hidden_size)
        if bias:
            total += d * 2 * gates * hidden_size
        width = d * hidden_size
    return total


@honest("parameter_count")
def one_formula(input_size, hidden_size, num_layers=1, gates=1, bias=True, bidirectional=False):
    d = 1 + int(bidirectional)
    columns = input_size + hidden_size + 2 * bias
    columns += (num_layers - 1) * (d * hidden_size + hidden_size + 2 * bias)
    return d * gates * hidden_size * columns


@honest("parameter_count")
def list_of_shapes(input_size, hidden_size, num_layers=1, gates=1, bias=True, bidirectional=False):
    rows, found = gates * hidden_size, []
    directions = ("", "_reverse") if bidirectional else ("",)
    for layer in range(num_layers):
        for _ in directions:
            below = len(directions) * hidden_size if layer else input_size
            found += [(rows, below), (rows, hidden_size)] + ([(rows,), (rows,)] if bias else [])
    return sum(math.prod(shape) for shape in found)


@honest("parameter_count")
def recursive_count(input_size, hidden_size, num_layers=1, gates=1, bias=True, bidirectional=False):
    d = 2 if bidirectional else 1
    if num_layers == 0:
        return 0
    first = torch.empty(gates, d, hidden_size, input_size + hidden_size + 2 * int(bias)).numel()
    return first + recursive_count(
        d * hidden_size, hidden_size, num_layers - 1, gates, bias, bidirectional
    )


@honest("last_valid")
def two_indices(output, lengths):
    batch = torch.arange(output.shape[1], device=output.device)
    return output[lengths - 1, batch]


@honest("last_valid")
def by_gather(output, lengths):
    index = (lengths - 1).view(1, -1, 1).expand(1, -1, output.size(2))
    return output.gather(0, index).squeeze(0)


@honest("last_valid")
def sequence_after_sequence(output, lengths):
    rows = []
    for n, length in enumerate(lengths.tolist()):
        rows.append(output[:length, n][-1])
    return torch.stack(rows)


@honest("last_valid")
def mask_and_sum(output, lengths):
    steps = torch.arange(len(output), device=lengths.device)
    is_end = steps.unsqueeze(1) == lengths - 1
    return (output * is_end.unsqueeze(2)).sum(dim=0)


@honest("last_valid")
def one_hot_product(output, lengths):
    ends = F.one_hot(lengths - 1, output.shape[0]).to(output.dtype)
    return torch.einsum("nt,tnh->nh", ends, output)


@honest("last_valid")
def batch_first_and_flat(output, lengths):
    length, batch, width = output.shape
    rows = output.transpose(0, 1).reshape(batch * length, width)
    starts = torch.arange(batch, device=output.device) * length
    return rows.index_select(0, starts + lengths - 1)
