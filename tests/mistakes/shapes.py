"""Known mistakes in the exercises of `rnncourse.shapes`, and right answers in other styles.

Parameters have the exercises' names and order. What a mistake does wrong stands in its sentence.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from . import honest, mistake

# ------------------------------------------------------------------ rnn_output_shapes: mistakes


@mistake(
    "rnn_output_shapes",
    "batch_first_ignored",
    "With batch_first the first axis of output is the batch; yours begins with the time.",
)
def batch_first_ignored(length, batch, hidden_size, num_layers, bidirectional, batch_first):
    return by_hand(length, batch, hidden_size, num_layers, bidirectional, False)


@mistake(
    "rnn_output_shapes",
    "state_batch_first",
    "h_n is never batch-first: its first axis counts layers and directions, whatever batch_first.",
)
def state_batch_first(length, batch, hidden_size, num_layers, bidirectional, batch_first):
    output, (both, _, _) = by_hand(
        length, batch, hidden_size, num_layers, bidirectional, batch_first
    )
    return output, (batch, both, hidden_size) if batch_first else (both, batch, hidden_size)


@mistake(
    "rnn_output_shapes",
    "batch_first_on_the_state",
    "batch_first has put the batch in front in h_n; it does so in output, and never in h_n.",
)
def batch_first_on_the_state(length, batch, hidden_size, num_layers, bidirectional, batch_first):
    output, (both, _, _) = by_hand(length, batch, hidden_size, num_layers, bidirectional, False)
    return output, (batch, both, hidden_size)


@mistake(
    "rnn_output_shapes",
    "output_of_one_direction",
    "output is too narrow: the two directions stand side by side in its last axis, 2H numbers.",
)
def output_of_one_direction(length, batch, hidden_size, num_layers, bidirectional, batch_first):
    output, state = by_hand(length, batch, hidden_size, num_layers, bidirectional, batch_first)
    return (*output[:2], hidden_size), state


@mistake(
    "rnn_output_shapes",
    "state_as_wide_as_the_output",
    "h_n is too wide: the directions are counted in its first axis, so its last one stays H.",
)
def state_as_wide_as_the_output(length, batch, hidden_size, num_layers, bidirectional, batch_first):
    output, state = by_hand(length, batch, hidden_size, num_layers, bidirectional, batch_first)
    return output, (*state[:2], output[2])


@mistake(
    "rnn_output_shapes",
    "directions_side_by_side_in_the_state",
    "In h_n directions do not stand side by side: each has an entry of the first axis for itself.",
)
def directions_side_by_side_in_the_state(
    length, batch, hidden_size, num_layers, bidirectional, batch_first
):
    output, _ = by_hand(length, batch, hidden_size, num_layers, bidirectional, batch_first)
    return output, (num_layers, batch, output[2])


@mistake(
    "rnn_output_shapes",
    "state_without_directions",
    "The first axis of h_n counts the layers only; each direction of a layer has a state too.",
)
def state_without_directions(length, batch, hidden_size, num_layers, bidirectional, batch_first):
    output, _ = by_hand(length, batch, hidden_size, num_layers, bidirectional, batch_first)
    return output, (num_layers, batch, hidden_size)


@mistake(
    "rnn_output_shapes",
    "state_without_layers",
    "The first axis of h_n counts the directions only; each layer has a state too.",
)
def state_without_layers(length, batch, hidden_size, num_layers, bidirectional, batch_first):
    output, _ = by_hand(length, batch, hidden_size, num_layers, bidirectional, batch_first)
    return output, (2 if bidirectional else 1, batch, hidden_size)


@mistake(
    "rnn_output_shapes",
    "state_of_one",
    "The first axis of h_n is 1; it counts layers times directions.",
)
def state_of_one(length, batch, hidden_size, num_layers, bidirectional, batch_first):
    output, _ = by_hand(length, batch, hidden_size, num_layers, bidirectional, batch_first)
    return output, (1, batch, hidden_size)


@mistake(
    "rnn_output_shapes",
    "layers_in_the_output",
    "output has no axis for layers: it holds every step of the top layer.",
)
def layers_in_the_output(length, batch, hidden_size, num_layers, bidirectional, batch_first):
    _, state = by_hand(length, batch, hidden_size, num_layers, bidirectional, batch_first)
    return (num_layers, batch, hidden_size), state


@mistake(
    "rnn_output_shapes",
    "all_layers_in_the_output",
    "output is too wide: it holds the top layer only, not all layers side by side.",
)
def all_layers_in_the_output(length, batch, hidden_size, num_layers, bidirectional, batch_first):
    output, state = by_hand(length, batch, hidden_size, num_layers, bidirectional, batch_first)
    return (*output[:2], num_layers * output[2]), state


@mistake(
    "rnn_output_shapes",
    "shapes_exchanged",
    "The two shapes are in the wrong order: that of output comes first.",
)
def shapes_exchanged(length, batch, hidden_size, num_layers, bidirectional, batch_first):
    output, state = by_hand(length, batch, hidden_size, num_layers, bidirectional, batch_first)
    return state, output


@mistake(
    "rnn_output_shapes",
    "output_of_the_last_step",
    "output lacks its axis for time: it holds every step, not only the last one.",
)
def output_of_the_last_step(length, batch, hidden_size, num_layers, bidirectional, batch_first):
    output, state = by_hand(length, batch, hidden_size, num_layers, bidirectional, batch_first)
    return (batch, output[2]), state


@mistake(
    "rnn_output_shapes",
    "state_without_its_first_axis",
    "h_n lacks its first axis, which counts layers times directions, even where that is 1.",
)
def state_without_its_first_axis(
    length, batch, hidden_size, num_layers, bidirectional, batch_first
):
    output, state = by_hand(length, batch, hidden_size, num_layers, bidirectional, batch_first)
    return output, state[1:]


# ------------------------------------------------------------------ rnn_output_shapes: styles


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


# ------------------------------------------------------------------ parameter_count: mistakes


def _counted(
    input_size, hidden_size, num_layers, gates, bias, directions, above=None, copies=None, rows=None
):
    """The count, but for what a mistake changes: the width that upper layers read, how many copies
    a layer has, and what one row of its weights holds (given the width)."""
    above = directions * hidden_size if above is None else above
    copies = directions if copies is None else copies
    rows = rows or (lambda width: gates * hidden_size * (width + hidden_size + 2 * bias))
    widths = [input_size] + [above] * (num_layers - 1)
    return sum(copies * rows(width) for width in widths)


@mistake(
    "parameter_count",
    "one_bias",
    "One bias is counted; torch has two in each layer and direction, b_ih and b_hh.",
)
def one_bias(input_size, hidden_size, num_layers, gates, bias, bidirectional):
    rows = lambda width: gates * hidden_size * (width + hidden_size + bias)  # noqa: E731
    d = 1 + bidirectional
    return _counted(input_size, hidden_size, num_layers, gates, bias, d, rows=rows)


@mistake(
    "parameter_count",
    "biases_not_counted",
    "The biases are missing: with bias=True each layer and direction has two.",
)
def biases_not_counted(input_size, hidden_size, num_layers, gates, bias, bidirectional):
    return _counted(input_size, hidden_size, num_layers, gates, False, 1 + bidirectional)


@mistake(
    "parameter_count",
    "biases_without_gates",
    "The biases have one block each; they have a block for each gate, as the weights have.",
)
def biases_without_gates(input_size, hidden_size, num_layers, gates, bias, bidirectional):
    def rows(width):
        return gates * hidden_size * (width + hidden_size) + 2 * hidden_size * bias

    d = 1 + bidirectional
    return _counted(input_size, hidden_size, num_layers, gates, bias, d, rows=rows)


@mistake(
    "parameter_count",
    "gates_not_counted",
    "The gates are not counted: each weight and bias has a block of H rows for each of them.",
)
def gates_not_counted(input_size, hidden_size, num_layers, gates, bias, bidirectional):
    return _counted(input_size, hidden_size, num_layers, 1, bias, 1 + bidirectional)


@mistake(
    "parameter_count",
    "recurrent_weights_without_gates",
    "w_hh is counted as (H, H); it has a block of H rows for each gate, as w_ih has.",
)
def recurrent_weights_without_gates(
    input_size, hidden_size, num_layers, gates, bias, bidirectional
):
    def rows(width):
        return gates * hidden_size * (width + 2 * bias) + hidden_size * hidden_size

    d = 1 + bidirectional
    return _counted(input_size, hidden_size, num_layers, gates, bias, d, rows=rows)


@mistake(
    "parameter_count",
    "recurrent_weights_with_gates_twice",
    "w_hh is counted with a block of columns for each gate; it has H columns, for the one state.",
)
def recurrent_weights_with_gates_twice(
    input_size, hidden_size, num_layers, gates, bias, bidirectional
):
    def rows(width):
        return gates * hidden_size * (width + gates * hidden_size + 2 * bias)

    d = 1 + bidirectional
    return _counted(input_size, hidden_size, num_layers, gates, bias, d, rows=rows)


@mistake(
    "parameter_count",
    "recurrent_weights_not_counted",
    "w_hh is missing: H columns for the state, beside those for the input.",
)
def recurrent_weights_not_counted(input_size, hidden_size, num_layers, gates, bias, bidirectional):
    rows = lambda width: gates * hidden_size * (width + 2 * bias)  # noqa: E731
    d = 1 + bidirectional
    return _counted(input_size, hidden_size, num_layers, gates, bias, d, rows=rows)


@mistake(
    "parameter_count",
    "one_recurrent_weight_a_unit",
    "w_hh is counted as one number a unit; every unit reads all H units of the old state.",
)
def one_recurrent_weight_a_unit(input_size, hidden_size, num_layers, gates, bias, bidirectional):
    rows = lambda width: gates * hidden_size * (width + 1 + 2 * bias)  # noqa: E731
    d = 1 + bidirectional
    return _counted(input_size, hidden_size, num_layers, gates, bias, d, rows=rows)


@mistake(
    "parameter_count",
    "upper_layers_read_x",
    "Every layer is counted as if it read x; layers above the first read the layer below them.",
)
def upper_layers_read_x(input_size, hidden_size, num_layers, gates, bias, bidirectional):
    d = 1 + bidirectional
    return _counted(input_size, hidden_size, num_layers, gates, bias, d, above=input_size)


@mistake(
    "parameter_count",
    "upper_layers_read_one_direction",
    "Layers above the first read H numbers in yours; both directions below give them 2H.",
)
def upper_layers_read_one_direction(
    input_size, hidden_size, num_layers, gates, bias, bidirectional
):
    d = 1 + bidirectional
    return _counted(input_size, hidden_size, num_layers, gates, bias, d, above=hidden_size)


@mistake(
    "parameter_count",
    "directions_not_counted",
    "The second direction is missing: it has weights of its own, and upper layers read both.",
)
def directions_not_counted(input_size, hidden_size, num_layers, gates, bias, bidirectional):
    return _counted(input_size, hidden_size, num_layers, gates, bias, 1)


@mistake(
    "parameter_count",
    "directions_share_weights",
    "Upper layers read both directions, but the second direction's own weights are not counted.",
)
def directions_share_weights(input_size, hidden_size, num_layers, gates, bias, bidirectional):
    d = 1 + bidirectional
    return _counted(input_size, hidden_size, num_layers, gates, bias, d, copies=1)


@mistake(
    "parameter_count",
    "recurrent_weights_read_both_directions",
    "w_hh is counted with 2H columns; each direction reads its own old state only, H numbers.",
)
def recurrent_weights_read_both_directions(
    input_size, hidden_size, num_layers, gates, bias, bidirectional
):
    d = 1 + bidirectional
    rows = lambda width: gates * hidden_size * (width + d * hidden_size + 2 * bias)  # noqa: E731
    return _counted(input_size, hidden_size, num_layers, gates, bias, d, rows=rows)


@mistake(
    "parameter_count",
    "first_layer_only",
    "Only the first layer is counted.",
)
def first_layer_only(input_size, hidden_size, num_layers, gates, bias, bidirectional):
    return _counted(input_size, hidden_size, 1, gates, bias, 1 + bidirectional)


# ------------------------------------------------------------------ parameter_count: styles


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


# ------------------------------------------------------------------ last_valid: mistakes


@mistake(
    "last_valid",
    "last_step_for_all",
    "Every sequence is read at step T - 1, where the short ones hold padding.",
)
def last_step_for_all(output, lengths):
    return output[-1]


@mistake("last_valid", "first_step_for_all", "Every sequence is read at step 0.")
def first_step_for_all(output, lengths):
    return output[0]


@mistake(
    "last_valid",
    "one_step_early",
    "The step before the last one is read: a sequence of n steps ends at index n - 1.",
)
def one_step_early(output, lengths):
    return output[lengths - 2, torch.arange(len(lengths))]


@mistake(
    "last_valid",
    "counted_from_the_end",
    "The lengths count from the end of the batch in yours; padding stands there.",
)
def counted_from_the_end(output, lengths):
    return output[-lengths, torch.arange(len(lengths))]


@mistake(
    "last_valid",
    "always_the_first_sequence",
    "The steps are right, but all are read from sequence 0; row n is of sequence n.",
)
def always_the_first_sequence(output, lengths):
    return output[lengths - 1, 0]


@mistake(
    "last_valid",
    "every_sequence_at_every_end",
    "The result is (N, N, H): output[lengths - 1] picks steps only. Row n takes one place in both.",
)
def every_sequence_at_every_end(output, lengths):
    return output[lengths - 1]


@mistake(
    "last_valid",
    "zeros_where_padded",
    "Padding is set to zero and step T - 1 is read: short sequences give zeros.",
)
def zeros_where_padded(output, lengths):
    steps = torch.arange(len(output), device=output.device)
    return output.masked_fill((steps[:, None] >= lengths)[..., None], 0.0)[-1]


@mistake(
    "last_valid",
    "sum_of_the_valid_steps",
    "All valid steps are added up; only the last of them is asked for.",
)
def sum_of_the_valid_steps(output, lengths):
    steps = torch.arange(len(output), device=output.device)
    return output.masked_fill((steps[:, None] >= lengths)[..., None], 0.0).sum(0)


@mistake(
    "last_valid",
    "mean_of_the_valid_steps",
    "The mean of all valid steps is taken; only the last of them is asked for.",
)
def mean_of_the_valid_steps(output, lengths):
    return sum_of_the_valid_steps(output, lengths) / lengths[:, None]


@mistake(
    "last_valid",
    "mean_of_all_steps",
    "The mean over all T steps is taken, padding and all; only the last valid one is asked for.",
)
def mean_of_all_steps(output, lengths):
    return output.mean(0)


@mistake(
    "last_valid",
    "largest_of_the_valid_steps",
    "The largest number of all valid steps is taken; the last step is asked for.",
)
def largest_of_the_valid_steps(output, lengths):
    steps = torch.arange(len(output), device=output.device)
    return output.masked_fill((steps[:, None] >= lengths)[..., None], -torch.inf).amax(0)


@mistake(
    "last_valid",
    "longest_first",
    "The rows come in the order of the lengths, longest first; they keep the order of the batch.",
)
def longest_first(output, lengths):
    order = torch.argsort(lengths, descending=True, stable=True)
    return output[lengths[order] - 1, order]


@mistake(
    "last_valid",
    "lengths_sorted",
    "The lengths are sorted and the sequences are not: they no longer belong to each other.",
)
def lengths_sorted(output, lengths):
    ordered = lengths.sort(descending=True).values
    return output[ordered - 1, torch.arange(len(lengths))]


@mistake(
    "last_valid",
    "axis_for_time_kept",
    "The numbers are right, but an axis of length 1 is left in front: the result is (N, H).",
)
def axis_for_time_kept(output, lengths):
    return by_gather(output, lengths)[None]


@mistake(
    "last_valid",
    "first_unit_only",
    "Only unit 0 is there: an index for gather must be as wide as the result, so expand it to H.",
)
def first_unit_only(output, lengths):
    return by_gather(output, lengths)[:, :1]


@mistake(
    "last_valid",
    "units_before_batch",
    "The numbers are right, but the result is (H, N); the batch comes first: (N, H).",
)
def units_before_batch(output, lengths):
    return by_gather(output, lengths).T


# ------------------------------------------------------------------ last_valid: other styles


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
