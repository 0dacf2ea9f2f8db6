"""Right answers to the exercises of `rnncourse.gru` in other styles, and a family of mistakes.

Parameters have the exercises' names and order. What a mistake does wrong stands in its sentence.
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F

from rnncourse._exercise import Function

from . import honest, mistake, solutions


def _blocks_in_order(order: str, right: Function) -> Function:
    def blocks_in_another_order(x, h, w_ih, w_hh, b_ih, b_hh):
        in_place = []
        for packed in (w_ih, w_hh, b_ih, b_hh):
            blocks = packed.chunk(3)
            in_place.append(torch.cat([blocks[order.index(name)] for name in "rzn"]))
        return right(x, h, *in_place)

    return blocks_in_another_order


_OTHERWISE = {"zrn": " Or r and z change places in the formulas."}

for _exercise, _prefix in (("gru_cell", "blocks"), ("gru_cell_reset_before", "before_blocks")):
    for _order in map("".join, itertools.permutations("rzn")):
        if _order != "rzn":
            mistake(
                _exercise,
                f"{_prefix}_{_order}",
                f"Your blocks are in the order {', '.join(_order)}; torch's is r, z, n."
                + _OTHERWISE.get(_order, ""),
            )(_blocks_in_order(_order, solutions("gru").function(_exercise)))


# ------------------------------------------------------------------ gru_cell


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


# ------------------------------------------------------------------ gru_cell_reset_before


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


# ------------------------------------------------------------------ gru_layer


def gru_cell(x, h, w_ih, w_hh, b_ih, b_hh):
    """The cell that the layers here call; a probe takes its place as it does in a notebook."""
    r, z, n = (x @ w_ih.T + b_ih).chunk(3, dim=1)
    r_h, z_h, n_h = (h @ w_hh.T + b_hh).chunk(3, dim=1)
    z = torch.sigmoid(z + z_h)
    return (1 - z) * torch.tanh(n + torch.sigmoid(r + r_h) * n_h) + z * h


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
