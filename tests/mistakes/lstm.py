"""Known mistakes in the exercises of `rnncourse.lstm`, and right answers in other styles.

Parameters have the exercises' names and order. What a mistake does wrong stands in its sentence.
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor

from . import Function, honest, mistake

Pair = tuple[Tensor, Tensor]
Packed = tuple[Tensor, Tensor, Tensor, Tensor]


def _sums(x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b: Tensor) -> list[Tensor]:
    return list((x @ w_ih.T + h @ w_hh.T + b).chunk(4, dim=1))


def _step(i: Tensor, f: Tensor, g: Tensor, o: Tensor, c: Tensor) -> Pair:
    c_next = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c_next.tanh(), c_next


# ------------------------------------------------------------------ lstm_cell: mistakes


def _gates_in_order(order: str) -> Function:
    def gates_in_another_order(x, h, c, w_ih, w_hh, b_ih, b_hh):
        gates = dict(zip(order, _sums(x, h, w_ih, w_hh, b_ih + b_hh), strict=True))
        return _step(gates["i"], gates["f"], gates["g"], gates["o"], c)

    return gates_in_another_order


_OTHERWISE = {"figo": " Or i and f change places in c'."}

for _order in map("".join, itertools.permutations("ifgo")):
    if _order != "ifgo":
        mistake(
            "lstm_cell",
            f"gates_{_order}",
            f"Your gates are in the order {', '.join(_order)}; torch's is i, f, g, o."
            + _OTHERWISE.get(_order, ""),
        )(_gates_in_order(_order))


@mistake(
    "lstm_cell",
    "second_bias_forgotten",
    "Only b_ih is added; b_hh is never used. Torch has two biases and adds both.",
)
def second_bias_forgotten(x, h, c, w_ih, w_hh, b_ih, b_hh):
    i, f, g, o = (x @ w_ih.T + b_ih + h @ w_hh.T).chunk(4, dim=1)
    c_next = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_next), c_next


@mistake(
    "lstm_cell",
    "first_bias_forgotten",
    "Only b_hh is added; b_ih is never used. Torch has two biases and adds both.",
)
def first_bias_forgotten(x, h, c, w_ih, w_hh, b_ih, b_hh):
    return _step(*_sums(x, h, w_ih, w_hh, b_hh), c)


@mistake("lstm_cell", "no_bias", "No bias is added: both b_ih and b_hh belong in the sum.")
def no_bias(x, h, c, w_ih, w_hh, b_ih, b_hh):
    return _step(*_sums(x, h, w_ih, w_hh, torch.zeros_like(b_ih)), c)


@mistake(
    "lstm_cell",
    "hidden_state_not_used",
    "The old hidden state h has no part in the gates: the term with w_hh is missing.",
)
def hidden_state_not_used(x, h, c, w_ih, w_hh, b_ih, b_hh):
    return _step(*_sums(x, torch.zeros_like(h), w_ih, w_hh, b_ih + b_hh), c)


@mistake("lstm_cell", "input_not_used", "x has no part in the gates: the w_ih term is missing.")
def input_not_used(x, h, c, w_ih, w_hh, b_ih, b_hh):
    return _step(*_sums(torch.zeros_like(x), h, w_ih, w_hh, b_ih + b_hh), c)


@mistake(
    "lstm_cell",
    "cell_state_in_the_gates",
    "The gates are computed from the cell state c where the hidden state h belongs.",
)
def cell_state_in_the_gates(x, h, c, w_ih, w_hh, b_ih, b_hh):
    return _step(*_sums(x, c, w_ih, w_hh, b_ih + b_hh), c)


@mistake(
    "lstm_cell",
    "results_swapped",
    "Your results are in the order c', h'; the hidden state comes first: h', c'.",
)
def results_swapped(x, h, c, w_ih, w_hh, b_ih, b_hh):
    h_next, c_next = _step(*_sums(x, h, w_ih, w_hh, b_ih + b_hh), c)
    return c_next, h_next


@mistake(
    "lstm_cell",
    "states_swapped",
    "h and c change places: the gate f must multiply the cell state c, and h goes into the sums.",
)
def states_swapped(x, h, c, w_ih, w_hh, b_ih, b_hh):
    return _step(*_sums(x, c, w_ih, w_hh, b_ih + b_hh), h)


@mistake(
    "lstm_cell",
    "no_tanh_on_the_cell_state",
    "h' is o * c': the tanh around the new cell state is missing.",
)
def no_tanh_on_the_cell_state(x, h, c, w_ih, w_hh, b_ih, b_hh):
    _, _, _, o = _sums(x, h, w_ih, w_hh, b_ih + b_hh)
    _, c_next = _step(*_sums(x, h, w_ih, w_hh, b_ih + b_hh), c)
    return o.sigmoid() * c_next, c_next


@mistake(
    "lstm_cell",
    "old_cell_state_in_the_output",
    "h' is computed from the old cell state c; it takes the new one, c'.",
)
def old_cell_state_in_the_output(x, h, c, w_ih, w_hh, b_ih, b_hh):
    gates = _sums(x, h, w_ih, w_hh, b_ih + b_hh)
    return gates[3].sigmoid() * c.tanh(), _step(*gates, c)[1]


@mistake(
    "lstm_cell",
    "sigmoid_on_the_candidate",
    "The candidate g goes through sigmoid; it takes tanh, so that it can be negative.",
)
def sigmoid_on_the_candidate(x, h, c, w_ih, w_hh, b_ih, b_hh):
    i, f, g, o = _sums(x, h, w_ih, w_hh, b_ih + b_hh)
    c_next = f.sigmoid() * c + i.sigmoid() * g.sigmoid()
    return o.sigmoid() * c_next.tanh(), c_next


@mistake("lstm_cell", "no_tanh_on_the_candidate", "The tanh around the candidate g is missing.")
def no_tanh_on_the_candidate(x, h, c, w_ih, w_hh, b_ih, b_hh):
    i, f, g, o = _sums(x, h, w_ih, w_hh, b_ih + b_hh)
    c_next = f.sigmoid() * c + i.sigmoid() * g
    return o.sigmoid() * c_next.tanh(), c_next


@mistake(
    "lstm_cell",
    "tanh_on_the_gates",
    "The gates i, f, o go through tanh; a gate is a number between 0 and 1, so it takes sigmoid.",
)
def tanh_on_the_gates(x, h, c, w_ih, w_hh, b_ih, b_hh):
    i, f, g, o = (s.tanh() for s in _sums(x, h, w_ih, w_hh, b_ih + b_hh))
    c_next = f * c + i * g
    return o * c_next.tanh(), c_next


@mistake(
    "lstm_cell",
    "gates_without_sigmoid",
    "The gates i, f and o are used as raw sums: each needs its sigmoid.",
)
def gates_without_sigmoid(x, h, c, w_ih, w_hh, b_ih, b_hh):
    i, f, g, o = _sums(x, h, w_ih, w_hh, b_ih + b_hh)
    c_next = f * c + i * g.tanh()
    return o * c_next.tanh(), c_next


@mistake(
    "lstm_cell",
    "input_gate_missing",
    "The candidate is added whole: the input gate i must multiply it.",
)
def input_gate_missing(x, h, c, w_ih, w_hh, b_ih, b_hh):
    _, f, g, o = _sums(x, h, w_ih, w_hh, b_ih + b_hh)
    c_next = f.sigmoid() * c + g.tanh()
    return o.sigmoid() * c_next.tanh(), c_next


@mistake(
    "lstm_cell",
    "forget_gate_missing",
    "The old cell state is kept whole: the forget gate f must multiply it.",
)
def forget_gate_missing(x, h, c, w_ih, w_hh, b_ih, b_hh):
    i, _, g, o = _sums(x, h, w_ih, w_hh, b_ih + b_hh)
    c_next = c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c_next.tanh(), c_next


@mistake(
    "lstm_cell",
    "output_gate_missing",
    "h' is tanh(c'): the output gate o must multiply it.",
)
def output_gate_missing(x, h, c, w_ih, w_hh, b_ih, b_hh):
    _, c_next = _step(*_sums(x, h, w_ih, w_hh, b_ih + b_hh), c)
    return c_next.tanh(), c_next


@mistake(
    "lstm_cell",
    "old_cell_state_dropped",
    "The old cell state has no part in c': the term f * c is missing.",
)
def old_cell_state_dropped(x, h, c, w_ih, w_hh, b_ih, b_hh):
    return _step(*_sums(x, h, w_ih, w_hh, b_ih + b_hh), torch.zeros_like(c))


@mistake(
    "lstm_cell",
    "forget_gate_upside_down",
    "The old cell state is multiplied by 1 - f; f is what is kept, so it is f * c.",
)
def forget_gate_upside_down(x, h, c, w_ih, w_hh, b_ih, b_hh):
    i, f, g, o = _sums(x, h, w_ih, w_hh, b_ih + b_hh)
    return _step(i, -f, g, o, c)


@mistake(
    "lstm_cell",
    "coupled_gates",
    "The new part is weighed with 1 - f; an LSTM has an input gate i of its own.",
)
def coupled_gates(x, h, c, w_ih, w_hh, b_ih, b_hh):
    _, f, g, o = _sums(x, h, w_ih, w_hh, b_ih + b_hh)
    return _step(-f, f, g, o, c)


@mistake(
    "lstm_cell",
    "forget_gate_on_the_candidate",
    "The forget gate multiplies the sum of old and new; it belongs to the old cell state alone.",
)
def forget_gate_on_the_candidate(x, h, c, w_ih, w_hh, b_ih, b_hh):
    i, f, g, o = _sums(x, h, w_ih, w_hh, b_ih + b_hh)
    c_next = f.sigmoid() * (c + i.sigmoid() * g.tanh())
    return o.sigmoid() * c_next.tanh(), c_next


@mistake(
    "lstm_cell",
    "rows_interleaved",
    "The gates are read from every fourth row; torch keeps each gate's H rows together.",
)
def rows_interleaved(x, h, c, w_ih, w_hh, b_ih, b_hh):
    sums = x @ w_ih.T + h @ w_hh.T + b_ih + b_hh
    i, f, g, o = sums.view(len(x), -1, 4).unbind(2)
    return _step(i, f, g, o, c)


@mistake(
    "lstm_cell",
    "tanh_on_the_cell_state_kept",
    "tanh is put on the cell state itself; it belongs only to h', and c' is returned without it.",
)
def tanh_on_the_cell_state_kept(x, h, c, w_ih, w_hh, b_ih, b_hh):
    i, f, g, o = _sums(x, h, w_ih, w_hh, b_ih + b_hh)
    c_next = (f.sigmoid() * c + i.sigmoid() * g.tanh()).tanh()
    return o.sigmoid() * c_next, c_next


@mistake(
    "lstm_cell",
    "first_bias_twice",
    "b_ih is added twice and b_hh never: the sum needs one of each.",
)
def first_bias_twice(x, h, c, w_ih, w_hh, b_ih, b_hh):
    return _step(*_sums(x, h, w_ih, w_hh, b_ih + b_ih), c)


@mistake(
    "lstm_cell",
    "forget_gate_added",
    "The forget gate is added to the old cell state; it multiplies it: f * c.",
)
def forget_gate_added(x, h, c, w_ih, w_hh, b_ih, b_hh):
    i, f, g, o = _sums(x, h, w_ih, w_hh, b_ih + b_hh)
    c_next = f.sigmoid() + c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c_next.tanh(), c_next


@mistake(
    "lstm_cell",
    "sigmoid_on_the_cell_state",
    "h' is o * sigmoid(c'); it takes tanh(c') instead.",
)
def sigmoid_on_the_cell_state(x, h, c, w_ih, w_hh, b_ih, b_hh):
    gates = _sums(x, h, w_ih, w_hh, b_ih + b_hh)
    _, c_next = _step(*gates, c)
    return gates[3].sigmoid() * c_next.sigmoid(), c_next


@mistake(
    "lstm_cell",
    "forget_gate_on_the_hidden_state",
    "The forget gate multiplies the hidden state h; it belongs to the cell state c.",
)
def forget_gate_on_the_hidden_state(x, h, c, w_ih, w_hh, b_ih, b_hh):
    return _step(*_sums(x, h, w_ih, w_hh, b_ih + b_hh), h)


@mistake(
    "lstm_cell",
    "old_cell_state_returned",
    "The second result is the old cell state c; it must be the new one, c'.",
)
def old_cell_state_returned(x, h, c, w_ih, w_hh, b_ih, b_hh):
    return _step(*_sums(x, h, w_ih, w_hh, b_ih + b_hh), c)[0], c


@mistake(
    "lstm_cell",
    "hidden_state_returned_twice",
    "Both results are h'; the second must be the new cell state, c'.",
)
def hidden_state_returned_twice(x, h, c, w_ih, w_hh, b_ih, b_hh):
    h_next, _ = _step(*_sums(x, h, w_ih, w_hh, b_ih + b_hh), c)
    return h_next, h_next


@mistake(
    "lstm_cell",
    "cell_state_detached",
    "The numbers are right, but the old cell state is detached: no gradient can reach c.",
)
def cell_state_detached(x, h, c, w_ih, w_hh, b_ih, b_hh):
    return _step(*_sums(x, h, w_ih, w_hh, b_ih + b_hh), c.detach())


@mistake(
    "lstm_cell",
    "hidden_state_detached",
    "The numbers are right, but the old hidden state is detached: no gradient can reach h.",
)
def hidden_state_detached(x, h, c, w_ih, w_hh, b_ih, b_hh):
    return _step(*_sums(x, h.detach(), w_ih, w_hh, b_ih + b_hh), c)


# ------------------------------------------------------------------ lstm_cell: other styles


@honest("lstm_cell")
def chunks(x, h, c, w_ih, w_hh, b_ih, b_hh):
    i, f, g, o = (x @ w_ih.T + b_ih + h @ w_hh.T + b_hh).chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


@honest("lstm_cell")
def slices(x, h, c, w_ih, w_hh, b_ih, b_hh):
    H = h.shape[1]
    s = F.linear(x, w_ih, b_ih) + F.linear(h, w_hh, b_hh)
    gates = torch.sigmoid(s)
    c_next = gates[:, H : 2 * H] * c + gates[:, :H] * torch.tanh(s[:, 2 * H : 3 * H])
    return gates[:, 3 * H :] * torch.tanh(c_next), c_next


@honest("lstm_cell")
def one_matrix(x, h, c, w_ih, w_hh, b_ih, b_hh):
    stacked = torch.cat([x, h], dim=1) @ torch.cat([w_ih, w_hh], dim=1).t() + (b_ih + b_hh)
    i, f, g, o = torch.split(stacked, h.size(1), dim=1)
    c_next = torch.addcmul(f.sigmoid() * c, i.sigmoid(), g.tanh())
    return o.sigmoid() * c_next.tanh(), c_next


@honest("lstm_cell")
def einsum(x, h, c, w_ih, w_hh, b_ih, b_hh):
    w, u = w_ih.unflatten(0, (4, -1)), w_hh.unflatten(0, (4, -1))
    b = (b_ih + b_hh).unflatten(0, (4, -1))
    s = torch.einsum("ni,ghi->gnh", x, w) + torch.einsum("nk,ghk->gnh", h, u) + b[:, None]
    i, f, o = (1 / (1 + torch.exp(-s[k])) for k in (0, 1, 3))
    c_next = f * c + i * (2 * torch.sigmoid(2 * s[2]) - 1)
    return o * torch.tanh(c_next), c_next


@honest("lstm_cell")
def one_sequence_at_a_time(x, h, c, w_ih, w_hh, b_ih, b_hh):
    hs, cs = [], []
    for n in range(x.shape[0]):
        s = w_ih @ x[n] + b_ih + w_hh @ h[n] + b_hh
        i, f, g, o = s.reshape(4, -1)
        cs.append(f.sigmoid() * c[n] + i.sigmoid() * g.tanh())
        hs.append(o.sigmoid() * cs[-1].tanh())
    return torch.stack(hs), torch.stack(cs)


@honest("lstm_cell")
def one_gate_at_a_time(x, h, c, w_ih, w_hh, b_ih, b_hh):
    size = h.shape[-1]

    def gate(k):
        rows = slice(k * size, (k + 1) * size)
        return x @ w_ih[rows].T + h @ w_hh[rows].T + b_ih[rows] + b_hh[rows]

    keep = gate(1).sigmoid().mul(c)
    c_next = keep.add(gate(0).sigmoid().mul(gate(2).tanh()))
    return [gate(3).sigmoid() * c_next.tanh(), c_next]


# ------------------------------------------------------------------ lstm_layer: mistakes


def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
    """The cell that the layers here call; a probe takes its place as it does in a notebook."""
    i, f, g, o = (x @ w_ih.T + b_ih + h @ w_hh.T + b_hh).chunk(4, dim=1)
    c_next = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_next), c_next


@mistake(
    "lstm_layer",
    "states_not_carried",
    "Every step starts again from h0 and c0: the states of one step must go into the next.",
)
def states_not_carried(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output = []
    for x_t in x:
        h, c = lstm_cell(x_t, h0, c0, w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), (h, c)


@mistake(
    "lstm_layer",
    "cell_state_not_carried",
    "The hidden state is carried, but every step starts again from c0.",
)
def cell_state_not_carried(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output, h = [], h0
    for x_t in x:
        h, c = lstm_cell(x_t, h, c0, w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), (h, c)


@mistake(
    "lstm_layer",
    "hidden_state_not_carried",
    "The cell state is carried, but every step starts again from h0.",
)
def hidden_state_not_carried(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output, c = [], c0
    for x_t in x:
        h, c = lstm_cell(x_t, h0, c, w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), (h, c)


@mistake(
    "lstm_layer",
    "starts_from_zeros",
    "The layer starts from zeros: it must start from the h0 and c0 that it is given.",
)
def starts_from_zeros(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    return chained(x, torch.zeros_like(h0), torch.zeros_like(c0), w_ih, w_hh, b_ih, b_hh)


@mistake(
    "lstm_layer",
    "initial_states_swapped",
    "h0 and c0 change places before the first step.",
)
def initial_states_swapped(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    return chained(x, c0, h0, w_ih, w_hh, b_ih, b_hh)


@mistake(
    "lstm_layer",
    "final_states_swapped",
    "The final states are in the order (c_n, h_n); the hidden state comes first.",
)
def final_states_swapped(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output, (h, c) = chained(x, h0, c0, w_ih, w_hh, b_ih, b_hh)
    return output, (c, h)


@mistake(
    "lstm_layer",
    "output_of_cell_states",
    "output holds the cell states; it holds the hidden state of every step.",
)
def output_of_cell_states(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output, h, c = [], h0, c0
    for x_t in x:
        h, c = lstm_cell(x_t, h, c, w_ih, w_hh, b_ih, b_hh)
        output.append(c)
    return torch.stack(output), (h, c)


@mistake(
    "lstm_layer",
    "last_state_at_every_step",
    "output holds the last hidden state at every step, as when one list entry is written T times.",
)
def last_state_at_every_step(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output, (h, c) = chained(x, h0, c0, w_ih, w_hh, b_ih, b_hh)
    return h.expand_as(output), (h, c)


@mistake(
    "lstm_layer",
    "one_step_late",
    "output starts with h0 and lacks the last state: append after the cell has run, not before.",
)
def one_step_late(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output, h, c = [], h0, c0
    for x_t in x:
        output.append(h)
        h, c = lstm_cell(x_t, h, c, w_ih, w_hh, b_ih, b_hh)
    return torch.stack(output), (h, c)


@mistake(
    "lstm_layer",
    "read_backwards",
    "The sequence is read from its end to its beginning.",
)
def read_backwards(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    return chained(x.flip(0), h0, c0, w_ih, w_hh, b_ih, b_hh)


@mistake(
    "lstm_layer",
    "output_backwards",
    "The steps are right, but output has them in reverse order.",
)
def output_backwards(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output, states = chained(x, h0, c0, w_ih, w_hh, b_ih, b_hh)
    return output.flip(0), states


@mistake("lstm_layer", "first_input_only", "Every step reads x[0]; step t must read x[t].")
def first_input_only(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    return chained(x[:1].expand_as(x), h0, c0, w_ih, w_hh, b_ih, b_hh)


@mistake(
    "lstm_layer",
    "first_states_returned",
    "h_n and c_n are the states after the first step; they must be those after the last.",
)
def first_states_returned(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output, _ = chained(x, h0, c0, w_ih, w_hh, b_ih, b_hh)
    return output, lstm_cell(x[0], h0, c0, w_ih, w_hh, b_ih, b_hh)


@mistake(
    "lstm_layer",
    "batch_and_time_mixed",
    "output has the right shape, but batch and time are mixed up: view or reshape does not swap "
    "axes. torch.stack along axis 0 gives (T, N, H) at once.",
)
def batch_and_time_mixed(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output, states = chained(x, h0, c0, w_ih, w_hh, b_ih, b_hh)
    return torch.cat(list(output), dim=1).view(output.shape), states


@mistake(
    "lstm_layer",
    "batch_first",
    "output is (N, T, H); here time comes first: (T, N, H). Stack along axis 0.",
)
def batch_first(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output, states = chained(x, h0, c0, w_ih, w_hh, b_ih, b_hh)
    return output.transpose(0, 1), states


@mistake(
    "lstm_layer",
    "axis_for_layers",
    "The numbers are right, but h_n and c_n have an axis for layers; here they are (N, H).",
)
def axis_for_layers(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output, (h, c) = chained(x, h0, c0, w_ih, w_hh, b_ih, b_hh)
    return output, (h[None], c[None])


@mistake(
    "lstm_layer",
    "states_exchanged_on_the_way",
    "The cell's results are caught in the order c, h; it returns the hidden state first: h, c.",
)
def states_exchanged_on_the_way(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output, h, c = [], h0, c0
    for x_t in x:
        c, h = lstm_cell(x_t, h, c, w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), (h, c)


@mistake(
    "lstm_layer",
    "results_never_carried",
    "The cell's results go into new names that the next step does not read, and the first states "
    "are returned.",
)
def results_never_carried(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output = [lstm_cell(x_t, h0, c0, w_ih, w_hh, b_ih, b_hh)[0] for x_t in x]
    return torch.stack(output), (h0, c0)


@mistake(
    "lstm_layer",
    "stopped_after_one_step",
    "Only the first step is there: is the return inside the loop?",
)
def stopped_after_one_step(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    h, c = lstm_cell(x[0], h0, c0, w_ih, w_hh, b_ih, b_hh)
    return h[None], (h, c)


@mistake(
    "lstm_layer",
    "last_step_left_out",
    "The last step is missing: the loop must go over all T inputs.",
)
def last_step_left_out(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output, h, c = [], h0, c0
    for x_t in x[:-1] if len(x) > 1 else x:
        h, c = lstm_cell(x_t, h, c, w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), (h, c)


@mistake(
    "lstm_layer",
    "initial_state_kept_in_the_output",
    "output has h0 in front of the T states: it holds only the states after each step.",
)
def initial_state_kept_in_the_output(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output, states = chained(x, h0, c0, w_ih, w_hh, b_ih, b_hh)
    return torch.cat([h0[None], output]), states


@mistake(
    "lstm_layer",
    "output_detached",
    "The numbers are right, but what is put into output is detached: no gradient flows from it.",
)
def output_detached(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output, states = chained(x, h0, c0, w_ih, w_hh, b_ih, b_hh)
    return output.detach(), states


@mistake(
    "lstm_layer",
    "states_detached",
    "The numbers are right, but the states are detached at each step: gradients stop after one.",
)
def states_detached(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output, h, c = [], h0, c0
    for x_t in x:
        h, c = lstm_cell(x_t, h.detach(), c.detach(), w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), (h, c)


# ------------------------------------------------------------------ lstm_layer: other styles


@honest("lstm_layer")
def chained(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    output, h, c = [], h0, c0
    for x_t in x:
        h, c = lstm_cell(x_t, h, c, w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), (h, c)


@honest("lstm_layer")
def written_into_place(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    state = (h0, c0)
    output = x.new_zeros(x.shape[0], *h0.shape)
    for t in range(len(x)):
        state = lstm_cell(x[t], *state, w_ih, w_hh, b_ih, b_hh)
        output[t] = state[0]
    return output, state


@honest("lstm_layer")
def recursive(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    weights = {"w_ih": w_ih, "w_hh": w_hh, "b_ih": b_ih, "b_hh": b_hh}

    def steps(t, h, c):
        if t == x.shape[0]:
            return [], (h, c)
        h, c = lstm_cell(x=x[t], h=h, c=c, **weights)
        later, states = steps(t + 1, h, c)
        return [h, *later], states

    output, states = steps(0, h0, c0)
    return torch.stack(output, dim=0), states


@honest("lstm_layer")
def without_the_cell(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    sums = x @ w_ih.T + b_ih + b_hh
    h, c, hs = h0, c0, ()
    for s in sums.unbind(0):
        i, f, g, o = (s + h @ w_hh.T).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        hs += (h.unsqueeze(0),)
    return torch.cat(hs), [h, c]


@honest("lstm_layer")
def lists_of_states(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    hs, cs = [h0], [c0]
    for t, x_t in enumerate(x.unbind()):
        h, c = lstm_cell(x_t, hs[t], cs[t], w_ih, w_hh, b_ih, b_hh)
        hs, cs = [*hs, h], [*cs, c]
    return torch.stack(hs[1:]), (hs[-1], cs[-1])


# ------------------------------------------------------------------ pack_gates


def _pack(ws: list[Tensor], bs: list[Tensor]) -> Packed:
    w, b = torch.cat(ws), torch.cat(bs)
    size = bs[0].shape[0]
    return w[:, size:], w[:, :size], b, torch.zeros_like(b)


@mistake(
    "pack_gates",
    "order_of_the_arguments",
    "The blocks are in the order of the arguments, f, i, c, o; torch's order is i, f, g, o.",
)
def order_of_the_arguments(w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o):
    return _pack([w_f, w_i, w_c, w_o], [b_f, b_i, b_c, b_o])


@mistake(
    "pack_gates",
    "candidate_last",
    "The blocks are in the order i, f, o, g; torch's order is i, f, g, o.",
)
def candidate_last(w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o):
    return _pack([w_i, w_f, w_o, w_c], [b_i, b_f, b_o, b_c])


@mistake(
    "pack_gates",
    "columns_of_x_first",
    "The first columns were taken for x; the matrices multiply [h; x], so the first H belong to h.",
)
def columns_of_x_first(w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o):
    w, b = torch.cat([w_i, w_f, w_c, w_o]), torch.cat([b_i, b_f, b_c, b_o])
    inputs = w.shape[1] - b_f.shape[0]
    return w[:, :inputs], w[:, inputs:], b, torch.zeros_like(b)


@mistake(
    "pack_gates",
    "bias_doubled",
    "Both b_ih and b_hh hold the whole bias, and torch adds them: each counts twice.",
)
def bias_doubled(w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o):
    w_ih, w_hh, b, _ = _pack([w_i, w_f, w_c, w_o], [b_i, b_f, b_c, b_o])
    return w_ih, w_hh, b, b


@mistake("pack_gates", "bias_lost", "The biases are zero: b_ih + b_hh must be the gates' own.")
def bias_lost(w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o):
    w_ih, w_hh, _, zero = _pack([w_i, w_f, w_c, w_o], [b_i, b_f, b_c, b_o])
    return w_ih, w_hh, zero, zero


@mistake(
    "pack_gates",
    "biases_in_the_order_of_the_arguments",
    "The matrices are in torch's order, the biases are not: they too go i, f, g, o.",
)
def biases_in_the_order_of_the_arguments(w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o):
    return _pack([w_i, w_f, w_c, w_o], [b_f, b_i, b_c, b_o])


@mistake(
    "pack_gates",
    "matrices_in_the_order_of_the_arguments",
    "The biases are in torch's order, the matrices are not: they too go i, f, g, o.",
)
def matrices_in_the_order_of_the_arguments(w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o):
    return _pack([w_f, w_i, w_c, w_o], [b_i, b_f, b_c, b_o])


@mistake(
    "pack_gates",
    "packed_matrices_swapped",
    "w_ih and w_hh change places: w_ih is (4H, I) and comes first.",
)
def packed_matrices_swapped(w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o):
    w_ih, w_hh, b_ih, b_hh = _pack([w_i, w_f, w_c, w_o], [b_i, b_f, b_c, b_o])
    return w_hh, w_ih, b_ih, b_hh


@honest("pack_gates")
def concatenated(w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o):
    H = b_f.shape[0]
    w = torch.cat([w_i, w_f, w_c, w_o])
    b = torch.cat([b_i, b_f, b_c, b_o])
    return w[:, H:], w[:, :H], b, torch.zeros_like(b)


@honest("pack_gates")
def bias_in_halves(w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o):
    half = torch.cat((b_i, b_f, b_c, b_o)) / 2
    parts = [w.split([len(b_f), w.shape[1] - len(b_f)], dim=1) for w in (w_i, w_f, w_c, w_o)]
    return torch.cat([p[1] for p in parts]), torch.cat([p[0] for p in parts]), half, half


@honest("pack_gates")
def bias_on_the_hidden_side(w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o):
    w = torch.vstack([w_i, w_f, w_c, w_o])
    b_hh = torch.stack([b_i, b_f, b_c, b_o]).flatten()
    w_hh, w_ih = w.tensor_split([b_f.numel()], dim=1)
    return w_ih.contiguous(), w_hh.contiguous(), b_hh * 0, b_hh


@honest("pack_gates")
def filled_block_by_block(w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o):
    H, width = w_f.shape
    w_ih, w_hh = w_f.new_empty(4 * H, width - H), w_f.new_empty(4 * H, H)
    b_ih = b_f.new_empty(4 * H)
    for k, (w, b) in enumerate(((w_i, b_i), (w_f, b_f), (w_c, b_c), (w_o, b_o))):
        rows = slice(k * H, (k + 1) * H)
        w_ih[rows], w_hh[rows], b_ih[rows] = w[:, H:], w[:, :H], b
    return w_ih, w_hh, b_ih, torch.zeros_like(b_ih)


# ------------------------------------------------------------------ unpack_gates


def _unpacked(w_ih: Tensor, w_hh: Tensor, b: Tensor, order: str) -> tuple[Tensor, ...]:
    ws = dict(zip(order, torch.cat([w_hh, w_ih], dim=1).chunk(4), strict=True))
    bs = dict(zip(order, b.chunk(4), strict=True))
    return (*(ws[k] for k in "figo"), *(bs[k] for k in "figo"))


@mistake(
    "unpack_gates",
    "returned_in_torchs_order",
    "The gates come back in torch's order, i, f, g, o, or were cut in another; it is f, i, c, o.",
)
def returned_in_torchs_order(w_ih, w_hh, b_ih, b_hh):
    return (*torch.cat([w_hh, w_ih], dim=1).chunk(4), *(b_ih + b_hh).chunk(4))


@mistake(
    "unpack_gates",
    "candidate_and_output_swapped",
    "The candidate and the output gate change places: torch's third block is g, the fourth is o.",
)
def candidate_and_output_swapped(w_ih, w_hh, b_ih, b_hh):
    return _unpacked(w_ih, w_hh, b_ih + b_hh, "ifog")


@mistake(
    "unpack_gates",
    "x_before_h",
    "The columns are in the order [x; h]; here h comes first: [h; x].",
)
def x_before_h(w_ih, w_hh, b_ih, b_hh):
    i, f, g, o = torch.cat([w_ih, w_hh], dim=1).chunk(4)
    b_i, b_f, b_g, b_o = (b_ih + b_hh).chunk(4)
    return f, i, g, o, b_f, b_i, b_g, b_o


@mistake("unpack_gates", "second_bias_lost", "The biases are those of b_ih alone; add b_hh.")
def second_bias_lost(w_ih, w_hh, b_ih, b_hh):
    return _unpacked(w_ih, w_hh, b_ih, "ifgo")


@mistake("unpack_gates", "first_bias_lost", "The biases are those of b_hh alone; add b_ih.")
def first_bias_lost(w_ih, w_hh, b_ih, b_hh):
    return _unpacked(w_ih, w_hh, b_hh, "ifgo")


@mistake(
    "unpack_gates",
    "bias_averaged",
    "The biases are the mean of b_ih and b_hh; torch adds the two.",
)
def bias_averaged(w_ih, w_hh, b_ih, b_hh):
    return _unpacked(w_ih, w_hh, (b_ih + b_hh) / 2, "ifgo")


@mistake(
    "unpack_gates",
    "biases_in_torchs_order",
    "The matrices are in the order f, i, c, o; the biases are still in torch's, i, f, g, o.",
)
def biases_in_torchs_order(w_ih, w_hh, b_ih, b_hh):
    return (*_unpacked(w_ih, w_hh, b_ih + b_hh, "ifgo")[:4], *(b_ih + b_hh).chunk(4))


@mistake(
    "unpack_gates",
    "matrices_in_torchs_order",
    "The biases are in the order f, i, c, o; the matrices are still in torch's, i, f, g, o.",
)
def matrices_in_torchs_order(w_ih, w_hh, b_ih, b_hh):
    w = torch.cat([w_hh, w_ih], dim=1)
    return (*w.chunk(4), *_unpacked(w_ih, w_hh, b_ih + b_hh, "ifgo")[4:])


@mistake(
    "unpack_gates",
    "unpacked_rows_interleaved",
    "A gate was read from every fourth row; torch keeps each gate's H rows together, as a block.",
)
def unpacked_rows_interleaved(w_ih, w_hh, b_ih, b_hh):
    w, b = torch.cat([w_hh, w_ih], dim=1), b_ih + b_hh
    return (*(w[k::4] for k in (1, 0, 2, 3)), *(b[k::4] for k in (1, 0, 2, 3)))


@honest("unpack_gates")
def chunked(w_ih, w_hh, b_ih, b_hh):
    w_i, w_f, w_c, w_o = torch.cat([w_hh, w_ih], dim=1).chunk(4)
    b_i, b_f, b_c, b_o = (b_ih + b_hh).chunk(4)
    return w_f, w_i, w_c, w_o, b_f, b_i, b_c, b_o


@honest("unpack_gates")
def sliced(w_ih, w_hh, b_ih, b_hh):
    H = w_hh.shape[1]
    rows = [slice(k * H, k * H + H) for k in (1, 0, 2, 3)]
    weights = [torch.hstack((w_hh[r], w_ih[r])) for r in rows]
    return weights + [b_ih[r] + b_hh[r] for r in rows]


@honest("unpack_gates")
def reshaped(w_ih, w_hh, b_ih, b_hh):
    H = w_hh.shape[1]
    w = torch.cat((w_hh.view(4, H, H), w_ih.reshape(4, H, -1)), dim=2)
    b = b_ih.view(4, H) + b_hh.view(4, H)
    return tuple(w[k] for k in (1, 0, 2, 3)) + tuple(b[k] for k in (1, 0, 2, 3))


@honest("unpack_gates")
def by_name(w_ih, w_hh, b_ih, b_hh):
    parts = {}
    for name, u, v, a, b in zip(
        "ifco", w_ih.chunk(4), w_hh.chunk(4), b_ih.chunk(4), b_hh.chunk(4), strict=True
    ):
        parts["w_" + name], parts["b_" + name] = torch.cat([v, u], 1), a + b
    return tuple(parts[f"{kind}_{gate}"] for kind in "wb" for gate in "fico")


# ------------------------------------------------------------------ set_forget_bias


@mistake(
    "set_forget_bias",
    "set_in_both",
    "Both biases are set to the value, and torch adds them: their sum is twice the value.",
)
def set_in_both(b_ih, b_hh, value):
    b_ih, b_hh, H = b_ih.clone(), b_hh.clone(), len(b_ih) // 4
    b_ih[H : 2 * H] = value
    b_hh[H : 2 * H] = value
    return b_ih, b_hh


@mistake(
    "set_forget_bias",
    "only_b_ih_set",
    "b_hh's old forget block is still part of the sum; the two must add up to the value alone.",
)
def only_b_ih_set(b_ih, b_hh, value):
    b_ih, H = b_ih.clone(), len(b_ih) // 4
    b_ih[H : 2 * H] = value
    return b_ih, b_hh.clone()


@mistake(
    "set_forget_bias",
    "only_b_hh_set",
    "b_ih's old forget block is still part of the sum; the two must add up to the value alone.",
)
def only_b_hh_set(b_ih, b_hh, value):
    b_hh, H = b_hh.clone(), len(b_hh) // 4
    b_hh[H : 2 * H] = value
    return b_ih.clone(), b_hh


@mistake(
    "set_forget_bias",
    "input_block_set",
    "The first block was set: that is the input gate's. The forget gate's is the second.",
)
def input_block_set(b_ih, b_hh, value):
    b_ih, b_hh, H = b_ih.clone(), b_hh.clone(), len(b_ih) // 4
    b_ih[:H], b_hh[:H] = value, 0
    return b_ih, b_hh


@mistake(
    "set_forget_bias",
    "second_bias_zeroed",
    "All of b_hh is set to zero: only its forget block may change.",
)
def second_bias_zeroed(b_ih, b_hh, value):
    b_ih, H = b_ih.clone(), len(b_ih) // 4
    b_ih[H : 2 * H] = value
    return b_ih, torch.zeros_like(b_hh)


@mistake(
    "set_forget_bias",
    "value_added",
    "The value is added to the old biases; the two together must be the value itself.",
)
def value_added(b_ih, b_hh, value):
    b_ih, H = b_ih.clone(), len(b_ih) // 4
    b_ih[H : 2 * H] += value
    return b_ih, b_hh.clone()


@mistake(
    "set_forget_bias",
    "other_blocks_zeroed",
    "The other gates' biases are lost: they stay exactly as they were.",
)
def other_blocks_zeroed(b_ih, b_hh, value):
    new, H = torch.zeros_like(b_ih), len(b_ih) // 4
    new[H : 2 * H] = value
    return new, torch.zeros_like(b_hh)


@mistake(
    "set_forget_bias",
    "all_blocks_set",
    "Every gate's bias is set; only the forget gate's block, the second, should be.",
)
def all_blocks_set(b_ih, b_hh, value):
    return torch.full_like(b_ih, value), torch.zeros_like(b_hh)


@honest("set_forget_bias")
def value_in_b_ih(b_ih, b_hh, value):
    H = b_ih.shape[0] // 4
    b_ih, b_hh = b_ih.clone(), b_hh.clone()
    b_ih[H : 2 * H], b_hh[H : 2 * H] = value, 0
    return b_ih, b_hh


@honest("set_forget_bias")
def the_rest_in_b_hh(b_ih, b_hh, value):
    i, f, g, o = b_hh.chunk(4)
    return b_ih, torch.cat([i, value - b_ih.chunk(4)[1], g, o])


@honest("set_forget_bias")
def half_in_each(b_ih, b_hh, value):
    half = torch.full_like(b_ih.chunk(4)[1], value / 2)

    def with_half(b):
        i, _, g, o = b.chunk(4)
        return torch.cat([i, half, g, o])

    return with_half(b_ih), with_half(b_hh)


@honest("set_forget_bias")
def by_a_mask(b_ih, b_hh, value):
    block = torch.arange(len(b_ih), device=b_ih.device) // (len(b_ih) // 4)
    is_forget = block == 1
    b_hh_new = b_hh.masked_fill(is_forget, 0.25)
    return torch.where(is_forget, torch.full_like(b_ih, value - 0.25), b_ih), b_hh_new
