"""Right answers in other styles to the exercises of `rnncourse.training`.

Parameters have the exercises' names and order.
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F

from . import honest


@honest("joined_rnn_cell")
def one_linear_map(x, h, w, b):
    return F.linear(torch.hstack((h, x)), w, b).tanh()


@honest("joined_rnn_cell")
def two_slices(x, h, w, b):
    size = h.shape[1]
    w_hh, w_ih = w[:, :size], w[:, size:]
    return torch.tanh(x @ w_ih.T + h @ w_hh.T + b)


@honest("joined_rnn_cell")
def einsum(x, h, w, b):
    from_h, from_x = w.split([h.shape[1], x.shape[1]], dim=1)
    s = torch.einsum("nk,hk->nh", h, from_h) + torch.einsum("ni,hi->nh", x, from_x) + b
    return 2 * torch.sigmoid(2 * s) - 1


@honest("joined_rnn_cell")
def one_sequence_at_a_time(x, h, w, b):
    rows = [torch.tanh(w @ torch.cat((h_n, x_n)) + b) for x_n, h_n in zip(x, h, strict=True)]
    return torch.stack(rows)


@honest("joined_rnn_cell")
def one_unit_at_a_time(x, h, w, b):
    joined = torch.cat([h, x], dim=-1)
    units = [(joined * row).sum(dim=1) + bias for row, bias in zip(w, b, strict=True)]
    return torch.stack(units, dim=1).tanh()


@honest("joined_rnn_cell")
def bias_as_a_column(x, h, w, b):
    ones = x.new_ones(x.shape[0], 1)
    joined = torch.cat([h, x, ones], dim=1)
    e = torch.exp(2 * joined @ torch.cat([w, b[:, None]], dim=1).T)
    return 1 - 2 / (e + 1)


@honest("training_step")
def as_in_torchs_tutorial(model, optimizer, loss_fn, inputs, targets):
    model.train()
    predictions = model(inputs)
    loss = loss_fn(predictions, targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss.detach())


@honest("training_step")
def zeroed_by_the_model(model, optimizer, loss_fn, inputs, targets):
    loss = loss_fn(model.forward(inputs), targets)
    model.zero_grad(set_to_none=False)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach().numpy().item()


@honest("training_step")
def with_a_closure(model, optimizer, loss_fn, inputs, targets):
    def closure():
        for parameter in model.parameters():
            parameter.grad = None
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        return loss

    return optimizer.step(closure).item()


@honest("training_step")
def gradients_asked_for(model, optimizer, loss_fn, inputs, targets):
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    loss = loss_fn(model(inputs), targets)
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    optimizer.step()
    return loss.tolist()


@honest("training_step")
def where_gradients_are_recorded(model, optimizer, loss_fn, inputs, targets):
    optimizer.zero_grad(set_to_none=False)
    with torch.enable_grad():
        loss = loss_fn(model(inputs), targets)
        number = loss.item()
        loss.backward()
    optimizer.step()
    return number


@honest("free_run")
def written_into_place(step, x, state, length):
    predictions = x.new_empty(length, *x.shape)
    y = x
    for t in range(length):
        y, state = step(y, state)
        predictions[t] = y
    return predictions


@honest("free_run")
def joined_as_it_grows(step, x, state, length):
    y, state = step(x, state)
    predictions = y[None]
    while len(predictions) < length:
        y, state = step(predictions[-1], state)
        predictions = torch.cat([predictions, y.unsqueeze(0)])
    return predictions


@honest("free_run")
def recursive(step, x, state, length):
    y, state = step(x, state)
    if length == 1:
        return y.unsqueeze(0)
    return torch.vstack([y[None], recursive(step, y, state, length - 1)])


@honest("free_run")
def accumulated(step, x, state, length):
    pairs = itertools.accumulate(range(length), lambda pair, _: step(*pair), initial=(x, state))
    return torch.stack([y for y, _ in pairs][1:], dim=0)


@honest("free_run")
@torch.no_grad()
def without_recording(step, x, state, length):
    predictions = [step(x, state)]
    for _ in range(length - 1):
        predictions.append(step(*predictions[-1]))
    return torch.stack([y for y, _ in predictions])
