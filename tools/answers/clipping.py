"""Right answers in other styles to the exercises of `rnncourse.clipping`.

Parameters have the exercises' names and order.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn

from . import honest

Grads = list[Tensor]


def _state_grads(loss: Tensor, states: Grads) -> Grads:
    """The right gradients; zeros where there are none."""
    grads = torch.autograd.grad(loss, states, retain_graph=True, allow_unused=True)
    if all(grad is None for grad in grads):
        raise ValueError("the loss depends on none of the states")
    return [torch.zeros_like(s) if g is None else g for g, s in zip(grads, states, strict=True)]


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


def global_norm(grads: Grads) -> Tensor:
    """The norm that functions here call; a probe takes its place as it does in a notebook."""
    return torch.cat([grad.flatten() for grad in grads]).norm()


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


def _scaled(grads: Grads, max_norm: float, norm: Tensor) -> Grads:
    scale = (max_norm / norm).clamp(max=1)
    return [grad * scale for grad in grads]


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
