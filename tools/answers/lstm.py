"""Right answers to the exercises of `rnncourse.lstm` in other styles, and a family of mistakes.

Parameters have the exercises' names and order. What a mistake does wrong stands in its sentence.
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F

from rnncourse._exercise import Function

from . import honest, mistake


def _gates_in_order(order: str) -> Function:
    def gates_in_another_order(x, h, c, w_ih, w_hh, b_ih, b_hh):
        gates = (x @ w_ih.T + b_ih + h @ w_hh.T + b_hh).chunk(4, dim=1)
        i, f, g, o = (gates[order.index(name)] for name in "ifgo")
        c_next = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c_next), c_next

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


# ------------------------------------------------------------------ lstm_cell


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


# ------------------------------------------------------------------ lstm_layer


def lstm_cell(x, h, c, w_ih, w_hh, b_ih, b_hh):
    """The cell that the layers here call; a probe takes its place as it does in a notebook."""
    i, f, g, o = (x @ w_ih.T + b_ih + h @ w_hh.T + b_hh).chunk(4, dim=1)
    c_next = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c_next), c_next


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
