"""Hidden spec of the assignment bptt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from rnncourse.grading.spec import Spec

Grads = tuple[Tensor, ...]


def rnn_cell_backward(
    grad_h: Tensor, x: Tensor, h_prev: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor
) -> Grads:
    grad_sum = grad_h * (1 - h * h)
    grad_b = grad_sum.sum(0)
    return grad_sum @ w_ih, grad_sum @ w_hh, grad_sum.T @ x, grad_sum.T @ h_prev, grad_b, grad_b


def rnn_layer_backward(
    grad_output: Tensor, x: Tensor, h0: Tensor, output: Tensor, w_ih: Tensor, w_hh: Tensor
) -> Grads:
    before = torch.cat([h0[None], output[:-1]])
    grad_x, carried = torch.zeros_like(x), torch.zeros_like(h0)
    totals = [torch.zeros_like(w) for w in (w_ih, w_hh, h0[0], h0[0])]
    for t in reversed(range(len(x))):
        grad_h = grad_output[t] + carried
        grad_x[t], carried, *grads = rnn_cell_backward(
            grad_h, x[t], before[t], output[t], w_ih, w_hh
        )
        totals = [total + grad for total, grad in zip(totals, grads, strict=True)]
    return grad_x, carried, *totals


def truncated_bptt(
    step: Callable[[Any, Any], tuple[Tensor, Any]],
    chunks: Iterable[Any],
    state: Any,
    optimizer: Optimizer | None = None,
) -> tuple[list[float], Any]:
    losses = []
    for chunk in chunks:
        if optimizer is not None:
            optimizer.zero_grad()
        loss, state = step(chunk, _detached(state))
        loss.backward()
        if optimizer is not None:
            optimizer.step()
        losses.append(loss.item())
    return losses, _detached(state)


def _detached(state: Any) -> Any:
    if isinstance(state, Tensor):
        return state.detach()
    return tuple(part.detach() for part in state)


SPECS = {
    "rnn_cell_backward": Spec(
        rnn_cell_backward,
        {
            "shapes": 0.1,
            "a slope of one: only grad_h, x and h_prev": 0.1,
            "the slope of tanh: only grad_h and the biases": 0.1,
            "only grad_h, x and its weights": 0.15,
            "only grad_h, h_prev and its weights": 0.15,
            "all terms together": 0.25,
            "a batch of one": 0.05,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "rnn_layer_backward": Spec(
        rnn_layer_backward,
        {
            "shapes": 0.1,
            "a sequence of one step": 0.15,
            "a gradient that arrives at the last step alone": 0.15,
            "a gradient that arrives at the first step alone": 0.1,
            "whole sequences": 0.35,
            "a batch of one": 0.05,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "truncated_bptt": Spec(
        truncated_bptt,
        {
            "shapes": 0.05,
            "the losses, and a state that goes on": 0.15,
            "the gradient stops between chunks": 0.2,
            "an optimizer steps after each chunk": 0.2,
            "a pair of states": 0.1,
            "all of it together": 0.1,
            "one chunk": 0.05,
            "chunks from a generator": 0.05,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
}
