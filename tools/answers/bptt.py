"""Right answers in other styles to the exercises of `rnncourse.bptt`.

Parameters have the exercises' names and order.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from . import honest


@honest("rnn_cell_backward")
def matrix_products(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    b = d.sum(dim=0)
    return d @ w_ih, d @ w_hh, d.T @ x, d.T @ h_prev, b, b.clone()


@honest("rnn_cell_backward")
def sums_over_letters(grad_h, x, h_prev, h, w_ih, w_hh):
    d = torch.einsum("nh,nh->nh", grad_h, 1 - h.square())
    return (
        torch.einsum("nh,hi->ni", d, w_ih),
        torch.einsum("nh,hj->nj", d, w_hh),
        torch.einsum("nh,ni->hi", d, x),
        torch.einsum("nh,nj->hj", d, h_prev),
        torch.einsum("nh->h", d),
        torch.einsum("nh->h", d),
    )


@honest("rnn_cell_backward")
def one_sequence_after_the_other(grad_h, x, h_prev, h, w_ih, w_hh):
    to_x, to_h_prev = torch.zeros_like(x), torch.zeros_like(h_prev)
    to_w_ih, to_w_hh, to_b = torch.zeros_like(w_ih), torch.zeros_like(w_hh), h.new_zeros(h.shape[1])
    for n in range(x.shape[0]):
        d = grad_h[n] * (1 + h[n]) * (1 - h[n])
        to_x[n], to_h_prev[n] = w_ih.T @ d, w_hh.T @ d
        to_w_ih += torch.outer(d, x[n])
        to_w_hh += d.outer(h_prev[n])
        to_b += d
    return to_x, to_h_prev, to_w_ih, to_w_hh, to_b, to_b


@honest("rnn_cell_backward")
def as_one_matrix(grad_h, x, h_prev, h, w_ih, w_hh):
    sizes = [w_ih.shape[1], w_hh.shape[1], 1, 1]
    ones = torch.ones_like(x[:, :1])
    joined = torch.cat([x, h_prev, ones, ones], dim=1)
    d = grad_h - grad_h * h * h
    to_joined = d @ torch.cat([w_ih, w_hh], dim=1)
    to_w_ih, to_w_hh, to_b_ih, to_b_hh = (d.T @ joined).split(sizes, dim=1)
    to_x, to_h_prev = to_joined.split(sizes[:2], dim=1)
    return [to_x, to_h_prev, to_w_ih, to_w_hh, to_b_ih[:, 0], to_b_hh.squeeze(1)]


@honest("rnn_cell_backward")
def products_and_sums(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h.mul(1 - h.pow(2))
    to_x = (d.unsqueeze(2) * w_ih).sum(1)
    to_h_prev = (d.unsqueeze(2) * w_hh).sum(1)
    to_w_ih = (d.unsqueeze(2) * x.unsqueeze(1)).sum(0)
    to_w_hh = (d.unsqueeze(2) * h_prev.unsqueeze(1)).sum(0)
    return to_x, to_h_prev, to_w_ih, to_w_hh, d.sum(0), d.sum(0)


@honest("rnn_cell_backward")
def linear_layers_backwards(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h * h)
    n = d.shape[0]
    bias = torch.ones(1, n, dtype=d.dtype, device=d.device) @ d
    to_weights = torch.matmul(d.t(), torch.hstack((h_prev, x)))
    width = h.shape[1]
    return (
        F.linear(d, w_ih.t()),
        F.linear(d, w_hh.t()),
        to_weights[:, width:],
        to_weights[:, :width],
        bias[0],
        bias.flatten(),
    )


def rnn_cell_backward(grad_h, x, h_prev, h, w_ih, w_hh):
    """The step back that the layers here call; a probe takes its place as it does in a notebook."""
    d = grad_h * (1 - h**2)
    return [d @ w_ih, d @ w_hh, d.T @ x, d.T @ h_prev, d.sum(0), d.sum(0)]


@honest("rnn_layer_backward")
def lists_turned_round(grad_output, x, h0, output, w_ih, w_hh):
    states = [h0, *output]
    grad_h = torch.zeros_like(h0)
    dx, dw_ih, dw_hh, db_ih, db_hh = [], 0, 0, 0, 0
    for t in range(x.shape[0] - 1, -1, -1):
        grad_h = grad_h + grad_output[t]
        d, grad_h, a, b, e, f = rnn_cell_backward(
            grad_h, x[t], states[t], states[t + 1], w_ih, w_hh
        )
        dx.append(d)
        dw_ih, dw_hh, db_ih, db_hh = dw_ih + a, dw_hh + b, db_ih + e, db_hh + f
    return torch.stack(dx[::-1]), grad_h, dw_ih, dw_hh, db_ih, db_hh


@honest("rnn_layer_backward")
def written_into_place(grad_output, x, h0, output, w_ih, w_hh):
    grad_x = torch.empty_like(x)
    grad_w_ih, grad_w_hh = torch.zeros_like(w_ih), torch.zeros_like(w_hh)
    grad_b_ih, grad_b_hh = h0.new_zeros(h0.shape[1]), h0.new_zeros(h0.shape[1])
    back = torch.zeros_like(h0)
    for t in reversed(range(len(x))):
        h_prev = output[t - 1] if t > 0 else h0
        one = rnn_cell_backward(
            grad_h=grad_output[t] + back, x=x[t], h_prev=h_prev, h=output[t], w_ih=w_ih, w_hh=w_hh
        )
        grad_x[t] = one[0]
        back = one[1]
        grad_w_ih += one[2]
        grad_w_hh += one[3]
        grad_b_ih += one[4]
        grad_b_hh += one[5]
    return grad_x, back, grad_w_ih, grad_w_hh, grad_b_ih, grad_b_hh


@honest("rnn_layer_backward")
def recursive(grad_output, x, h0, output, w_ih, w_hh):
    def from_step(t: int) -> tuple[list[Tensor], Tensor, list[Tensor]]:
        """Of step t and all after it: grad_x of each, grad of the state before t, the sums."""
        if t == len(x):
            return [], torch.zeros_like(h0), []
        later, carried, sums = from_step(t + 1)
        h_prev = h0 if t == 0 else output[t - 1]
        d_x, d_h, *own = rnn_cell_backward(
            grad_output[t] + carried, x[t], h_prev, output[t], w_ih, w_hh
        )
        return [d_x, *later], d_h, [a + b for a, b in zip(own, sums, strict=True)] if sums else own

    to_x, to_h0, sums = from_step(0)
    return [torch.stack(to_x), to_h0, *sums]


@honest("rnn_layer_backward")
def weights_at_the_end(grad_output, x, h0, output, w_ih, w_hh):
    d, inside = torch.zeros_like(h0), []
    for own, h in zip(grad_output.flip(0), output.flip(0), strict=True):
        d = (own + d @ w_hh) * (1 - h**2)
        inside.insert(0, d)
    deltas = torch.stack(inside)
    before = torch.cat([h0.unsqueeze(0), output[:-1]])
    to_b = deltas.sum((0, 1))
    return (
        deltas @ w_ih,
        deltas[0] @ w_hh,
        torch.einsum("tnh,tni->hi", deltas, x),
        deltas.flatten(0, 1).T @ before.flatten(0, 1),
        to_b,
        to_b.clone(),
    )


@honest("rnn_layer_backward")
def stacked_and_summed(grad_output, x, h0, output, w_ih, w_hh):
    before, carried = [h0, *output[:-1]], torch.zeros_like(h0)
    to_x, given = [], []
    for t in reversed(range(len(x))):
        grad_h = grad_output[t] + carried
        d_x, carried, *rest = rnn_cell_backward(grad_h, x[t], before[t], output[t], w_ih, w_hh)
        to_x.insert(0, d_x)
        given.append(rest)
    summed = [torch.stack(steps).sum(0) for steps in zip(*given, strict=True)]
    return torch.stack(to_x), carried, *summed


def _detached(state: Any) -> Any:
    if isinstance(state, Tensor):
        return state.detach()
    return tuple(part.detach() for part in state)


@honest("truncated_bptt")
def straightforward(step, chunks, state, optimizer=None):
    losses = []
    for chunk in chunks:
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        if optimizer is not None:
            optimizer.zero_grad()
        loss, state = step(chunk, state)
        loss.backward()
        if optimizer is not None:
            optimizer.step()
        losses.append(loss.item())
    return losses, tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()


@honest("truncated_bptt")
def detached_before_and_after(step, chunks, state, optimizer=None):
    losses: list[float] = []
    state = _detached(state)
    for chunk in chunks:
        if optimizer:
            optimizer.zero_grad(set_to_none=False)
        loss, state = step(chunk, state)
        torch.autograd.backward(loss)
        if optimizer:
            optimizer.step()
        losses += [float(loss.detach())]
        state = _detached(state)
    return losses, state


@honest("truncated_bptt")
def one_chunk_at_a_time(step, chunks, state, optimizer=None):
    def train(chunk: Any, state: Any) -> tuple[float, Any]:
        state = state.data if torch.is_tensor(state) else [part.data for part in state]
        loss, state = step(chunk, state)
        if optimizer is not None:
            optimizer.zero_grad()
        loss.backward()
        if optimizer is not None:
            optimizer.step()
        return loss.detach().item(), _detached(state)

    losses = []
    for chunk in chunks:
        loss, state = train(chunk, state)
        losses.append(loss)
    return losses, state


@honest("truncated_bptt")
def with_an_iterator(step, chunks, state, optimizer=None):
    losses, waiting = [], iter(chunks)
    while (chunk := next(waiting, None)) is not None:
        parts = (state,) if isinstance(state, Tensor) else state
        parts = tuple(map(Tensor.detach, parts))
        if optimizer:
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    parameter.grad = None
        loss, state = step(chunk, parts[0] if isinstance(state, Tensor) else parts)
        loss.backward()
        if optimizer:
            optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        return tuple(losses), _detached(state)


@honest("truncated_bptt")
def any_nesting(step, chunks, state, optimizer=None):
    def cut(part: Any) -> Any:
        return part.detach() if hasattr(part, "detach") else type(part)(map(cut, part))

    losses = []
    for chunk in chunks:
        if optimizer is not None:
            optimizer.zero_grad()
        loss, state = step(chunk, cut(state))
        losses.append(loss.item())
        loss.backward()
        if optimizer is not None:
            optimizer.step()
    return losses, cut(state)
