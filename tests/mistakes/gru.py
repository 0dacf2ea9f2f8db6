"""Known mistakes in the exercises of `rnncourse.gru`, and right answers in other styles.

Parameters have the exercises' names and order. What a mistake does wrong stands in its sentence.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from . import Function, honest, mistake

Recurrent = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""From r, h and the candidate's w_hn and b_hn to what the state adds to the candidate."""


def _reset_after(r: Tensor, h: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return r * (h @ w.T + b)


def _reset_before(r: Tensor, h: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return (r * h) @ w.T + b


def _parts(
    recurrent: Recurrent,
    x: Tensor,
    h: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor,
    b_hh: Tensor,
    gate: Function = torch.sigmoid,
    squash: Function = torch.tanh,
) -> tuple[Tensor, Tensor, Tensor]:
    """r, z and n."""
    x_r, x_z, x_n = (x @ w_ih.T + b_ih).chunk(3, dim=1)
    w_r, w_z, w_n = w_hh.chunk(3)
    b_r, b_z, b_n = b_hh.chunk(3)
    r, z = gate(x_r + h @ w_r.T + b_r), gate(x_z + h @ w_z.T + b_z)
    return r, z, squash(x_n + recurrent(r, h, w_n, b_n))


def _step(recurrent: Recurrent, x: Tensor, h: Tensor, *weights: Tensor) -> Tensor:
    _, z, n = _parts(recurrent, x, h, *weights)
    return (1 - z) * n + z * h


def in_both(id: str, sentence: str) -> Callable[[Function], Function]:
    """Register a mistake that is made in either cell. The decorated function takes the right way
    from the state to the candidate first, then what the cells take."""

    def register(function: Function) -> Function:
        mistake("gru_cell", id, sentence)(_with(function, _reset_after))
        mistake("gru_cell_reset_before", f"before_{id}", sentence)(_with(function, _reset_before))
        return function

    return register


def _with(function: Function, recurrent: Recurrent) -> Function:
    def cell(x, h, w_ih, w_hh, b_ih, b_hh):
        return function(recurrent, x, h, w_ih, w_hh, b_ih, b_hh)

    return cell


# ------------------------------------------------------------------ both cells: mistakes


def _blocks_in_order(order: str) -> Function:
    def blocks_in_another_order(recurrent, x, h, *weights):
        in_place = []
        for packed in weights:
            blocks = dict(zip(order, packed.chunk(3), strict=True))
            in_place.append(torch.cat([blocks[name] for name in "rzn"]))
        return _step(recurrent, x, h, *in_place)

    return blocks_in_another_order


_OTHERWISE = {"zrn": " Or r and z change places in the formulas."}

for _order in map("".join, itertools.permutations("rzn")):
    if _order != "rzn":
        in_both(
            f"blocks_{_order}",
            f"Your blocks are in the order {', '.join(_order)}; torch's is r, z, n."
            + _OTHERWISE.get(_order, ""),
        )(_blocks_in_order(_order))


@in_both(
    "update_gate_upside_down",
    "h' is z * n + (1 - z) * h; here z is what is kept of the old state: (1 - z) * n + z * h.",
)
def update_gate_upside_down(recurrent, x, h, *weights):
    _, z, n = _parts(recurrent, x, h, *weights)
    return z * n + (1 - z) * h


@in_both(
    "reset_gate_upside_down",
    "The state goes into the candidate times 1 - r; r is the share that is let through.",
)
def reset_gate_upside_down(recurrent, x, h, *weights):
    return _step(lambda r, *rest: recurrent(1 - r, *rest), x, h, *weights)


@in_both(
    "reset_gate_missing",
    "The reset gate r has no part in the candidate: the old state goes in whole.",
)
def reset_gate_missing(recurrent, x, h, *weights):
    return _step(lambda r, *rest: recurrent(torch.ones_like(r), *rest), x, h, *weights)


@in_both(
    "candidate_of_the_input_alone",
    "The candidate n is computed from x alone: its part with W_hn and the old state is missing.",
)
def candidate_of_the_input_alone(recurrent, x, h, *weights):
    return _step(lambda r, h, w, b: torch.zeros_like(h), x, h, *weights)


@in_both(
    "candidate_bias_forgotten",
    "b_hn is missing in the candidate: there are two biases in n too.",
)
def candidate_bias_forgotten(recurrent, x, h, *weights):
    return _step(lambda r, h, w, b: recurrent(r, h, w, b * 0), x, h, *weights)


@in_both(
    "no_tanh_on_the_candidate",
    "The tanh around the candidate n is missing.",
)
def no_tanh_on_the_candidate(recurrent, x, h, *weights):
    _, z, n = _parts(recurrent, x, h, *weights, squash=lambda s: s)
    return (1 - z) * n + z * h


@in_both(
    "sigmoid_on_the_candidate",
    "The candidate n goes through sigmoid; it takes tanh, so that it can be negative.",
)
def sigmoid_on_the_candidate(recurrent, x, h, *weights):
    _, z, n = _parts(recurrent, x, h, *weights, squash=torch.sigmoid)
    return (1 - z) * n + z * h


@in_both(
    "tanh_on_the_gates",
    "The gates r and z go through tanh; a gate is a number between 0 and 1, so it takes sigmoid.",
)
def tanh_on_the_gates(recurrent, x, h, *weights):
    _, z, n = _parts(recurrent, x, h, *weights, gate=torch.tanh)
    return (1 - z) * n + z * h


@in_both(
    "gates_without_sigmoid",
    "The gates r and z are used as raw sums: each needs its sigmoid.",
)
def gates_without_sigmoid(recurrent, x, h, *weights):
    _, z, n = _parts(recurrent, x, h, *weights, gate=lambda s: s)
    return (1 - z) * n + z * h


@in_both(
    "old_state_dropped",
    "The old state has no part in the mixture: the term z * h is missing.",
)
def old_state_dropped(recurrent, x, h, *weights):
    _, z, n = _parts(recurrent, x, h, *weights)
    return (1 - z) * n


@in_both(
    "candidate_returned",
    "The candidate n is returned; h' mixes it with the old state: (1 - z) * n + z * h.",
)
def candidate_returned(recurrent, x, h, *weights):
    return _parts(recurrent, x, h, *weights)[2]


@in_both(
    "candidate_added_whole",
    "The candidate n is added whole: 1 - z must multiply it.",
)
def candidate_added_whole(recurrent, x, h, *weights):
    _, z, n = _parts(recurrent, x, h, *weights)
    return n + z * h


@in_both(
    "old_state_kept_whole",
    "The old state is kept whole: z must multiply it.",
)
def old_state_kept_whole(recurrent, x, h, *weights):
    _, z, n = _parts(recurrent, x, h, *weights)
    return (1 - z) * n + h


@in_both(
    "update_gate_twice",
    "z multiplies both n and h; the candidate is weighed with 1 - z.",
)
def update_gate_twice(recurrent, x, h, *weights):
    _, z, n = _parts(recurrent, x, h, *weights)
    return z * n + z * h


@in_both(
    "mixed_with_the_reset_gate",
    "Old and new are mixed with r; r acts inside the candidate, and z mixes.",
)
def mixed_with_the_reset_gate(recurrent, x, h, *weights):
    r, _, n = _parts(recurrent, x, h, *weights)
    return (1 - r) * n + r * h


@in_both(
    "reset_with_the_update_gate",
    "z stands in the candidate where r belongs: two gates, and each has its own place.",
)
def reset_with_the_update_gate(recurrent, x, h, *weights):
    _, z, _ = _parts(recurrent, x, h, *weights)
    return _step(lambda r, *rest: recurrent(z, *rest), x, h, *weights)


@in_both(
    "reset_state_kept",
    "What is kept is z * r * h: the reset gate acts inside the candidate alone, h stays as it was.",
)
def reset_state_kept(recurrent, x, h, *weights):
    r, z, n = _parts(recurrent, x, h, *weights)
    return (1 - z) * n + z * r * h


@in_both("second_biases_forgotten", "b_hh is never used: torch has two biases, and both count.")
def second_biases_forgotten(recurrent, x, h, w_ih, w_hh, b_ih, b_hh):
    return _step(recurrent, x, h, w_ih, w_hh, b_ih, b_hh * 0)


@in_both("first_biases_forgotten", "b_ih is never used: torch has two biases, and both count.")
def first_biases_forgotten(recurrent, x, h, w_ih, w_hh, b_ih, b_hh):
    return _step(recurrent, x, h, w_ih, w_hh, b_ih * 0, b_hh)


@in_both("no_bias", "No bias is added: both b_ih and b_hh belong in the sums.")
def no_bias(recurrent, x, h, w_ih, w_hh, b_ih, b_hh):
    return _step(recurrent, x, h, w_ih, w_hh, b_ih * 0, b_hh * 0)


@in_both("first_biases_twice", "b_ih is added twice and b_hh never: the sums need one of each.")
def first_biases_twice(recurrent, x, h, w_ih, w_hh, b_ih, b_hh):
    return _step(recurrent, x, h, w_ih, w_hh, b_ih, b_ih)


@in_both("input_not_used", "x has no part in the sums: the terms with w_ih are missing.")
def input_not_used(recurrent, x, h, w_ih, w_hh, b_ih, b_hh):
    return _step(recurrent, x, h, w_ih * 0, w_hh, b_ih, b_hh)


@in_both(
    "recurrent_weights_not_used",
    "The old state has no part in the sums: the terms with w_hh are missing.",
)
def recurrent_weights_not_used(recurrent, x, h, w_ih, w_hh, b_ih, b_hh):
    return _step(recurrent, x, h, w_ih, w_hh * 0, b_ih, b_hh)


@in_both(
    "recurrent_blocks_not_transposed",
    "Each block of w_hh is (H, H), so h @ W fits either way: the right one is h @ W.T.",
)
def recurrent_blocks_not_transposed(recurrent, x, h, w_ih, w_hh, b_ih, b_hh):
    transposed = torch.cat([block.T for block in w_hh.chunk(3)])
    return _step(recurrent, x, h, w_ih, transposed, b_ih, b_hh)


@in_both(
    "rows_interleaved",
    "The blocks are read from every third row; torch keeps the H rows of each together.",
)
def rows_interleaved(recurrent, x, h, *weights):
    apart = [torch.cat([packed[k::3] for k in range(3)]) for packed in weights]
    return _step(recurrent, x, h, *apart)


@in_both(
    "old_state_detached",
    "The numbers are right, but the old state is detached: no gradient can reach h.",
)
def old_state_detached(recurrent, x, h, *weights):
    return _step(recurrent, x, h.detach(), *weights)


@in_both(
    "kept_state_detached",
    "The numbers are right, but h is detached in z * h: a part of its gradient is missing.",
)
def kept_state_detached(recurrent, x, h, *weights):
    _, z, n = _parts(recurrent, x, h, *weights)
    return (1 - z) * n + z * h.detach()


@in_both(
    "gates_detached",
    "The numbers are right, but the gates are detached: their weights get no gradient.",
)
def gates_detached(recurrent, x, h, *weights):
    r, z, _ = _parts(recurrent, x, h, *weights)
    _, _, n = _parts(lambda _, *rest: recurrent(r.detach(), *rest), x, h, *weights)
    return (1 - z.detach()) * n + z.detach() * h


# ------------------------------------------------------------------ gru_cell: mistakes


@mistake(
    "gru_cell",
    "reset_before_the_matrix",
    "r multiplies h before W_hn does, as in the paper; torch's GRU has r * (W_hn h + b_hn).",
)
def reset_before_the_matrix(x, h, w_ih, w_hh, b_ih, b_hh):
    return _step(_reset_before, x, h, w_ih, w_hh, b_ih, b_hh)


@mistake(
    "gru_cell",
    "hidden_bias_outside",
    "b_hn stands outside the reset: r multiplies W_hn h + b_hn. So b_ih + b_hh cannot be one bias.",
)
def hidden_bias_outside(x, h, w_ih, w_hh, b_ih, b_hh):
    return _step(lambda r, h, w, b: r * (h @ w.T) + b, x, h, w_ih, w_hh, b_ih, b_hh)


@mistake(
    "gru_cell",
    "input_bias_inside",
    "b_in is multiplied by r; only W_hn h + b_hn is. So b_ih + b_hh cannot be one bias.",
)
def input_bias_inside(x, h, w_ih, w_hh, b_ih, b_hh):
    return _step(_reset_after, x, h, w_ih, w_hh, b_ih * 0, b_ih + b_hh)


@mistake(
    "gru_cell",
    "biases_exchanged",
    "b_ih and b_hh change places: b_ih belongs to x, and b_hn stands inside the reset.",
)
def biases_exchanged(x, h, w_ih, w_hh, b_ih, b_hh):
    return _step(_reset_after, x, h, w_ih, w_hh, b_hh, b_ih)


@mistake(
    "gru_cell",
    "reset_on_the_whole_sum",
    "r multiplies the whole sum inside tanh; the part with x stands outside the reset.",
)
def reset_on_the_whole_sum(x, h, w_ih, w_hh, b_ih, b_hh):
    r, z, _ = _parts(_reset_after, x, h, w_ih, w_hh, b_ih, b_hh)
    sums = (x @ w_ih.T + b_ih + h @ w_hh.T + b_hh).chunk(3, dim=1)[2]
    return (1 - z) * torch.tanh(r * sums) + z * h


@mistake(
    "gru_cell",
    "reset_on_the_input",
    "r multiplies the part with x; it belongs to the other one: r * (W_hn h + b_hn).",
)
def reset_on_the_input(x, h, w_ih, w_hh, b_ih, b_hh):
    r, z, _ = _parts(_reset_after, x, h, w_ih, w_hh, b_ih, b_hh)
    x_n, h_n = (x @ w_ih.T + b_ih).chunk(3, dim=1)[2], (h @ w_hh.T + b_hh).chunk(3, dim=1)[2]
    return (1 - z) * torch.tanh(r * x_n + h_n) + z * h


@mistake(
    "gru_cell",
    "candidate_outside_tanh",
    "r multiplies tanh of the whole sum; it stands inside: tanh(W_in x + b_in + r * (...)).",
)
def candidate_outside_tanh(x, h, w_ih, w_hh, b_ih, b_hh):
    r, z, _ = _parts(_reset_after, x, h, w_ih, w_hh, b_ih, b_hh)
    sums = (x @ w_ih.T + b_ih + h @ w_hh.T + b_hh).chunk(3, dim=1)[2]
    return (1 - z) * r * torch.tanh(sums) + z * h


@mistake(
    "gru_cell",
    "tanh_on_the_new_state",
    "tanh is put on the new state as well; it belongs to the candidate n alone.",
)
def tanh_on_the_new_state(x, h, w_ih, w_hh, b_ih, b_hh):
    return _step(_reset_after, x, h, w_ih, w_hh, b_ih, b_hh).tanh()


# ------------------------------------------------------------------ gru_cell_reset_before: mistakes


@mistake(
    "gru_cell_reset_before",
    "reset_after_the_matrix",
    "r multiplies W_hn h + b_hn: that is torch's GRU. Here r multiplies h before the matrix does.",
)
def reset_after_the_matrix(x, h, w_ih, w_hh, b_ih, b_hh):
    return _step(_reset_after, x, h, w_ih, w_hh, b_ih, b_hh)


@mistake(
    "gru_cell_reset_before",
    "reset_on_the_product",
    "r multiplies the product W_hn h; here it multiplies h before the matrix does: W_hn (r * h).",
)
def reset_on_the_product(x, h, w_ih, w_hh, b_ih, b_hh):
    return _step(lambda r, h, w, b: r * (h @ w.T) + b, x, h, w_ih, w_hh, b_ih, b_hh)


@mistake(
    "gru_cell_reset_before",
    "reset_on_the_bias",
    "r multiplies b_hn as well; here it multiplies h alone, and the bias is added whole.",
)
def reset_on_the_bias(x, h, w_ih, w_hh, b_ih, b_hh):
    return _step(lambda r, h, w, b: (r * h) @ w.T + r * b, x, h, w_ih, w_hh, b_ih, b_hh)


@mistake(
    "gru_cell_reset_before",
    "reset_on_both_sides",
    "r acts twice, before the matrix and after it; here it multiplies h once, before.",
)
def reset_on_both_sides(x, h, w_ih, w_hh, b_ih, b_hh):
    return _step(lambda r, h, w, b: r * ((r * h) @ w.T + b), x, h, w_ih, w_hh, b_ih, b_hh)


@mistake(
    "gru_cell_reset_before",
    "update_gate_of_the_reset_state",
    "z is computed from r * h; both gates read the old state h as it is.",
)
def update_gate_of_the_reset_state(x, h, w_ih, w_hh, b_ih, b_hh):
    r, _, n = _parts(_reset_before, x, h, w_ih, w_hh, b_ih, b_hh)
    _, z, _ = _parts(_reset_before, x, r * h, w_ih, w_hh, b_ih, b_hh)
    return (1 - z) * n + z * h


# ------------------------------------------------------------------ gru_cell: other styles


@honest("gru_cell")
def chunks(x, h, w_ih, w_hh, b_ih, b_hh):
    x_r, x_z, x_n = (x @ w_ih.T + b_ih).chunk(3, 1)
    h_r, h_z, h_n = (h @ w_hh.T + b_hh).chunk(3, 1)
    z = (x_z + h_z).sigmoid()
    n = (x_n + (x_r + h_r).sigmoid() * h_n).tanh()
    return n - z * n + z * h


@honest("gru_cell")
def slices(x, h, w_ih, w_hh, b_ih, b_hh):
    H = h.shape[1]
    from_x, from_h = F.linear(x, w_ih, b_ih), F.linear(h, w_hh, b_hh)
    gates = torch.sigmoid(from_x[:, : 2 * H] + from_h[:, : 2 * H])
    r, z = gates[:, :H], gates[:, H:]
    return torch.lerp(torch.tanh(from_x[:, 2 * H :] + r * from_h[:, 2 * H :]), h, z)


@honest("gru_cell")
def gates_from_one_matrix(x, h, w_ih, w_hh, b_ih, b_hh):
    H = h.size(1)
    both = torch.cat([x, h], dim=1) @ torch.cat([w_ih, w_hh], dim=1)[: 2 * H].t()
    r, z = torch.sigmoid(both + (b_ih + b_hh)[: 2 * H]).split(H, dim=1)
    inner = torch.addmm(b_hh[2 * H :], h, w_hh[2 * H :].t())
    n = torch.tanh(torch.addmm(b_ih[2 * H :], x, w_ih[2 * H :].t()) + r * inner)
    return n + z * (h - n)


@honest("gru_cell")
def einsum(x, h, w_ih, w_hh, b_ih, b_hh):
    w, u = w_ih.unflatten(0, (3, -1)), w_hh.unflatten(0, (3, -1))
    s = torch.einsum("ni,ghi->gnh", x, w) + b_ih.unflatten(0, (3, -1))[:, None]
    v = torch.einsum("nk,ghk->gnh", h, u) + b_hh.unflatten(0, (3, -1))[:, None]
    r, z = (1 / (1 + torch.exp(-s[k] - v[k])) for k in (0, 1))
    n = 2 * torch.sigmoid(2 * (s[2] + r * v[2])) - 1
    return z * h + (1 - z) * n


@honest("gru_cell")
def one_sequence_at_a_time(x, h, w_ih, w_hh, b_ih, b_hh):
    rows = []
    for n in range(x.shape[0]):
        s, v = (w_ih @ x[n] + b_ih).reshape(3, -1), (w_hh @ h[n] + b_hh).reshape(3, -1)
        r, z = torch.sigmoid(s[:2] + v[:2])
        rows.append((1 - z) * torch.tanh(s[2] + r * v[2]) + z * h[n])
    return torch.stack(rows)


@honest("gru_cell")
def one_block_at_a_time(x, h, w_ih, w_hh, b_ih, b_hh):
    size = h.shape[-1]

    def sums(k):
        rows = slice(k * size, (k + 1) * size)
        return x @ w_ih[rows].T + b_ih[rows], h @ w_hh[rows].T + b_hh[rows]

    reset, update = (torch.sigmoid(sum(sums(k))) for k in range(2))
    from_x, from_h = sums(2)
    return update.mul(h).add((-(update - 1)).mul(from_x.add(reset.mul(from_h)).tanh()))


# ------------------------------------------------------------------ gru_cell_reset_before: styles


@honest("gru_cell_reset_before")
def blocks_by_name(x, h, w_ih, w_hh, b_ih, b_hh):
    (w_ir, w_iz, w_in), (w_hr, w_hz, w_hn) = w_ih.chunk(3), w_hh.chunk(3)
    b_r, b_z, b_n = (b_ih + b_hh).chunk(3)
    r = torch.sigmoid(x @ w_ir.T + h @ w_hr.T + b_r)
    z = torch.sigmoid(x @ w_iz.T + h @ w_hz.T + b_z)
    n = torch.tanh(x @ w_in.T + (r * h) @ w_hn.T + b_n)
    return (1 - z) * n + z * h


@honest("gru_cell_reset_before")
def joined_vectors(x, h, w_ih, w_hh, b_ih, b_hh):
    H = h.shape[1]
    w, b = torch.cat([w_ih, w_hh], dim=1), b_ih + b_hh
    gates = F.linear(torch.cat([x, h], dim=1), w[: 2 * H], b[: 2 * H]).sigmoid()
    r, z = gates.tensor_split(2, dim=1)
    n = F.linear(torch.cat([x, r * h], dim=1), w[2 * H :], b[2 * H :]).tanh()
    return torch.lerp(n, h, z)


@honest("gru_cell_reset_before")
def einsum_of_the_reset_state(x, h, w_ih, w_hh, b_ih, b_hh):
    s = torch.einsum("ni,ghi->gnh", x, w_ih.unflatten(0, (3, -1)))
    s = s + (b_ih + b_hh).unflatten(0, (3, 1, -1))
    u = w_hh.unflatten(0, (3, -1))
    r, z = torch.sigmoid(s[:2] + torch.einsum("nk,ghk->gnh", h, u[:2]))
    n = torch.tanh(s[2] + torch.einsum("nk,nk,hk->nh", r, h, u[2]))
    return n + z * (h - n)


@honest("gru_cell_reset_before")
def one_row_at_a_time(x, h, w_ih, w_hh, b_ih, b_hh):
    rows = []
    for n in range(len(x)):
        s, u = (w_ih @ x[n] + b_ih + b_hh).view(3, -1), w_hh.reshape(3, h.shape[1], -1)
        r, z = torch.sigmoid(s[0] + u[0] @ h[n]), torch.sigmoid(s[1] + u[1] @ h[n])
        rows.append(z * h[n] + (1 - z) * torch.tanh(s[2] + u[2] @ (r * h[n])))
    return torch.stack(rows)


@honest("gru_cell_reset_before")
def reset_on_the_columns(x, h, w_ih, w_hh, b_ih, b_hh):
    """The reset gate on the columns of the matrix instead of on the state: the same product."""
    H = h.shape[1]
    gates = torch.sigmoid(x @ w_ih[: 2 * H].T + h @ w_hh[: 2 * H].T + (b_ih + b_hh)[: 2 * H])
    r, z = gates[:, :H], gates[:, H:]
    matrices = w_hh[2 * H :] * r[:, None, :]
    inner = (matrices @ h[:, :, None]).squeeze(2)
    n = torch.tanh(x @ w_ih[2 * H :].T + b_ih[2 * H :] + inner + b_hh[2 * H :])
    return h * z + n * (1 - z)


# ------------------------------------------------------------------ gru_layer: mistakes


def gru_cell(x, h, w_ih, w_hh, b_ih, b_hh):
    """The cell that the layers here call; a probe takes its place as it does in a notebook."""
    r, z, n = (x @ w_ih.T + b_ih).chunk(3, dim=1)
    r_h, z_h, n_h = (h @ w_hh.T + b_hh).chunk(3, dim=1)
    z = torch.sigmoid(z + z_h)
    return (1 - z) * torch.tanh(n + torch.sigmoid(r + r_h) * n_h) + z * h


@mistake(
    "gru_layer",
    "state_not_carried",
    "Every step starts again from h0: the state of one step must go into the next.",
)
def state_not_carried(x, h0, w_ih, w_hh, b_ih, b_hh):
    output = []
    for x_t in x:
        h = gru_cell(x_t, h0, w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), h


@mistake(
    "gru_layer",
    "first_state_returned_as_last",
    "The new state goes into a name that the next step does not read, and h0 is returned.",
)
def first_state_returned_as_last(x, h0, w_ih, w_hh, b_ih, b_hh):
    return torch.stack([gru_cell(x_t, h0, w_ih, w_hh, b_ih, b_hh) for x_t in x]), h0


@mistake(
    "gru_layer",
    "starts_from_zeros",
    "The layer starts from zeros: it must start from the h0 that it is given.",
)
def starts_from_zeros(x, h0, w_ih, w_hh, b_ih, b_hh):
    return chained(x, torch.zeros_like(h0), w_ih, w_hh, b_ih, b_hh)


@mistake(
    "gru_layer",
    "last_state_at_every_step",
    "output holds the last state at every step, as when one list entry is written T times.",
)
def last_state_at_every_step(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return h.expand_as(output), h


@mistake(
    "gru_layer",
    "one_step_late",
    "output starts with h0 and lacks the last state: append after the cell has run, not before.",
)
def one_step_late(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = [], h0
    for x_t in x:
        output.append(h)
        h = gru_cell(x_t, h, w_ih, w_hh, b_ih, b_hh)
    return torch.stack(output), h


@mistake("gru_layer", "read_backwards", "The sequence is read from its end to its beginning.")
def read_backwards(x, h0, w_ih, w_hh, b_ih, b_hh):
    return chained(x.flip(0), h0, w_ih, w_hh, b_ih, b_hh)


@mistake(
    "gru_layer",
    "output_backwards",
    "The steps are right, but output has them in reverse order.",
)
def output_backwards(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return output.flip(0), h


@mistake("gru_layer", "first_input_only", "Every step reads x[0]; step t must read x[t].")
def first_input_only(x, h0, w_ih, w_hh, b_ih, b_hh):
    return chained(x[:1].expand_as(x), h0, w_ih, w_hh, b_ih, b_hh)


@mistake(
    "gru_layer",
    "state_after_the_first_step_returned",
    "h_n is the state after the first step; it must be the one after the last.",
)
def state_after_the_first_step_returned(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, _ = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return output, output[0]


@mistake(
    "gru_layer",
    "last_sequence_returned",
    "h_n holds the last sequence of the batch at all steps; it is the last step: output[-1].",
)
def last_sequence_returned(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, _ = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return output, output[:, -1]


@mistake(
    "gru_layer",
    "results_swapped",
    "Your results are in the order h_n, output; output comes first.",
)
def results_swapped(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return h, output


@mistake(
    "gru_layer",
    "batch_and_time_mixed",
    "output has the right shape, but batch and time are mixed up: view or reshape does not swap "
    "axes. torch.stack along axis 0 gives (T, N, H) at once.",
)
def batch_and_time_mixed(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return torch.cat(list(output), dim=1).view(output.shape), h


@mistake(
    "gru_layer",
    "batch_first",
    "output is (N, T, H); here time comes first: (T, N, H). Stack along axis 0.",
)
def batch_first(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return output.transpose(0, 1), h


@mistake(
    "gru_layer",
    "axis_for_layers",
    "The numbers are right, but h_n has an axis for layers; here it is (N, H).",
)
def axis_for_layers(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return output, h[None]


@mistake(
    "gru_layer",
    "stopped_after_one_step",
    "Only the first step is there: is the return inside the loop?",
)
def stopped_after_one_step(x, h0, w_ih, w_hh, b_ih, b_hh):
    h = gru_cell(x[0], h0, w_ih, w_hh, b_ih, b_hh)
    return h[None], h


@mistake(
    "gru_layer",
    "last_step_left_out",
    "The last step is missing: the loop must go over all T inputs.",
)
def last_step_left_out(x, h0, w_ih, w_hh, b_ih, b_hh):
    return chained(x[:-1] if len(x) > 1 else x, h0, w_ih, w_hh, b_ih, b_hh)


@mistake(
    "gru_layer",
    "initial_state_kept_in_the_output",
    "output has h0 in front of the T states: it holds only the states after each step.",
)
def initial_state_kept_in_the_output(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return torch.cat([h0[None], output]), h


@mistake(
    "gru_layer",
    "output_detached",
    "The numbers are right, but what is put into output is detached: no gradient flows from it.",
)
def output_detached(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = chained(x, h0, w_ih, w_hh, b_ih, b_hh)
    return output.detach(), h


@mistake(
    "gru_layer",
    "state_detached",
    "The numbers are right, but the state is detached at each step: gradients stop after one.",
)
def state_detached(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = [], h0
    for x_t in x:
        h = gru_cell(x_t, h.detach(), w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), h


# ------------------------------------------------------------------ gru_layer: other styles


@honest("gru_layer")
def chained(x, h0, w_ih, w_hh, b_ih, b_hh):
    output, h = [], h0
    for x_t in x:
        h = gru_cell(x_t, h, w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), h


@honest("gru_layer")
def written_into_place(x, h0, w_ih, w_hh, b_ih, b_hh):
    h = h0
    output = x.new_zeros(x.shape[0], *h0.shape)
    for t in range(len(x)):
        h = gru_cell(x[t], h, w_ih, w_hh, b_ih, b_hh)
        output[t] = h
    return output, h


@honest("gru_layer")
def accumulated(x, h0, w_ih, w_hh, b_ih, b_hh):
    def step(h, x_t):
        return gru_cell(x_t, h, w_ih=w_ih, w_hh=w_hh, b_ih=b_ih, b_hh=b_hh)

    states = list(itertools.accumulate(x.unbind(), step, initial=h0))
    return [torch.stack(states[1:]), states[-1]]


@honest("gru_layer")
def recursive(x, h0, w_ih, w_hh, b_ih, b_hh):
    h = gru_cell(x[0], h0, w_ih, w_hh, b_ih, b_hh)
    if x.shape[0] == 1:
        return h.unsqueeze(0), h
    output, last = recursive(x[1:], h, w_ih, w_hh, b_ih, b_hh)
    return torch.cat((h.unsqueeze(0), output)), last


@honest("gru_layer")
def without_the_cell(x, h0, w_ih, w_hh, b_ih, b_hh):
    """The part with x for all steps at once, before the loop."""
    from_x = F.linear(x, w_ih, b_ih)
    h, hs = h0, ()
    for x_r, x_z, x_n in zip(*from_x.chunk(3, dim=2), strict=True):
        h_r, h_z, h_n = F.linear(h, w_hh, b_hh).chunk(3, dim=1)
        z = (x_z + h_z).sigmoid()
        h = z * h + (1 - z) * (x_n + (x_r + h_r).sigmoid() * h_n).tanh()
        hs += (h,)
    return torch.stack(hs), hs[-1]
