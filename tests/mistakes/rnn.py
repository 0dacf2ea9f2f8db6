"""Known mistakes in the exercises of `rnncourse.rnn`, and right answers in other styles.

Parameters have the exercises' names and order. What a mistake does wrong stands in its sentence.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from . import honest, mistake

# ------------------------------------------------------------------ rnn_cell: mistakes


def _sum(x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b: Tensor) -> Tensor:
    return x @ w_ih.T + h @ w_hh.T + b


@mistake(
    "rnn_cell",
    "second_bias_forgotten",
    "Only b_ih is added; b_hh is never used. Torch has two biases and adds both.",
)
def second_bias_forgotten(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(_sum(x, h, w_ih, w_hh, b_ih))


@mistake(
    "rnn_cell",
    "first_bias_forgotten",
    "Only b_hh is added; b_ih is never used. Torch has two biases and adds both.",
)
def first_bias_forgotten(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(_sum(x, h, w_ih, w_hh, b_hh))


@mistake("rnn_cell", "no_bias", "No bias is added: both b_ih and b_hh belong in the sum.")
def no_bias(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(x @ w_ih.T + h @ w_hh.T)


@mistake(
    "rnn_cell",
    "first_bias_twice",
    "b_ih is added twice and b_hh never: the sum needs one of each.",
)
def first_bias_twice(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(x @ w_ih.T + b_ih + h @ w_hh.T + b_ih)


@mistake(
    "rnn_cell",
    "second_bias_twice",
    "b_hh is added twice and b_ih never: the sum needs one of each.",
)
def second_bias_twice(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(x @ w_ih.T + b_hh + h @ w_hh.T + b_hh)


@mistake(
    "rnn_cell",
    "biases_averaged",
    "The mean of the two biases is added; torch adds both of them in full.",
)
def biases_averaged(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(_sum(x, h, w_ih, w_hh, (b_ih + b_hh) / 2))


@mistake(
    "rnn_cell",
    "biases_outside_tanh",
    "The biases are added after tanh; they belong inside, in the sum.",
)
def biases_outside_tanh(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(x @ w_ih.T + h @ w_hh.T) + b_ih + b_hh


@mistake(
    "rnn_cell",
    "state_not_used",
    "The old state h has no part in the sum: the term with w_hh is missing.",
)
def state_not_used(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(x @ w_ih.T + b_ih + b_hh)


@mistake("rnn_cell", "input_not_used", "x has no part in the sum: the term with w_ih is missing.")
def input_not_used(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(h @ w_hh.T + b_ih + b_hh)


@mistake(
    "rnn_cell",
    "recurrent_weights_not_transposed",
    "h is multiplied by w_hh as it stands; rows of w_hh belong to units of h', so transpose it.",
)
def recurrent_weights_not_transposed(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(x @ w_ih.T + h @ w_hh + b_ih + b_hh)


@mistake(
    "rnn_cell",
    "joined_in_two_orders",
    "[h; x] and [w_ih, w_hh] are joined in different orders: the columns for x meet numbers of h.",
)
def joined_in_two_orders(x, h, w_ih, w_hh, b_ih, b_hh):
    joined = torch.cat([h, x], dim=1)
    return torch.tanh(joined @ torch.cat([w_ih, w_hh], dim=1).T + b_ih + b_hh)


@mistake(
    "rnn_cell",
    "no_tanh",
    "The sum is returned as it is: tanh around it is missing.",
)
def no_tanh(x, h, w_ih, w_hh, b_ih, b_hh):
    return _sum(x, h, w_ih, w_hh, b_ih + b_hh)


@mistake("rnn_cell", "sigmoid", "The sum goes through sigmoid; this cell takes tanh.")
def sigmoid(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.sigmoid(_sum(x, h, w_ih, w_hh, b_ih + b_hh))


@mistake("rnn_cell", "relu", "The sum goes through ReLU; this cell takes tanh.")
def relu(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.relu(_sum(x, h, w_ih, w_hh, b_ih + b_hh))


@mistake("rnn_cell", "softmax", "The sum goes through softmax; this cell takes tanh.")
def softmax(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.softmax(_sum(x, h, w_ih, w_hh, b_ih + b_hh), dim=1)


@mistake(
    "rnn_cell",
    "tanh_of_each_term",
    "Each term has a tanh of its own; add the terms first, then take one tanh of the sum.",
)
def tanh_of_each_term(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(x @ w_ih.T + b_ih) + torch.tanh(h @ w_hh.T + b_hh)


@mistake(
    "rnn_cell",
    "tanh_of_the_state_alone",
    "Only the term with h is inside tanh; the term with x belongs inside as well.",
)
def tanh_of_the_state_alone(x, h, w_ih, w_hh, b_ih, b_hh):
    return x @ w_ih.T + b_ih + torch.tanh(h @ w_hh.T + b_hh)


@mistake(
    "rnn_cell",
    "tanh_of_the_input_alone",
    "Only the term with x is inside tanh; the term with h belongs inside as well.",
)
def tanh_of_the_input_alone(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(x @ w_ih.T + b_ih) + h @ w_hh.T + b_hh


@mistake("rnn_cell", "tanh_twice", "tanh is taken twice; once is enough.")
def tanh_twice(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(torch.tanh(_sum(x, h, w_ih, w_hh, b_ih + b_hh)))


@mistake(
    "rnn_cell",
    "terms_multiplied",
    "The term with x is multiplied by the term with h; they are added.",
)
def terms_multiplied(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh((x @ w_ih.T + b_ih) * (h @ w_hh.T + b_hh))


@mistake(
    "rnn_cell",
    "old_state_added",
    "The old state is added to the new one; h' is the tanh alone.",
)
def old_state_added(x, h, w_ih, w_hh, b_ih, b_hh):
    return h + torch.tanh(_sum(x, h, w_ih, w_hh, b_ih + b_hh))


@mistake(
    "rnn_cell",
    "state_of_the_first_sequence",
    "Every sequence is given the first one's state, h[0]; each has its own row of h.",
)
def state_of_the_first_sequence(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(_sum(x, h[:1], w_ih, w_hh, b_ih + b_hh))


@mistake(
    "rnn_cell",
    "batch_as_columns",
    "The numbers are right, but h' is (H, N); the batch comes first: (N, H).",
)
def batch_as_columns(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(w_ih @ x.T + w_hh @ h.T + (b_ih + b_hh)[:, None])


@mistake(
    "rnn_cell",
    "state_detached",
    "The numbers are right, but the old state is detached: no gradient can reach h.",
)
def state_detached(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(_sum(x, h.detach(), w_ih, w_hh, b_ih + b_hh))


@mistake(
    "rnn_cell",
    "weights_detached",
    "The numbers are right, but weights and biases are detached (.data?): none of them can learn.",
)
def weights_detached(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(_sum(x, h, w_ih.data, w_hh.data, b_ih.data + b_hh.data))


# ------------------------------------------------------------------ rnn_cell: other styles


@honest("rnn_cell")
def one_line(x, h, w_ih, w_hh, b_ih, b_hh):
    return (x @ w_ih.T + b_ih + h @ w_hh.T + b_hh).tanh()


@honest("rnn_cell")
def two_linear_maps(x, h, w_ih, w_hh, b_ih, b_hh):
    return torch.tanh(F.linear(x, w_ih, b_ih) + F.linear(h, w_hh, b_hh))


@honest("rnn_cell")
def one_matrix_on_both(x, h, w_ih, w_hh, b_ih, b_hh):
    a = torch.cat([w_hh, w_ih], dim=1)
    return torch.tanh(torch.cat([h, x], dim=1) @ a.t() + (b_ih + b_hh))


@honest("rnn_cell")
def biases_as_columns(x, h, w_ih, w_hh, b_ih, b_hh):
    ones = x.new_ones(len(x), 2)
    a = torch.cat([w_ih, w_hh, b_ih[:, None], b_hh[:, None]], dim=1)
    return torch.tanh(torch.hstack([x, h, ones]).matmul(a.mT))


@honest("rnn_cell")
def sums_by_letters(x, h, w_ih, w_hh, b_ih, b_hh):
    s = torch.einsum("ni,hi->nh", x, w_ih) + torch.einsum("nk,hk->nh", h, w_hh) + b_ih + b_hh
    return (torch.exp(s) - torch.exp(-s)) / (torch.exp(s) + torch.exp(-s))


@honest("rnn_cell")
def one_sequence_at_a_time(x, h, w_ih, w_hh, b_ih, b_hh):
    rows = [w_ih @ x[n] + b_ih + w_hh @ h[n] + b_hh for n in range(x.shape[0])]
    return torch.stack([2 * torch.sigmoid(2 * row) - 1 for row in rows])


@honest("rnn_cell")
def one_unit_at_a_time(x, h, w_ih, w_hh, b_ih, b_hh):
    new = torch.empty_like(h)
    for k in range(h.size(1)):
        total = (x * w_ih[k]).sum(1) + (h * w_hh[k]).sum(1) + b_ih[k] + b_hh[k]
        new[:, k] = torch.tanh(total)
    return new


# ------------------------------------------------------------------ rnn_layer: mistakes


def rnn_cell(x, h, w_ih, w_hh, b_ih, b_hh):
    """The cell that the layers here call; a probe takes its place as it does in a notebook."""
    return torch.tanh(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh)


@mistake(
    "rnn_layer",
    "state_not_carried",
    "Every step starts again from h0: the state of one step must go into the next.",
)
def state_not_carried(x, h0, w_ih, w_hh, b_ih, b_hh):
    output = []
    for x_t in x:
        h = rnn_cell(x_t, h0, w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), h


@mistake(
    "rnn_layer",
    "result_never_carried",
    "The cell's result goes into a name that the next step does not read, and h0 is returned.",
)
def result_never_carried(x, h0, w_ih, w_hh, b_ih, b_hh):
    return torch.stack([rnn_cell(x_t, h0, w_ih, w_hh, b_ih, b_hh) for x_t in x]), h0


@mistake(
    "rnn_layer",
    "starts_from_zeros",
    "The layer starts from zeros: it must start from the h0 that it is given.",
)
def starts_from_zeros(x, h0, w_ih, w_hh, b_ih, b_hh):
    return chained(x, torch.zeros_like(h0), w_ih, w_hh, b_ih, b_hh)


@mistake(
    "rnn_layer",
    "state_lost_at_every_step",
    "The state is set to zeros before every step; the state of one step must go into the next.",
)
def state_lost_at_every_step(x, h0, w_ih, w_hh, b_ih, b_hh):
    output = [rnn_cell(x_t, torch.zeros_like(h0), w_ih, w_hh, b_ih, b_hh) for x_t in x]
    return torch.stack(output), output[-1]


@mistake(
    "rnn_layer",
    "last_state_at_every_step",
    "output holds the last state at every step, as when one list entry is written T times.",
)
def last_state_at_every_step(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return h.expand_as(output), h


@mistake(
    "rnn_layer",
    "one_step_late",
    "output starts with h0 and lacks the last state: append after the cell has run, not before.",
)
def one_step_late(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = [], h0
    for x_t in x:
        output.append(h)
        h = rnn_cell(x_t, h, w_ih, w_hh, b_ih, b_hh)
    return torch.stack(output), h


@mistake(
    "rnn_layer",
    "read_backwards",
    "The sequence is read from its end to its beginning.",
)
def read_backwards(x, h0, w_ih, w_hh, b_ih, b_hh):
    return chained(x.flip(0), h0, w_ih, w_hh, b_ih, b_hh)


@mistake(
    "rnn_layer",
    "output_backwards",
    "The steps are right, but output has them in reverse order.",
)
def output_backwards(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return output.flip(0), h


@mistake("rnn_layer", "first_input_only", "Every step reads x[0]; step t must read x[t].")
def first_input_only(x, h0, w_ih, w_hh, b_ih, b_hh):
    return chained(x[:1].expand_as(x), h0, w_ih, w_hh, b_ih, b_hh)


@mistake(
    "rnn_layer",
    "first_state_returned",
    "h_n is the state after the first step; it must be the one after the last.",
)
def first_state_returned(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, _ = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return output, output[0]


@mistake(
    "rnn_layer",
    "initial_state_returned",
    "output is right, but h_n is still h0; it must be the state after the last step.",
)
def initial_state_returned(x, h0, w_ih, w_hh, b_ih, b_hh):
    return chained(x, h0, w_ih, w_hh, b_ih, b_hh)[0], h0


@mistake(
    "rnn_layer",
    "results_exchanged",
    "The results are in the order h_n, output; output comes first.",
)
def results_exchanged(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return h, output


@mistake(
    "rnn_layer",
    "batch_and_time_mixed",
    "output has the right shape, but batch and time are mixed up: view or reshape does not swap "
    "axes. torch.stack along axis 0 gives (T, N, H) at once.",
)
def batch_and_time_mixed(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return torch.cat(list(output), dim=1).view(output.shape), h


@mistake(
    "rnn_layer",
    "batch_first",
    "output is (N, T, H); here time comes first: (T, N, H). Stack along axis 0.",
)
def batch_first(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return output.transpose(0, 1), h


@mistake(
    "rnn_layer",
    "steps_joined",
    "The states are joined along the batch, (T·N, H); torch.stack gives them an axis for time.",
)
def steps_joined(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return output.flatten(0, 1), h


@mistake(
    "rnn_layer",
    "axis_for_layers",
    "The numbers are right, but h_n has an axis for layers; here it is (N, H).",
)
def axis_for_layers(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return output, h[None]


@mistake(
    "rnn_layer",
    "all_states_returned_as_h_n",
    "h_n holds the states of all steps; it is the state after the last step alone, (N, H).",
)
def all_states_returned_as_h_n(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, _ = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return output, output


@mistake(
    "rnn_layer",
    "stopped_after_one_step",
    "Only the first step is there: is the return inside the loop?",
)
def stopped_after_one_step(x, h0, w_ih, w_hh, b_ih, b_hh):
    h = rnn_cell(x[0], h0, w_ih, w_hh, b_ih, b_hh)
    return h[None], h


@mistake(
    "rnn_layer",
    "last_step_left_out",
    "The last step is missing: the loop must go over all T inputs.",
)
def last_step_left_out(x, h0, w_ih, w_hh, b_ih, b_hh):
    return chained(x[:-1] if len(x) > 1 else x, h0, w_ih, w_hh, b_ih, b_hh)


@mistake(
    "rnn_layer",
    "initial_state_kept_in_the_output",
    "output has h0 in front of the T states: it holds only the states after each step.",
)
def initial_state_kept_in_the_output(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return torch.cat([h0[None], output]), h


@mistake(
    "rnn_layer",
    "output_detached",
    "The numbers are right, but what is put into output is detached: no gradient flows from it.",
)
def output_detached(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return output.detach(), h


@mistake(
    "rnn_layer",
    "states_detached",
    "The numbers are right, but the state is detached at each step: gradients stop after one.",
)
def states_detached(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = [], h0
    for x_t in x:
        h = rnn_cell(x_t, h.detach(), w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), h


# ------------------------------------------------------------------ rnn_layer: other styles


@honest("rnn_layer")
def chained(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = [], h0
    for x_t in x:
        h = rnn_cell(x_t, h, w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), h


@honest("rnn_layer")
def written_into_place(x, h0, w_ih, w_hh, b_ih, b_hh):
    h = h0
    output = x.new_zeros(x.shape[0], *h0.shape)
    for t in range(len(x)):
        output[t] = h = rnn_cell(x[t], h, w_ih, w_hh, b_ih, b_hh)
    return output, h


@honest("rnn_layer")
def list_of_states(x, h0, w_ih, w_hh, b_ih, b_hh):
    states = [h0]
    for t, x_t in enumerate(x.unbind()):
        states += [rnn_cell(x_t, states[t], w_ih, w_hh, b_ih, b_hh)]
    return torch.stack(states)[1:], states[-1]


@honest("rnn_layer")
def recursive(x, h0, w_ih, w_hh, b_ih, b_hh):
    weights = {"w_ih": w_ih, "w_hh": w_hh, "b_ih": b_ih, "b_hh": b_hh}

    def states(t):
        """The states after the first t steps."""
        if t == 0:
            return []
        before = states(t - 1)
        h = before[-1] if before else h0
        return [*before, rnn_cell(x=x[t - 1], h=h, **weights)]

    output = torch.stack(states(x.shape[0]), dim=0)
    return output, output[-1]


@honest("rnn_layer")
def without_the_cell(x, h0, w_ih, w_hh, b_ih, b_hh):
    sums = x @ w_ih.T + b_ih + b_hh
    h, output = h0, ()
    for s in sums.unbind(0):
        h = torch.tanh(s + h @ w_hh.T)
        output += (h.unsqueeze(0),)
    return [torch.cat(output), h]


@honest("rnn_layer")
def one_sequence_after_another(x, h0, w_ih, w_hh, b_ih, b_hh):
    columns = []
    for n in range(x.shape[1]):
        h, column = h0[n : n + 1], []
        for t in range(x.shape[0]):
            h = rnn_cell(x[t, n : n + 1], h, w_ih, w_hh, b_ih, b_hh)
            column.append(h)
        columns.append(torch.stack(column))
    output = torch.cat(columns, dim=1)
    return output, output[-1].clone()


# ------------------------------------------------------------------ stacked_rnn: mistakes


def rnn_layer(x, h0, w_ih, w_hh, b_ih, b_hh):
    """The layer that the stacks here call, unless they call the cell."""
    return chained(x, h0, w_ih, w_hh, b_ih, b_hh)


@mistake(
    "stacked_rnn",
    "stack_starts_from_zeros",
    "The layers start from zeros: each must start from its own state in h0.",
)
def stack_starts_from_zeros(x, h0, layers):
    return layer_by_layer(x, [torch.zeros_like(h) for h in h0], layers)


@mistake(
    "stacked_rnn",
    "output_of_the_lowest_layer",
    "output is what the lowest layer gives; it must be what the top layer gives.",
)
def output_of_the_lowest_layer(x, h0, layers):
    _, h_n = layer_by_layer(x, h0, layers)
    return rnn_layer(x, h0[0], *layers[0])[0], h_n


@mistake(
    "stacked_rnn",
    "final_states_from_the_top",
    "h_n lists the layers from the top down; the lowest layer comes first.",
)
def final_states_from_the_top(x, h0, layers):
    output, h_n = layer_by_layer(x, h0, layers)
    return output, h_n[::-1]


@mistake(
    "stacked_rnn",
    "top_state_for_every_layer",
    "h_n holds the top layer's last state for every layer; each layer has its own.",
)
def top_state_for_every_layer(x, h0, layers):
    output, h_n = layer_by_layer(x, h0, layers)
    return output, [h_n[-1]] * len(h_n)


@mistake(
    "stacked_rnn",
    "initial_states_returned",
    "output is right, but h_n is still h0; it must hold the states after the last step.",
)
def initial_states_returned(x, h0, layers):
    return layer_by_layer(x, h0, layers)[0], h0


@mistake(
    "stacked_rnn",
    "first_states_returned",
    "h_n holds the states after the first step; it must hold those after the last.",
)
def first_states_returned(x, h0, layers):
    return layer_by_layer(x, h0, layers)[0], layer_by_layer(x[:1], h0, layers)[1]


@mistake(
    "stacked_rnn",
    "only_the_last_state_goes_up",
    "A layer reads the last state of the one below at every step; step t must read its step t.",
)
def only_the_last_state_goes_up(x, h0, layers):
    h_n = []
    for h, weights in zip(h0, layers, strict=True):
        output, last = rnn_layer(x, h, *weights)
        h_n.append(last)
        x = last.expand_as(output)
    return output, h_n


@mistake(
    "stacked_rnn",
    "reads_the_step_before",
    "A layer reads the old state of the one below; at step t it reads that layer's new state.",
)
def reads_the_step_before(x, h0, layers):
    states, output = list(h0), []
    for x_t in x:
        inputs = [x_t, *states[:-1]]
        states = [rnn_cell(i, h, *w) for i, h, w in zip(inputs, states, layers, strict=True)]
        output.append(states[-1])
    return torch.stack(output), states


@mistake(
    "stacked_rnn",
    "states_not_carried",
    "Every step starts again from h0: each layer's state must go into its next step.",
)
def states_not_carried(x, h0, layers):
    output = []
    for x_t in x:
        states, below = [], x_t
        for h, weights in zip(h0, layers, strict=True):
            below = rnn_cell(below, h, *weights)
            states.append(below)
        output.append(below)
    return torch.stack(output), states


@mistake(
    "stacked_rnn",
    "tanh_between_layers",
    "There is another tanh between the layers; a layer reads the output of the one below as it is.",
)
def tanh_between_layers(x, h0, layers):
    h_n = []
    for h, weights in zip(h0, layers, strict=True):
        output, last = rnn_layer(x, h, *weights)
        h_n.append(last)
        x = torch.tanh(output)
    return output, h_n


@mistake(
    "stacked_rnn",
    "relu_between_layers",
    "There is a ReLU between the layers; a layer reads the output of the one below as it is.",
)
def relu_between_layers(x, h0, layers):
    h_n = []
    for h, weights in zip(h0, layers, strict=True):
        output, last = rnn_layer(x, h, *weights)
        h_n.append(last)
        x = torch.relu(output)
    return output, h_n


@mistake(
    "stacked_rnn",
    "stack_read_backwards",
    "The sequence is read from its end to its beginning.",
)
def stack_read_backwards(x, h0, layers):
    return layer_by_layer(x.flip(0), h0, layers)


@mistake(
    "stacked_rnn",
    "last_output_only",
    "output is the top layer's last state alone; it must hold the states of all steps.",
)
def last_output_only(x, h0, layers):
    output, h_n = layer_by_layer(x, h0, layers)
    return output[-1], h_n


@mistake(
    "stacked_rnn",
    "stack_batch_first",
    "output is (N, T, H_top); here time comes first: (T, N, H_top).",
)
def stack_batch_first(x, h0, layers):
    output, h_n = layer_by_layer(x, h0, layers)
    return output.transpose(0, 1), h_n


@mistake(
    "stacked_rnn",
    "final_states_with_an_axis_for_layers",
    "The numbers are right, but each state in h_n has an axis for layers; here it is (N, H_l).",
)
def final_states_with_an_axis_for_layers(x, h0, layers):
    output, h_n = layer_by_layer(x, h0, layers)
    return output, [h[None] for h in h_n]


@mistake(
    "stacked_rnn",
    "stack_stopped_after_one_step",
    "Only the first step is there: is the return inside the loop over time?",
)
def stack_stopped_after_one_step(x, h0, layers):
    return layer_by_layer(x[:1], h0, layers)


@mistake(
    "stacked_rnn",
    "layers_detached",
    "The numbers are right, but what goes up is detached: no gradient reaches the layers below.",
)
def layers_detached(x, h0, layers):
    h_n = []
    for h, weights in zip(h0, layers, strict=True):
        output, last = rnn_layer(x, h, *weights)
        h_n.append(last)
        x = output.detach()
    return output, h_n


@mistake(
    "stacked_rnn",
    "final_states_detached",
    "The numbers are right, but the states in h_n are detached: no gradient flows from them.",
)
def final_states_detached(x, h0, layers):
    output, h_n = layer_by_layer(x, h0, layers)
    return output, [h.detach() for h in h_n]


# ------------------------------------------------------------------ stacked_rnn: other styles


@honest("stacked_rnn")
def layer_by_layer(x, h0, layers):
    h_n = []
    for h, weights in zip(h0, layers, strict=True):
        x, last = rnn_layer(x, h, *weights)
        h_n.append(last)
    return x, h_n


@honest("stacked_rnn")
def step_by_step(x, h0, layers):
    states, output = list(h0), []
    for x_t in x:
        below = x_t
        for k, weights in enumerate(layers):
            below = states[k] = rnn_cell(below, states[k], *weights)
        output.append(below)
    return torch.stack(output), states


@honest("stacked_rnn")
def from_the_bottom_recursively(x, h0, layers):
    if not layers:
        return x, []
    w_ih, w_hh, b_ih, b_hh = layers[0]
    output, last = rnn_layer(x=x, h0=h0[0], w_ih=w_ih, w_hh=w_hh, b_ih=b_ih, b_hh=b_hh)
    top, others = from_the_bottom_recursively(output, h0[1:], layers[1:])
    return top, [last, *others]


@honest("stacked_rnn")
def lowest_layer_first(x, h0, layers):
    outputs = [rnn_layer(x, h0[0], *layers[0])[0]]
    for k in range(1, len(layers)):
        outputs.append(rnn_layer(outputs[k - 1], h0[k], *layers[k])[0])
    return outputs[-1], tuple(output[-1] for output in outputs)


@honest("stacked_rnn")
def without_cell_or_layer(x, h0, layers):
    h_n = []
    for h, (w_ih, w_hh, b_ih, b_hh) in zip(h0, layers, strict=True):
        a, steps = torch.cat([w_ih, w_hh], dim=1), []
        for x_t in x:
            h = torch.tanh(F.linear(torch.cat([x_t, h], dim=1), a, b_ih + b_hh))
            steps.append(h)
        x = torch.stack(steps)
        h_n.append(h)
    return [x, h_n]
