"""Known mistakes in the exercises of `rnncourse.clipping`, and right answers in other styles.

Parameters have the exercises' names and order. What a mistake does wrong stands in its sentence.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor, nn

from . import Function, honest, mistake

Grads = list[Tensor]

# ------------------------------------------------------------------ state_gradient_norms: mistakes


def _state_grads(loss: Tensor, states: Grads) -> Grads:
    """The right gradients; zeros where there are none."""
    grads = torch.autograd.grad(loss, states, retain_graph=True, allow_unused=True)
    if all(grad is None for grad in grads):
        raise ValueError("the loss depends on none of the states")
    return [torch.zeros_like(s) if g is None else g for g, s in zip(grads, states, strict=True)]


def _measured_by(measure: Callable[[Tensor], Tensor]) -> Function:
    def another_measure(loss, states):
        return torch.stack([measure(grad) for grad in _state_grads(loss, states)])

    return another_measure


for _id, _sentence, _measure in (
    (
        "square_root_forgotten",
        "Your numbers are sums of squares: the norm is the square root of the sum.",
        lambda grad: (grad**2).sum(),
    ),
    (
        "gradient_summed",
        "The numbers are added with their signs, so that they cancel: square them first.",
        lambda grad: grad.sum(),
    ),
    (
        "absolute_values_summed",
        "You add absolute values; the Frobenius norm squares, adds up and takes the root.",
        lambda grad: grad.abs().sum(),
    ),
    (
        "largest_entry",
        "Your numbers are the largest entries; the norm takes all entries of a gradient together.",
        lambda grad: grad.abs().max(),
    ),
    (
        "mean_over_the_batch",
        "You take a norm for each sequence and their mean; it is one norm over the whole (N, H).",
        lambda grad: grad.norm(dim=1).mean(),
    ),
    (
        "root_mean_square",
        "The squares are averaged; the norm adds them up.",
        lambda grad: (grad**2).mean().sqrt(),
    ),
):
    mistake("state_gradient_norms", _id, _sentence)(_measured_by(_measure))


@mistake(
    "state_gradient_norms",
    "last_state_first",
    "The norms are in reverse order: the first one belongs to h_1.",
)
def last_state_first(loss, states):
    return torch.stack([grad.norm() for grad in _state_grads(loss, states)]).flip(0)


@mistake(
    "state_gradient_norms",
    "norms_of_the_states",
    "These are norms of the states themselves; the norms of the loss's gradients are asked for.",
)
def norms_of_the_states(loss, states):
    _state_grads(loss, states)
    return torch.stack([state.norm() for state in states])


@mistake(
    "state_gradient_norms",
    "unused_state_left_out",
    "States without a gradient are left out; each of the T states has its place, with 0 there.",
)
def unused_state_left_out(loss, states):
    grads = torch.autograd.grad(loss, states, retain_graph=True, allow_unused=True)
    if all(grad is None for grad in grads):
        raise ValueError("the loss depends on none of the states")
    return torch.stack([grad.norm() for grad in grads if grad is not None])


@mistake(
    "state_gradient_norms",
    "copies_of_the_states",
    "All norms are 0: copies of the states (stack, clone, slices) are not the ones in the graph.",
)
def copies_of_the_states(loss, states):
    copies = [state.clone() for state in states]
    torch.autograd.grad(loss, copies, retain_graph=True, allow_unused=True)
    return loss.new_zeros(len(states))


@mistake(
    "state_gradient_norms",
    "graph_freed",
    "The graph is gone after one answer: ask with retain_graph=True.",
)
def graph_freed(loss, states):
    grads = torch.autograd.grad(loss, states, allow_unused=True)
    if all(grad is None for grad in grads):
        raise ValueError("the loss depends on none of the states")
    return torch.stack([loss.new_zeros(()) if grad is None else grad.norm() for grad in grads])


def _norms_of_grads(states: Grads) -> Tensor:
    """Norms of the .grad of states."""
    return torch.stack([s.new_zeros(()) if s.grad is None else s.grad.norm() for s in states])


@mistake(
    "state_gradient_norms",
    "backward_called",
    "backward() writes into .grad of every weight; torch.autograd.grad touches none.",
)
def backward_called(loss, states):
    _state_grads(loss, states)  # for its ValueError
    for state in states:
        state.retain_grad()
        state.grad = None
    loss.backward(retain_graph=True)
    return _norms_of_grads(states)


@mistake(
    "state_gradient_norms",
    "backward_adds_up",
    "The second answer is larger: backward() adds to .grad. torch.autograd.grad touches no .grad.",
)
def backward_adds_up(loss, states):
    _state_grads(loss, states)  # for its ValueError
    for state in states:
        state.retain_grad()
    loss.backward(retain_graph=True)
    return _norms_of_grads(states)


@mistake(
    "state_gradient_norms",
    "no_error_without_states",
    "A loss that depends on none of the states must be a ValueError; you answer with zeros.",
)
def no_error_without_states(loss, states):
    grads = torch.autograd.grad(loss, states, retain_graph=True, allow_unused=True)
    return torch.stack([loss.new_zeros(()) if grad is None else grad.norm() for grad in grads])


# ------------------------------------------------------------------ state_gradient_norms: styles


@honest("state_gradient_norms")
def all_states_at_once(loss, states):
    grads = torch.autograd.grad(loss, states, retain_graph=True, allow_unused=True)
    if not any(grad is not None for grad in grads):
        raise ValueError("no state")
    norms = loss.new_zeros(len(states))
    for t, grad in enumerate(grads):
        if grad is not None:
            norms[t] = torch.linalg.vector_norm(grad)
    return norms


@honest("state_gradient_norms")
def one_state_at_a_time(loss, states):
    norms, used = [], False
    for state in states:
        (grad,) = torch.autograd.grad(loss, state, retain_graph=True, allow_unused=True)
        used = used or grad is not None
        norms.append((state * 0 if grad is None else grad).pow(2).sum().sqrt().detach())
    if not used:
        raise ValueError("the loss is computed from something else")
    return torch.stack(norms)


@honest("state_gradient_norms")
def zeros_from_torch(loss, states):
    used = torch.autograd.grad(loss, states, retain_graph=True, allow_unused=True)
    if used.count(None) == len(states):
        raise ValueError
    grads = torch.autograd.grad(loss, states, retain_graph=True, materialize_grads=True)
    return torch.stack(grads).flatten(1).norm(dim=1)


@honest("state_gradient_norms")
def with_einsum(loss, states):
    stacked = torch.stack(_state_grads(loss, states))
    return torch.einsum("tnh,tnh->t", stacked, stacked).sqrt()


@honest("state_gradient_norms")
def listening_to_the_states(loss, states):
    found = {}
    hooks = [
        state.register_hook(functools.partial(found.__setitem__, t))
        for t, state in enumerate(states)
    ]
    grads = torch.autograd.grad(loss, states, retain_graph=True, allow_unused=True)
    for hook in hooks:
        hook.remove()
    if all(grad is None for grad in grads):
        raise ValueError("none of the states")
    zero = torch.zeros_like(states[0])
    return torch.stack([torch.linalg.matrix_norm(found.get(t, zero)) for t in range(len(states))])


# ------------------------------------------------------------------ global_norm: mistakes


def global_norm(grads: Grads) -> Tensor:
    """The norm that functions here call; a probe takes its place as it does in a notebook."""
    return torch.cat([grad.flatten() for grad in grads]).norm()


for _id, _sentence, _function in (
    (
        "sum_of_norms",
        "The norms of the tensors are added; add their squares and take one root at the end.",
        lambda grads: torch.stack([grad.norm() for grad in grads]).sum(),
    ),
    (
        "no_root",
        "This is the sum of all squares: the square root is missing.",
        lambda grads: torch.stack([(grad**2).sum() for grad in grads]).sum(),
    ),
    (
        "sum_of_absolute_values",
        "The absolute values are added up (the 1-norm); square, add and take the root.",
        lambda grads: torch.stack([grad.abs().sum() for grad in grads]).sum(),
    ),
    (
        "largest_number",
        "This is the largest number of all; every number counts in the norm.",
        lambda grads: torch.stack([grad.abs().max() for grad in grads]).max(),
    ),
    (
        "largest_norm",
        "This is the largest of the tensors' norms; all tensors count together.",
        lambda grads: torch.stack([grad.norm() for grad in grads]).max(),
    ),
    (
        "mean_of_norms",
        "This is the mean of the tensors' norms; it is one root over the sum of all squares.",
        lambda grads: torch.stack([grad.norm() for grad in grads]).mean(),
    ),
    (
        "root_of_the_mean",
        "The squares are averaged; add them up.",
        lambda grads: torch.cat([grad.flatten() for grad in grads]).pow(2).mean().sqrt(),
    ),
    (
        "root_of_the_sum_of_norms",
        "The norms are added without their squares: is a root taken twice?",
        lambda grads: torch.stack([grad.norm() for grad in grads]).sum().sqrt(),
    ),
    (
        "norm_of_the_sums",
        "The numbers of each tensor are added before they are squared, so that they cancel.",
        lambda grads: torch.stack([grad.sum() for grad in grads]).norm(),
    ),
    (
        "first_tensor_only",
        "Only the first tensor counts: is the return inside the loop?",
        lambda grads: grads[0].norm(),
    ),
    (
        "last_tensor_only",
        "Only the last tensor counts: does the loop overwrite the sum where it should add?",
        lambda grads: grads[-1].norm(),
    ),
    (
        "a_norm_for_each_tensor",
        "You return a norm for each tensor; one number is asked for, of all of them together.",
        lambda grads: torch.stack([grad.norm() for grad in grads]),
    ),
):
    mistake("global_norm", _id, _sentence)(_function)


# ------------------------------------------------------------------ global_norm: other styles


@honest("global_norm")
def one_long_vector(grads):
    return torch.linalg.vector_norm(torch.cat([grad.reshape(-1) for grad in grads]))


@honest("global_norm")
def norm_of_norms(grads):
    return torch.stack([torch.linalg.vector_norm(grad) for grad in grads]).norm()


@honest("global_norm")
def a_running_sum(grads):
    total = 0
    for grad in grads:
        total = total + (grad * grad).sum()
    return total**0.5


@honest("global_norm")
def dot_products(grads):
    vectors = [grad.flatten() for grad in grads]
    return torch.sqrt(sum(torch.dot(vector, vector) for vector in vectors))


@honest("global_norm")
def sides_of_triangles(grads):
    return functools.reduce(torch.hypot, [grad.norm() for grad in grads])


# ------------------------------------------------------------------ clip_by_global_norm: mistakes


def _scaled(grads: Grads, max_norm: float, norm: Tensor) -> Grads:
    scale = (max_norm / norm).clamp(max=1)
    return [grad * scale for grad in grads]


@mistake(
    "clip_by_global_norm",
    "each_tensor_alone",
    "Each tensor is clipped by its own norm, which turns the direction: one scale for all.",
)
def each_tensor_alone(grads, max_norm):
    return [_scaled([grad], max_norm, grad.norm())[0] for grad in grads], global_norm(grads)


@mistake(
    "clip_by_global_norm",
    "scaled_by_the_sum_of_norms",
    "The sum of the tensors' norms is taken for the global norm: the root of the sum of squares.",
)
def scaled_by_the_sum_of_norms(grads, max_norm):
    norm = torch.stack([grad.norm() for grad in grads]).sum()
    return _scaled(grads, max_norm, norm), norm


@mistake(
    "clip_by_global_norm",
    "scaled_by_the_square",
    "The sum of squares is taken for the norm: the square root is missing.",
)
def scaled_by_the_square(grads, max_norm):
    norm = torch.stack([grad.square().sum() for grad in grads]).sum()
    return _scaled(grads, max_norm, norm), norm


@mistake(
    "clip_by_global_norm",
    "scaled_by_the_one_norm",
    "The sum of absolute values is taken for the norm; square, add and take the root.",
)
def scaled_by_the_one_norm(grads, max_norm):
    norm = torch.stack([grad.abs().sum() for grad in grads]).sum()
    return _scaled(grads, max_norm, norm), norm


@mistake(
    "clip_by_global_norm",
    "scaled_by_the_largest_number",
    "The largest number is taken for the norm; square all of them, add and take the root.",
)
def scaled_by_the_largest_number(grads, max_norm):
    norm = torch.stack([grad.abs().max() for grad in grads]).max()
    return _scaled(grads, max_norm, norm), norm


@mistake(
    "clip_by_global_norm",
    "small_gradients_enlarged",
    "Gradients below max_norm are scaled up to it; they must stay as they are.",
)
def small_gradients_enlarged(grads, max_norm):
    norm = global_norm(grads)
    return [grad * (max_norm / (norm + 1e-6)) for grad in grads], norm


@mistake(
    "clip_by_global_norm",
    "divided_by_its_norm",
    "Divided by their norm alone, gradients get the norm 1; multiply by max_norm as well.",
)
def divided_by_its_norm(grads, max_norm):
    norm = global_norm(grads)
    scale = torch.where(norm > max_norm, 1 / norm, 1)
    return [grad * scale for grad in grads], norm


@mistake(
    "clip_by_global_norm",
    "norm_after_clipping",
    "You return the norm after clipping; return the one before, which says how large it was.",
)
def norm_after_clipping(grads, max_norm):
    clipped = _scaled(grads, max_norm, global_norm(grads))
    return clipped, global_norm(clipped)


@mistake(
    "clip_by_global_norm",
    "clipped_by_value",
    "Each number is cut on its own; here all are multiplied by one scale.",
)
def clipped_by_value(grads, max_norm):
    return [grad.clamp(-max_norm, max_norm) for grad in grads], global_norm(grads)


@mistake(
    "clip_by_global_norm",
    "scale_upside_down",
    "The scale is norm / max_norm where max_norm / norm belongs.",
)
def scale_upside_down(grads, max_norm):
    norm = global_norm(grads)
    return [grad * (norm / max_norm).clamp(max=1) for grad in grads], norm


@mistake(
    "clip_by_global_norm",
    "larger_of_the_two",
    "The scale is the larger of 1 and max_norm / norm; it must be the smaller.",
)
def larger_of_the_two(grads, max_norm):
    norm = global_norm(grads)
    return [grad * (max_norm / (norm + 1e-6)).clamp(min=1) for grad in grads], norm


@mistake(
    "clip_by_global_norm",
    "too_large_becomes_zero",
    "Gradients above max_norm become 0; they are only made shorter.",
)
def too_large_becomes_zero(grads, max_norm):
    norm = global_norm(grads)
    return [torch.where(norm > max_norm, torch.zeros_like(grad), grad) for grad in grads], norm


@mistake(
    "clip_by_global_norm",
    "nothing_clipped",
    "The gradients come back as they were: the scale is missing, or is it lost in the loop?",
)
def nothing_clipped(grads, max_norm):
    return [grad.clone() for grad in grads], global_norm(grads)


# ------------------------------------------------------------------ clip_by_global_norm: styles


@honest("clip_by_global_norm")
def as_torch_does(grads, max_norm):
    norm = global_norm(grads)
    scale = torch.clamp(max_norm / (norm + 1e-6), max=1.0)
    return [grad * scale for grad in grads], norm


@honest("clip_by_global_norm")
def with_an_if(grads, max_norm):
    norm = global_norm(grads)
    if norm > max_norm:
        return [grad / norm * max_norm for grad in grads], norm
    return [grad.clone() for grad in grads], norm


@honest("clip_by_global_norm")
def by_the_larger_norm(grads, max_norm):
    norm = sum(grad.pow(2).sum() for grad in grads) ** 0.5
    return tuple(grad * max_norm / norm.clamp(min=max_norm) for grad in grads), norm


@honest("clip_by_global_norm")
def one_vector_cut_again(grads, max_norm):
    vector = torch.cat([grad.flatten() for grad in grads])
    norm = vector.norm()
    vector = vector * min(1.0, max_norm / norm.item()) if norm > 0 else vector
    parts = vector.split([grad.numel() for grad in grads])
    return [part.view_as(grad) for part, grad in zip(parts, grads, strict=True)], norm


@honest("clip_by_global_norm")
def with_a_python_number(grads, max_norm):
    norm = global_norm(grads)
    size = float(norm)
    scale = max_norm / size if size > max_norm else 1.0
    return [torch.mul(grad, scale) for grad in grads], norm


# ------------------------------------------------------------------ clip_by_value


def _cut_by(cut: Callable[[Tensor, float], Tensor]) -> Function:
    return lambda grads, limit: [cut(grad, limit) for grad in grads]


for _id, _sentence, _cut in (
    (
        "lower_end_forgotten",
        "Only large positive numbers are cut; numbers below -limit must be cut as well.",
        lambda grad, limit: grad.clamp(max=limit),
    ),
    (
        "upper_end_forgotten",
        "Only large negative numbers are cut; numbers above limit must be cut as well.",
        lambda grad, limit: grad.clamp(min=-limit),
    ),
    (
        "negative_numbers_lost",
        "Negative numbers become 0: the interval goes from -limit, not from 0.",
        lambda grad, limit: grad.clamp(0, limit),
    ),
    (
        "sign_lost",
        "Negative numbers come out positive: cut them to -limit and keep their sign.",
        lambda grad, limit: grad.abs().clamp(max=limit),
    ),
    (
        "large_numbers_become_zero",
        "Numbers beyond the limit become 0; they must become limit or -limit.",
        lambda grad, limit: torch.where(grad.abs() > limit, 0, grad),
    ),
    (
        "only_signs_left",
        "Every number becomes limit or -limit; those within the limit stay as they are.",
        lambda grad, limit: limit * grad.sign(),
    ),
    (
        "largest_number_scaled",
        "Each tensor is scaled until its largest number fits; cut only what is beyond the limit.",
        lambda grad, limit: grad * (limit / grad.abs().max()).clamp(max=1),
    ),
    (
        "norm_of_each_tensor",
        "Each tensor is scaled by its norm; cut each number on its own.",
        lambda grad, limit: grad * (limit / grad.norm()).clamp(max=1),
    ),
    (
        "squashed",
        "All numbers are bent by tanh; those within the limit stay as they are.",
        lambda grad, limit: limit * torch.tanh(grad / limit),
    ),
    (
        "ends_change_places",
        "Large positive numbers become -limit, large negative ones limit: the ends change places.",
        lambda grad, limit: torch.where(grad.abs() > limit, -limit * grad.sign(), grad),
    ),
    (
        "nothing_cut",
        "The numbers come back as they were: is the result of clamp thrown away?",
        lambda grad, limit: grad.clone(),
    ),
):
    mistake("clip_by_value", _id, _sentence)(_cut_by(_cut))


@honest("clip_by_value")
def with_clamp(grads, limit):
    return [torch.clamp(grad, min=-limit, max=limit) for grad in grads]


@honest("clip_by_value")
def minimum_and_maximum(grads, limit):
    result = []
    for grad in grads:
        end = torch.full_like(grad, limit)
        result.append(torch.maximum(torch.minimum(grad, end), -end))
    return result


@honest("clip_by_value")
def with_where(grads, limit):
    return tuple(
        torch.where(grad > limit, limit, torch.where(grad < -limit, -limit, grad)) for grad in grads
    )


@honest("clip_by_value")
def sign_and_size(grads, limit):
    return [grad.sign() * grad.abs().clip(max=limit) for grad in grads]


@honest("clip_by_value")
def written_into_copies(grads, limit):
    copies = [grad.clone() for grad in grads]
    for copy in copies:
        copy[copy > limit] = limit
        copy[copy < -limit] = -limit
    return copies


# ------------------------------------------------------------------ clipped_training_step: mistakes


def clip_by_global_norm(grads: Grads, max_norm: float) -> tuple[Grads, Tensor]:
    """The clipping that the steps here call; a probe takes its place as it does in a notebook."""
    norm = torch.cat([grad.flatten() for grad in grads]).norm()
    return _scaled(grads, max_norm, norm), norm


def _clip(model: nn.Module, max_norm: float) -> float:
    """Clip the gradients of a model where they are; gives the norm before."""
    parameters = [p for p in model.parameters() if p.grad is not None]
    if not parameters:
        return 0.0
    clipped, norm = clip_by_global_norm([p.grad for p in parameters], max_norm)
    for parameter, grad in zip(parameters, clipped, strict=True):
        parameter.grad = grad
    return norm.item()


@mistake(
    "clipped_training_step",
    "stepped_unclipped",
    "Unclipped gradients reach the optimizer: clip before step() and put the result in p.grad.",
)
def stepped_unclipped(model, optimizer, loss_fn, inputs, targets, max_norm):
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item(), _clip(model, max_norm)


@mistake(
    "clipped_training_step",
    "clipped_before_backward",
    "Clipping comes before backward(), when there is no gradient yet: clip after it.",
)
def clipped_before_backward(model, optimizer, loss_fn, inputs, targets, max_norm):
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    norm = _clip(model, max_norm)
    loss.backward()
    optimizer.step()
    return loss.item(), norm


@mistake(
    "clipped_training_step",
    "old_gradients_kept",
    "Old gradients are still there when backward() adds the new ones: zero_grad() comes first.",
)
def old_gradients_kept(model, optimizer, loss_fn, inputs, targets, max_norm):
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    norm = _clip(model, max_norm)
    optimizer.step()
    return loss.item(), norm


@mistake(
    "clipped_training_step",
    "gradients_cleared_too_late",
    "zero_grad() comes after backward() and throws the new gradients away: it comes first.",
)
def gradients_cleared_too_late(model, optimizer, loss_fn, inputs, targets, max_norm):
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.zero_grad()
    norm = _clip(model, max_norm)
    optimizer.step()
    return loss.item(), norm


@mistake(
    "clipped_training_step",
    "norm_after_clipping_returned",
    "The norm you return is that after clipping; return the one before.",
)
def norm_after_clipping_returned(model, optimizer, loss_fn, inputs, targets, max_norm):
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    _clip(model, max_norm)
    norm = global_norm([p.grad for p in model.parameters() if p.grad is not None])
    optimizer.step()
    return loss.item(), norm.item()


@mistake(
    "clipped_training_step",
    "step_forgotten",
    "The weights do not move: optimizer.step() is missing.",
)
def step_forgotten(model, optimizer, loss_fn, inputs, targets, max_norm):
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    return loss.item(), _clip(model, max_norm)


@mistake(
    "clipped_training_step",
    "loss_after_the_step",
    "The loss you return is computed again after the step; return the one before.",
)
def loss_after_the_step(model, optimizer, loss_fn, inputs, targets, max_norm):
    _, norm = in_order(model, optimizer, loss_fn, inputs, targets, max_norm)
    with torch.no_grad():
        return loss_fn(model(inputs), targets).item(), norm


@mistake(
    "clipped_training_step",
    "norm_before_loss",
    "The results are in the order norm, loss; it is loss, norm.",
)
def norm_before_loss(model, optimizer, loss_fn, inputs, targets, max_norm):
    loss, norm = in_order(model, optimizer, loss_fn, inputs, targets, max_norm)
    return norm, loss


@mistake(
    "clipped_training_step",
    "targets_before_predictions",
    "loss_fn gets the targets first; it takes predictions, then targets.",
)
def targets_before_predictions(model, optimizer, loss_fn, inputs, targets, max_norm):
    optimizer.zero_grad()
    loss = loss_fn(targets, model(inputs))
    loss.backward()
    norm = _clip(model, max_norm)
    optimizer.step()
    return loss.item(), norm


def _clipped_otherwise(clip: Callable[[Grads, float], Grads]) -> Function:
    """A step that does something else with the gradients, and returns the right norm."""

    def step(model, optimizer, loss_fn, inputs, targets, max_norm):
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        parameters = [p for p in model.parameters() if p.grad is not None]
        grads = [p.grad for p in parameters]
        _, norm = clip_by_global_norm(grads, max_norm)
        for parameter, grad in zip(parameters, clip(grads, max_norm), strict=True):
            parameter.grad = grad
        optimizer.step()
        return loss.item(), norm.item()

    return step


for _id, _sentence, _otherwise in (
    (
        "each_parameter_alone",
        "Each parameter is clipped by its own norm; one scale for all keeps the direction.",
        lambda grads, max_norm: [_scaled([g], max_norm, g.norm())[0] for g in grads],
    ),
    (
        "clipped_by_value_instead",
        "Each number is cut on its own; clip by the global norm.",
        lambda grads, max_norm: [grad.clamp(-max_norm, max_norm) for grad in grads],
    ),
    (
        "always_scaled",
        "Gradients below max_norm are scaled up to it; they must stay as they are.",
        lambda grads, max_norm: [
            grad * max_norm / torch.cat([g.flatten() for g in grads]).norm() for grad in grads
        ],
    ),
):
    mistake("clipped_training_step", _id, _sentence)(_clipped_otherwise(_otherwise))


# ------------------------------------------------------------------ clipped_training_step: styles


@honest("clipped_training_step")
def in_order(model, optimizer, loss_fn, inputs, targets, max_norm):
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    norm = _clip(model, max_norm)
    optimizer.step()
    return loss.item(), norm


@honest("clipped_training_step")
def with_torchs_clipping(model, optimizer, loss_fn, inputs, targets, max_norm):
    model.zero_grad(set_to_none=False)
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return float(loss.detach()), float(norm)


@honest("clipped_training_step")
def scaled_in_place(model, optimizer, loss_fn, inputs, targets, max_norm):
    for parameter in model.parameters():
        parameter.grad = None
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    total = 0.0
    for parameter in model.parameters():
        if parameter.grad is not None:
            total += (parameter.grad**2).sum().item()
    norm = total**0.5
    if norm > max_norm:
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.grad.mul_(max_norm / norm)
    optimizer.step()
    return loss.detach().item(), norm


@honest("clipped_training_step")
def gradients_asked_for(model, optimizer, loss_fn, inputs, targets, max_norm):
    optimizer.zero_grad()
    parameters = list(model.parameters())
    loss = loss_fn(model(inputs), targets)
    grads = torch.autograd.grad(loss, parameters, allow_unused=True)
    kept = [(p, g) for p, g in zip(parameters, grads, strict=True) if g is not None]
    clipped, norm = clip_by_global_norm([g for _, g in kept], max_norm)
    for (parameter, _), grad in zip(kept, clipped, strict=True):
        parameter.grad = grad
    optimizer.step()
    return loss.item(), norm.item()


@honest("clipped_training_step")
def cleared_at_the_end_as_well(model, optimizer, loss_fn, inputs, targets, max_norm):
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    params = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    grads, norm = clip_by_global_norm([p.grad for p in params], max_norm)
    with torch.no_grad():
        for p, g in zip(params, grads, strict=True):
            p.grad.copy_(g)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item(), norm.item()
