"""Known mistakes in the exercises of `rnncourse.bptt`, and right answers in other styles.

Parameters have the exercises' names and order. What a mistake does wrong stands in its sentence.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from . import Function, honest, mistake

# ------------------------------------------------------------------ rnn_cell_backward: mistakes


def _grads(d: Tensor, x: Tensor, h_prev: Tensor, w_ih: Tensor, w_hh: Tensor) -> list[Tensor]:
    """All six, from the gradient of the sum inside tanh."""
    return [d @ w_ih, d @ w_hh, d.T @ x, d.T @ h_prev, d.sum(0), d.sum(0)]


def _with_slope(slope: Function) -> Function:
    """A way back with another slope than that of tanh."""

    def another_slope(grad_h, x, h_prev, h, w_ih, w_hh):
        return _grads(grad_h * slope(h, h_prev), x, h_prev, w_ih, w_hh)

    return another_slope


_SLOPES: dict[str, tuple[str, Function]] = {
    "slope_forgotten": (
        "The slope of tanh is missing: grad_h must be multiplied by 1 - h² before anything else.",
        lambda h, h_prev: 1,
    ),
    "tanh_taken_twice": (
        "h has been through tanh already: the slope is 1 - h², not 1 - tanh(h)².",
        lambda h, h_prev: 1 - h.tanh() ** 2,
    ),
    "slope_of_sigmoid": (
        "h (1 - h) is the slope of sigmoid; that of tanh is 1 - h².",
        lambda h, h_prev: h * (1 - h),
    ),
    "square_forgotten": (
        "The slope is 1 - h in your function; the square is missing: 1 - h².",
        lambda h, h_prev: 1 - h,
    ),
    "slope_of_the_old_state": (
        "The slope is taken at the state before the step; it is 1 - h² with the state after it.",
        lambda h, h_prev: 1 - h_prev**2,
    ),
    "slope_divided_by": (
        "grad_h is divided by the slope 1 - h²; the chain rule multiplies.",
        lambda h, h_prev: 1 / (1 - h**2),
    ),
    "slope_negative": (
        "All signs are turned: the slope is 1 - h², not h² - 1.",
        lambda h, h_prev: h**2 - 1,
    ),
    "slope_twice": (
        "grad_h is multiplied by the slope 1 - h² twice; once is right.",
        lambda h, h_prev: (1 - h**2) ** 2,
    ),
    "tanh_instead_of_its_slope": (
        "grad_h is multiplied by h; the slope of tanh is 1 - h².",
        lambda h, h_prev: h,
    ),
}

for _id, (_sentence, _slope) in _SLOPES.items():
    mistake("rnn_cell_backward", _id, _sentence)(_with_slope(_slope))


@mistake(
    "rnn_cell_backward",
    "w_hh_transposed",
    "grad_h_prev is multiplied by w_hh.T, as on the way forward; the way back takes w_hh itself.",
)
def w_hh_transposed(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    return d @ w_ih, d @ w_hh.T, d.T @ x, d.T @ h_prev, d.sum(0), d.sum(0)


@mistake(
    "rnn_cell_backward",
    "weight_gradients_transposed",
    "grad_w_ih and grad_w_hh are transposed: a gradient has the shape of what it belongs to.",
)
def weight_gradients_transposed(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    return d @ w_ih, d @ w_hh, x.T @ d, h_prev.T @ d, d.sum(0), d.sum(0)


@mistake(
    "rnn_cell_backward",
    "grad_w_hh_transposed",
    "grad_w_hh is transposed: its rows belong to the units of h, its columns to those of h_prev.",
)
def grad_w_hh_transposed(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    return d @ w_ih, d @ w_hh, d.T @ x, h_prev.T @ d, d.sum(0), d.sum(0)


@mistake(
    "rnn_cell_backward",
    "averaged_over_the_batch",
    "The gradients of weights and biases are means over the batch; they are sums.",
)
def averaged_over_the_batch(grad_h, x, h_prev, h, w_ih, w_hh):
    to_x, to_h_prev, *sums = _grads(grad_h * (1 - h**2), x, h_prev, w_ih, w_hh)
    return [to_x, to_h_prev, *(total / len(x) for total in sums)]


@mistake(
    "rnn_cell_backward",
    "biases_averaged",
    "The gradients of the biases are means over the batch; they are sums, like those of weights.",
)
def biases_averaged(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    return d @ w_ih, d @ w_hh, d.T @ x, d.T @ h_prev, d.mean(0), d.mean(0)


@mistake(
    "rnn_cell_backward",
    "biases_not_summed",
    "The gradients of the biases still have the batch in them: sum over it.",
)
def biases_not_summed(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    return d @ w_ih, d @ w_hh, d.T @ x, d.T @ h_prev, d, d


@mistake(
    "rnn_cell_backward",
    "biases_summed_over_units",
    "The gradients of the biases are sums over the units; sum over the batch, axis 0.",
)
def biases_summed_over_units(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    return d @ w_ih, d @ w_hh, d.T @ x, d.T @ h_prev, d.sum(1), d.sum(1)


@mistake(
    "rnn_cell_backward",
    "weights_not_summed",
    "The gradients of the weights still have the batch in them: sum over it.",
)
def weights_not_summed(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    by_sequence = [d[:, :, None] * inner[:, None, :] for inner in (x, h_prev)]
    return d @ w_ih, d @ w_hh, *by_sequence, d.sum(0), d.sum(0)


@mistake(
    "rnn_cell_backward",
    "new_state_for_the_old",
    "grad_w_hh is made with h, the state after the step; w_hh has multiplied h_prev.",
)
def new_state_for_the_old(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    return d @ w_ih, d @ w_hh, d.T @ x, d.T @ h, d.sum(0), d.sum(0)


@mistake(
    "rnn_cell_backward",
    "bias_halved",
    "Each bias has half of the gradient: both are added in full, so each gets all of it.",
)
def bias_halved(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    return d @ w_ih, d @ w_hh, d.T @ x, d.T @ h_prev, d.sum(0) / 2, d.sum(0) / 2


@mistake(
    "rnn_cell_backward",
    "second_bias_without_gradient",
    "grad_b_hh is zero: b_hh is in the sum as b_ih is, and has the same gradient.",
)
def second_bias_without_gradient(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    return d @ w_ih, d @ w_hh, d.T @ x, d.T @ h_prev, d.sum(0), torch.zeros_like(h[0])


@mistake(
    "rnn_cell_backward",
    "weights_without_the_slope",
    "The gradients of the weights are made with grad_h itself: they too need the slope 1 - h².",
)
def weights_without_the_slope(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    return d @ w_ih, d @ w_hh, grad_h.T @ x, grad_h.T @ h_prev, d.sum(0), d.sum(0)


@mistake(
    "rnn_cell_backward",
    "biases_without_the_slope",
    "The gradients of the biases are made with grad_h itself: they too need the slope 1 - h².",
)
def biases_without_the_slope(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    return d @ w_ih, d @ w_hh, d.T @ x, d.T @ h_prev, grad_h.sum(0), grad_h.sum(0)


@mistake(
    "rnn_cell_backward",
    "inputs_without_the_slope",
    "grad_x and grad_h_prev are made with grad_h itself: they too need the slope 1 - h².",
)
def inputs_without_the_slope(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    return grad_h @ w_ih, grad_h @ w_hh, d.T @ x, d.T @ h_prev, d.sum(0), d.sum(0)


@mistake(
    "rnn_cell_backward",
    "grad_h_passed_on",
    "grad_h is added to grad_h_prev: h_prev acts on the loss only through tanh, nothing goes past.",
)
def grad_h_passed_on(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    return d @ w_ih, d @ w_hh + grad_h, d.T @ x, d.T @ h_prev, d.sum(0), d.sum(0)


@mistake(
    "rnn_cell_backward",
    "matrix_of_the_old_state_lost",
    "grad_h_prev is not multiplied by w_hh: that is what h_prev was multiplied by.",
)
def matrix_of_the_old_state_lost(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    return d @ w_ih, d, d.T @ x, d.T @ h_prev, d.sum(0), d.sum(0)


@mistake(
    "rnn_cell_backward",
    "states_first",
    "The results are in another order: x comes before h_prev, and w_ih before w_hh.",
)
def states_first(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    return d @ w_hh, d @ w_ih, d.T @ h_prev, d.T @ x, d.sum(0), d.sum(0)


@mistake(
    "rnn_cell_backward",
    "weights_first",
    "The gradients of weights and biases come first; grad_x and grad_h_prev belong before them.",
)
def weights_first(grad_h, x, h_prev, h, w_ih, w_hh):
    d = grad_h * (1 - h**2)
    return d.T @ x, d.T @ h_prev, d.sum(0), d.sum(0), d @ w_ih, d @ w_hh


# ------------------------------------------------------------------ rnn_cell_backward: other styles


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


# ------------------------------------------------------------------ rnn_layer_backward: mistakes


def rnn_cell_backward(grad_h, x, h_prev, h, w_ih, w_hh):
    """The step back that the layers here call; a probe takes its place as it does in a notebook."""
    return _grads(grad_h * (1 - h**2), x, h_prev, w_ih, w_hh)


def _before(h0: Tensor, output: Tensor) -> list[Tensor]:
    return [h0, *output[:-1]]


def _layer(
    grad_output: Tensor,
    x: Tensor,
    h0: Tensor,
    output: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    before: list[Tensor] | None = None,
    carry: Function = lambda own, carried, t: own + carried,
) -> tuple[Tensor, Tensor, list[list[Tensor]]]:
    """A right way back but for what the arguments say: grad_x, grad_h0, and what each step gives to
    weights and biases, from the last step to the first.

    Args:
        before: the state before each step.
        carry: (gradient of the step's own output, gradient from the step after it, step) -> grad_h.
    """
    before = _before(h0, output) if before is None else before
    to_x, carried, given = [], torch.zeros_like(h0), []
    for t in reversed(range(len(x))):
        grad_h = carry(grad_output[t], carried, t)
        d_x, carried, *rest = rnn_cell_backward(grad_h, x[t], before[t], output[t], w_ih, w_hh)
        to_x.insert(0, d_x)
        given.append(rest)
    return torch.stack(to_x), carried, given


def _summed(given: list[list[Tensor]]) -> list[Tensor]:
    return [torch.stack(steps).sum(0) for steps in zip(*given, strict=True)]


@mistake(
    "rnn_layer_backward",
    "nothing_carried",
    "Only the gradient of a step's own output is used: add what comes back from the step after it.",
)
def nothing_carried(grad_output, x, h0, output, w_ih, w_hh):
    to_x, to_h0, given = _layer(
        grad_output, x, h0, output, w_ih, w_hh, carry=lambda own, carried, t: own
    )
    return to_x, to_h0, *_summed(given)


@mistake(
    "rnn_layer_backward",
    "own_output_forgotten",
    "Only the last step's grad_output is used: each step adds its own to what is carried back.",
)
def own_output_forgotten(grad_output, x, h0, output, w_ih, w_hh):
    last = len(x) - 1
    to_x, to_h0, given = _layer(
        grad_output,
        *(x, h0, output, w_ih, w_hh),
        carry=lambda own, carried, t: own if t == last else carried,
    )
    return to_x, to_h0, *_summed(given)


@mistake(
    "rnn_layer_backward",
    "carried_adds_up",
    "What is carried back adds up over the steps: grad_h_prev of a step replaces it.",
)
def carried_adds_up(grad_output, x, h0, output, w_ih, w_hh):
    before, carried = _before(h0, output), torch.zeros_like(h0)
    to_x, given = [], []
    for t in reversed(range(len(x))):
        grad_h = grad_output[t] + carried
        d_x, d_h, *rest = rnn_cell_backward(grad_h, x[t], before[t], output[t], w_ih, w_hh)
        carried = carried + d_h
        to_x.insert(0, d_x)
        given.append(rest)
    return torch.stack(to_x), carried, *_summed(given)


@mistake(
    "rnn_layer_backward",
    "last_gradient_twice",
    "The gradient of the last output counts twice: start with zeros carried, and add it once.",
)
def last_gradient_twice(grad_output, x, h0, output, w_ih, w_hh):
    doubled = torch.cat([grad_output[:-1], 2 * grad_output[-1:]])
    to_x, to_h0, given = _layer(doubled, x, h0, output, w_ih, w_hh)
    return to_x, to_h0, *_summed(given)


@mistake(
    "rnn_layer_backward",
    "weights_of_one_step",
    "The gradients of weights and biases are those of the first step: add them up over all steps.",
)
def weights_of_one_step(grad_output, x, h0, output, w_ih, w_hh):
    to_x, to_h0, given = _layer(grad_output, x, h0, output, w_ih, w_hh)
    return to_x, to_h0, *given[-1]


@mistake(
    "rnn_layer_backward",
    "biases_of_one_step",
    "The gradients of the biases are those of the first step: add them up over all steps.",
)
def biases_of_one_step(grad_output, x, h0, output, w_ih, w_hh):
    to_x, to_h0, given = _layer(grad_output, x, h0, output, w_ih, w_hh)
    return to_x, to_h0, *_summed(given)[:2], *given[-1][2:]


@mistake(
    "rnn_layer_backward",
    "averaged_over_steps",
    "The gradients of weights and biases are means over the steps; they are sums.",
)
def averaged_over_steps(grad_output, x, h0, output, w_ih, w_hh):
    to_x, to_h0, given = _layer(grad_output, x, h0, output, w_ih, w_hh)
    return to_x, to_h0, *(total / len(x) for total in _summed(given))


@mistake(
    "rnn_layer_backward",
    "first_to_last",
    "The loop goes from the first step to the last; a gradient comes back from the last.",
)
def first_to_last(grad_output, x, h0, output, w_ih, w_hh):
    before, carried = _before(h0, output), torch.zeros_like(h0)
    to_x, given = [], []
    for t in range(len(x)):
        grad_h = grad_output[t] + carried
        d_x, carried, *rest = rnn_cell_backward(grad_h, x[t], before[t], output[t], w_ih, w_hh)
        to_x.append(d_x)
        given.append(rest)
    return torch.stack(to_x), carried, *_summed(given)


@mistake(
    "rnn_layer_backward",
    "grad_x_backwards",
    "grad_x has the steps in reverse order: the loop finds the last one first.",
)
def grad_x_backwards(grad_output, x, h0, output, w_ih, w_hh):
    to_x, to_h0, given = _layer(grad_output, x, h0, output, w_ih, w_hh)
    return to_x.flip(0), to_h0, *_summed(given)


@mistake(
    "rnn_layer_backward",
    "grad_x_batch_first",
    "grad_x is (N, T, I); here time comes first, as in x.",
)
def grad_x_batch_first(grad_output, x, h0, output, w_ih, w_hh):
    to_x, to_h0, given = _layer(grad_output, x, h0, output, w_ih, w_hh)
    return to_x.transpose(0, 1), to_h0, *_summed(given)


@mistake(
    "rnn_layer_backward",
    "state_after_for_before",
    "h_prev is output[t], the state after step t; before step t it was output[t - 1], or h0.",
)
def state_after_for_before(grad_output, x, h0, output, w_ih, w_hh):
    to_x, to_h0, given = _layer(grad_output, x, h0, output, w_ih, w_hh, before=list(output))
    return to_x, to_h0, *_summed(given)


@mistake(
    "rnn_layer_backward",
    "starts_from_zeros",
    "The state before the first step is taken as zeros; it is h0.",
)
def starts_from_zeros(grad_output, x, h0, output, w_ih, w_hh):
    before = [torch.zeros_like(h0), *output[:-1]]
    to_x, to_h0, given = _layer(grad_output, x, h0, output, w_ih, w_hh, before=before)
    return to_x, to_h0, *_summed(given)


@mistake(
    "rnn_layer_backward",
    "last_state_before_the_first",
    "The state before the first step is output[-1], the last one: index t - 1 is -1 there. Use h0.",
)
def last_state_before_the_first(grad_output, x, h0, output, w_ih, w_hh):
    before = [output[t - 1] for t in range(len(x))]
    to_x, to_h0, given = _layer(grad_output, x, h0, output, w_ih, w_hh, before=before)
    return to_x, to_h0, *_summed(given)


@mistake(
    "rnn_layer_backward",
    "h0_before_every_step",
    "h_prev is h0 at every step; before step t it was output[t - 1].",
)
def h0_before_every_step(grad_output, x, h0, output, w_ih, w_hh):
    to_x, to_h0, given = _layer(grad_output, x, h0, output, w_ih, w_hh, before=[h0] * len(x))
    return to_x, to_h0, *_summed(given)


@mistake(
    "rnn_layer_backward",
    "stopped_before_h0",
    "grad_h0 is the gradient of the state after the first step; go back through that step, too.",
)
def stopped_before_h0(grad_output, x, h0, output, w_ih, w_hh):
    reached = {}

    def carry(own: Tensor, carried: Tensor, t: int) -> Tensor:
        reached[t] = own + carried
        return reached[t]

    to_x, _, given = _layer(grad_output, x, h0, output, w_ih, w_hh, carry=carry)
    return to_x, reached[0], *_summed(given)


@mistake(
    "rnn_layer_backward",
    "no_gradient_for_h0",
    "grad_h0 is zero: what the first step carries back is the gradient of h0.",
)
def no_gradient_for_h0(grad_output, x, h0, output, w_ih, w_hh):
    to_x, _, given = _layer(grad_output, x, h0, output, w_ih, w_hh)
    return to_x, torch.zeros_like(h0), *_summed(given)


@mistake(
    "rnn_layer_backward",
    "first_step_left_out",
    "The first step is left out: range(T - 1, 0, -1) ends at step 1; end at step 0.",
)
def first_step_left_out(grad_output, x, h0, output, w_ih, w_hh):
    to_x, carried = torch.zeros_like(x), torch.zeros_like(h0)
    totals = [torch.zeros_like(w) for w in (w_ih, w_hh, h0[0], h0[0])]
    for t in range(len(x) - 1, 0, -1):
        grad_h = grad_output[t] + carried
        to_x[t], carried, *grads = rnn_cell_backward(
            grad_h, x[t], output[t - 1], output[t], w_ih, w_hh
        )
        totals = [total + grad for total, grad in zip(totals, grads, strict=True)]
    return to_x, carried, *totals


# ----------------------------------------------------------------- rnn_layer_backward: other styles


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
    to_x, to_h0, given = _layer(grad_output, x, h0, output, w_ih, w_hh)
    return to_x, to_h0, *_summed(given)


# ------------------------------------------------------------------ truncated_bptt: mistakes


def _detached(state: Any) -> Any:
    if isinstance(state, Tensor):
        return state.detach()
    return tuple(part.detach() for part in state)


@mistake(
    "truncated_bptt",
    "never_detached",
    "The state is not detached: the gradient of a chunk flows on into all chunks before it.",
)
def never_detached(step, chunks, state, optimizer=None):
    losses = []
    for chunk in chunks:
        if optimizer:
            optimizer.zero_grad()
        loss, state = step(chunk, state)
        loss.backward(retain_graph=True)
        if optimizer:
            optimizer.step()
        losses.append(loss.item())
    return losses, state


@mistake(
    "truncated_bptt",
    "only_the_result_detached",
    "The state is detached when it is returned, but not between chunks, where the gradient flows.",
)
def only_the_result_detached(step, chunks, state, optimizer=None):
    losses, state = never_detached(step, chunks, state, optimizer)
    return losses, _detached(state)


@mistake(
    "truncated_bptt",
    "only_the_first_state_detached",
    "The state is detached once, before the loop: it must be detached before every chunk.",
)
def only_the_first_state_detached(step, chunks, state, optimizer=None):
    return never_detached(step, chunks, _detached(state), optimizer)


@mistake(
    "truncated_bptt",
    "detached_at_both_ends_only",
    "The state is detached before the first chunk and after the last, but not between chunks.",
)
def detached_at_both_ends_only(step, chunks, state, optimizer=None):
    return only_the_result_detached(step, chunks, _detached(state), optimizer)


@mistake(
    "truncated_bptt",
    "first_state_not_detached",
    "The first state is not detached: a gradient flows into what came before the first chunk.",
)
def first_state_not_detached(step, chunks, state, optimizer=None):
    losses = []
    for chunk in chunks:
        if optimizer:
            optimizer.zero_grad()
        loss, state = step(chunk, state)
        loss.backward()
        if optimizer:
            optimizer.step()
        losses.append(loss.item())
        state = _detached(state)
    return losses, state


@mistake(
    "truncated_bptt",
    "result_not_detached",
    "The state that is returned is not detached: it holds on to the graph of the last chunk.",
)
def result_not_detached(step, chunks, state, optimizer=None):
    losses = []
    for chunk in chunks:
        if optimizer:
            optimizer.zero_grad()
        loss, state = step(chunk, _detached(state))
        loss.backward()
        if optimizer:
            optimizer.step()
        losses.append(loss.item())
    return losses, state


@mistake(
    "truncated_bptt",
    "only_h_detached",
    "Of a pair of states only the first is detached: every tensor of a tuple must be.",
)
def only_h_detached(step, chunks, state, optimizer=None):
    losses = []
    for chunk in chunks:
        if optimizer:
            optimizer.zero_grad()
        state = (state[0].detach(), *state[1:]) if isinstance(state, tuple) else state.detach()
        loss, state = step(chunk, state)
        loss.backward(retain_graph=True)
        if optimizer:
            optimizer.step()
        losses.append(loss.item())
    return losses, _detached(state)


@mistake(
    "truncated_bptt",
    "state_reset",
    "Every chunk starts from the first state: the state after one chunk goes into the next.",
)
def state_reset(step, chunks, state, optimizer=None):
    losses, first = [], _detached(state)
    for chunk in chunks:
        if optimizer:
            optimizer.zero_grad()
        loss, state = step(chunk, first)
        loss.backward()
        if optimizer:
            optimizer.step()
        losses.append(loss.item())
    return losses, _detached(state)


@mistake(
    "truncated_bptt",
    "state_never_assigned",
    "The new state goes into a name that no chunk reads, and the first state is returned.",
)
def state_never_assigned(step, chunks, state, optimizer=None):
    losses, _ = state_reset(step, chunks, state, optimizer)
    return losses, _detached(state)


@mistake(
    "truncated_bptt",
    "zeros_for_every_chunk",
    "Every chunk starts from zeros: the numbers of the state go on, only its gradient stops.",
)
def zeros_for_every_chunk(step, chunks, state, optimizer=None):
    zeros = (
        torch.zeros_like(state)
        if isinstance(state, Tensor)
        else tuple(torch.zeros_like(part) for part in state)
    )
    return state_reset(step, chunks, zeros, optimizer)


@mistake(
    "truncated_bptt",
    "zero_grad_forgotten",
    "Gradients are never set to zero: with an optimizer, do it for each chunk, before backward.",
)
def zero_grad_forgotten(step, chunks, state, optimizer=None):
    losses = []
    for chunk in chunks:
        loss, state = step(chunk, _detached(state))
        loss.backward()
        if optimizer:
            optimizer.step()
        losses.append(loss.item())
    return losses, _detached(state)


@mistake(
    "truncated_bptt",
    "zero_grad_once",
    "Gradients are set to zero once, before the loop: with an optimizer, do it for every chunk.",
)
def zero_grad_once(step, chunks, state, optimizer=None):
    if optimizer:
        optimizer.zero_grad()
    return zero_grad_forgotten(step, chunks, state, optimizer)


@mistake(
    "truncated_bptt",
    "zero_grad_too_late",
    "Gradients from before the call still count in the first chunk: zero them before backward.",
)
def zero_grad_too_late(step, chunks, state, optimizer=None):
    losses = []
    for chunk in chunks:
        loss, state = step(chunk, _detached(state))
        loss.backward()
        if optimizer:
            optimizer.step()
            optimizer.zero_grad()
        losses.append(loss.item())
    return losses, _detached(state)


@mistake(
    "truncated_bptt",
    "no_step",
    "The parameters never change: the optimizer steps after backward, before gradients are zeroed.",
)
def no_step(step, chunks, state, optimizer=None):
    losses = []
    for chunk in chunks:
        if optimizer:
            optimizer.zero_grad()
        loss, state = step(chunk, _detached(state))
        loss.backward()
        losses.append(loss.item())
    return losses, _detached(state)


@mistake(
    "truncated_bptt",
    "one_step_for_all_chunks",
    "The optimizer steps once, after the last chunk; it steps after every chunk.",
)
def one_step_for_all_chunks(step, chunks, state, optimizer=None):
    total, losses = 0, []
    for chunk in chunks:
        loss, state = step(chunk, _detached(state))
        total = total + loss
        losses.append(loss.item())
    if optimizer:
        optimizer.zero_grad()
    total.backward()
    if optimizer:
        optimizer.step()
    return losses, _detached(state)


@mistake(
    "truncated_bptt",
    "no_backward",
    "There is no gradient at all: call backward on the loss of every chunk.",
)
def no_backward(step, chunks, state, optimizer=None):
    losses = []
    for chunk in chunks:
        if optimizer:
            optimizer.zero_grad()
        loss, state = step(chunk, _detached(state))
        if optimizer:
            optimizer.step()
        losses.append(loss.item())
    return losses, _detached(state)


@mistake(
    "truncated_bptt",
    "backward_only_with_an_optimizer",
    "Without an optimizer there is no gradient: backward is called either way.",
)
def backward_only_with_an_optimizer(step, chunks, state, optimizer=None):
    losses = []
    for chunk in chunks:
        loss, state = step(chunk, _detached(state))
        if optimizer:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    return losses, _detached(state)


@mistake(
    "truncated_bptt",
    "earlier_losses_again",
    "backward is called on the sum of all losses so far, so early chunks count again and again.",
)
def earlier_losses_again(step, chunks, state, optimizer=None):
    total, losses = 0, []
    for chunk in chunks:
        if optimizer:
            optimizer.zero_grad()
        loss, state = step(chunk, _detached(state))
        total = total + loss
        total.backward(retain_graph=True)
        if optimizer:
            optimizer.step()
        losses.append(loss.item())
    return losses, _detached(state)


@mistake(
    "truncated_bptt",
    "only_the_last_loss",
    "losses holds only the last chunk's loss; it holds one number for each chunk.",
)
def only_the_last_loss(step, chunks, state, optimizer=None):
    losses, state = straightforward(step, chunks, state, optimizer)
    return losses[-1:], state


@mistake(
    "truncated_bptt",
    "losses_added_up",
    "losses holds running sums; it holds each chunk's own loss.",
)
def losses_added_up(step, chunks, state, optimizer=None):
    losses, state = straightforward(step, chunks, state, optimizer)
    return torch.tensor(losses).cumsum(0).tolist(), state


@mistake(
    "truncated_bptt",
    "mean_of_the_losses",
    "losses holds the mean over the chunks; it holds one number for each chunk.",
)
def mean_of_the_losses(step, chunks, state, optimizer=None):
    losses, state = straightforward(step, chunks, state, optimizer)
    return [sum(losses) / len(losses)], state


@mistake(
    "truncated_bptt",
    "return_in_the_loop",
    "Only the first chunk is there: is the return inside the loop?",
)
def return_in_the_loop(step, chunks, state, optimizer=None):
    for chunk in chunks:
        return straightforward(step, [chunk], state, optimizer)


@mistake(
    "truncated_bptt",
    "last_chunk_left_out",
    "The last chunk is missing: the loop goes over all chunks, also one that is shorter.",
)
def last_chunk_left_out(step, chunks, state, optimizer=None):
    return straightforward(step, list(chunks)[:-1], state, optimizer)


# ------------------------------------------------------------------ truncated_bptt: other styles


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
