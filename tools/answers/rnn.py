"""Right answers to the exercises of `rnncourse.rnn` in other styles.

Parameters have the exercises' names and order.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from . import honest

# ------------------------------------------------------------------ rnn_cell


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
    return 1 - 2 / (torch.exp(2 * s) + 1)


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


# ------------------------------------------------------------------ rnn_layer


def rnn_cell(x, h, w_ih, w_hh, b_ih, b_hh):
    """The cell that the layers here call; a probe takes its place as it does in a notebook."""
    return torch.tanh(x @ w_ih.T + b_ih + h @ w_hh.T + b_hh)


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


# ------------------------------------------------------------------ stacked_rnn


def rnn_layer(x, h0, w_ih, w_hh, b_ih, b_hh):
    """The layer that the stacks here call, unless they call the cell."""
    return chained(x, h0, w_ih, w_hh, b_ih, b_hh)


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
