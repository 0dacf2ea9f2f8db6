"""Known mistakes in the exercises of `rnncourse.training`, and right answers in other styles.

Parameters have the exercises' names and order. What a mistake does wrong stands in its sentence.
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F

from . import honest, mistake

# ------------------------------------------------------------------ joined_rnn_cell: mistakes


def _sum(x, h, w, b):
    return torch.cat([h, x], dim=1) @ w.T + b


@mistake(
    "joined_rnn_cell",
    "x_before_h",
    "The columns are read in the order [x; h]; here h comes first: [h; x].",
)
def x_before_h(x, h, w, b):
    return torch.tanh(torch.cat([x, h], dim=1) @ w.T + b)


@mistake("joined_rnn_cell", "no_bias", "The bias b is not added.")
def no_bias(x, h, w, b):
    return torch.tanh(torch.cat([h, x], dim=1) @ w.T)


@mistake("joined_rnn_cell", "bias_twice", "The bias is added twice: here it is one, b, added once.")
def bias_twice(x, h, w, b):
    return torch.tanh(_sum(x, h, w, b + b))


@mistake(
    "joined_rnn_cell",
    "bias_outside_tanh",
    "The bias is added after tanh; it belongs to the sum inside.",
)
def bias_outside_tanh(x, h, w, b):
    return torch.tanh(torch.cat([h, x], dim=1) @ w.T) + b


@mistake("joined_rnn_cell", "no_tanh", "The sum is right; the tanh around it is missing.")
def no_tanh(x, h, w, b):
    return _sum(x, h, w, b)


@mistake(
    "joined_rnn_cell",
    "sigmoid_for_tanh",
    "The sum goes through sigmoid; it takes tanh, so that a state can be negative.",
)
def sigmoid_for_tanh(x, h, w, b):
    return torch.sigmoid(_sum(x, h, w, b))


@mistake("joined_rnn_cell", "relu_for_tanh", "The sum goes through ReLU; this cell takes tanh.")
def relu_for_tanh(x, h, w, b):
    return torch.relu(_sum(x, h, w, b))


@mistake("joined_rnn_cell", "tanh_twice", "tanh is applied twice: once is right.")
def tanh_twice(x, h, w, b):
    return torch.tanh(torch.tanh(_sum(x, h, w, b)))


@mistake(
    "joined_rnn_cell",
    "state_not_used",
    "The old state h has no part in the sum: the first H columns of w belong to it.",
)
def state_not_used(x, h, w, b):
    return torch.tanh(_sum(x, torch.zeros_like(h), w, b))


@mistake(
    "joined_rnn_cell",
    "input_not_used",
    "The input x has no part in the sum: the last I columns of w belong to it.",
)
def input_not_used(x, h, w, b):
    return torch.tanh(_sum(torch.zeros_like(x), h, w, b))


@mistake(
    "joined_rnn_cell",
    "a_tanh_for_each_part",
    "h and x go through a tanh each and are added then; first add, then take one tanh.",
)
def a_tanh_for_each_part(x, h, w, b):
    size = h.shape[1]
    return torch.tanh(h @ w[:, :size].T) + torch.tanh(x @ w[:, size:].T + b)


@mistake(
    "joined_rnn_cell",
    "old_state_added",
    "The old state is added to the result; h' is the tanh alone.",
)
def old_state_added(x, h, w, b):
    return h + torch.tanh(_sum(x, h, w, b))


@mistake(
    "joined_rnn_cell",
    "reshaped_not_transposed",
    "w is brought to the shape (H + I, H) by view or reshape, which mixes its numbers: use w.T.",
)
def reshaped_not_transposed(x, h, w, b):
    return torch.tanh(torch.cat([h, x], dim=1) @ w.reshape(w.shape[1], w.shape[0]) + b)


@mistake(
    "joined_rnn_cell",
    "state_detached",
    "The numbers are right, but no gradient reaches h: it is detached.",
)
def state_detached(x, h, w, b):
    return torch.tanh(_sum(x, h.detach(), w, b))


@mistake(
    "joined_rnn_cell",
    "weights_detached",
    "The numbers are right, but w and b are cut off (.data or detach): they could never learn.",
)
def weights_detached(x, h, w, b):
    return torch.tanh(_sum(x, h, w.data, b.data))


# ------------------------------------------------------------------ joined_rnn_cell: honest


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
    return (e - 1) / (e + 1)


# ------------------------------------------------------------------ training_step: mistakes


@mistake(
    "training_step",
    "gradients_not_zeroed",
    "Old gradients are never zeroed, so each step adds its own to those of all steps before.",
)
def gradients_not_zeroed(model, optimizer, loss_fn, inputs, targets):
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()


@mistake(
    "training_step",
    "zeroed_only_at_the_end",
    "Gradients are zeroed only after the step, so those from before the first call still count: "
    "zero them first.",
)
def zeroed_only_at_the_end(model, optimizer, loss_fn, inputs, targets):
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


@mistake(
    "training_step",
    "zeroed_before_the_step",
    "The gradients are zeroed between backward and step, so the optimizer has nothing to step by.",
)
def zeroed_before_the_step(model, optimizer, loss_fn, inputs, targets):
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


@mistake(
    "training_step",
    "step_before_backward",
    "optimizer.step() comes before loss.backward(): at that time there are no gradients yet.",
)
def step_before_backward(model, optimizer, loss_fn, inputs, targets):
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    optimizer.step()
    loss.backward()
    return loss.item()


@mistake(
    "training_step",
    "step_with_the_gradients_before",
    "The optimizer steps with the gradients of the call before: zero them, go backward, then step.",
)
def step_with_the_gradients_before(model, optimizer, loss_fn, inputs, targets):
    loss = loss_fn(model(inputs), targets)
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()
    return loss.item()


@mistake(
    "training_step",
    "no_backward",
    "loss.backward() is missing: without it there are no gradients to step by.",
)
def no_backward(model, optimizer, loss_fn, inputs, targets):
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    optimizer.step()
    return loss.item()


@mistake(
    "training_step",
    "no_step",
    "optimizer.step() is missing: gradients are computed and no parameter moves.",
)
def no_step(model, optimizer, loss_fn, inputs, targets):
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    return loss.item()


@mistake(
    "training_step",
    "two_steps",
    "The optimizer steps twice on the same gradients: once is right.",
)
def two_steps(model, optimizer, loss_fn, inputs, targets):
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    optimizer.step()
    return loss.item()


@mistake(
    "training_step",
    "loss_after_the_step",
    "The loss that is returned was computed anew after the step; return the one from before it.",
)
def loss_after_the_step(model, optimizer, loss_fn, inputs, targets):
    training_step(model, optimizer, loss_fn, inputs, targets)
    with torch.no_grad():
        return loss_fn(model(inputs), targets).item()


@mistake(
    "training_step",
    "model_called_twice",
    "The model is called twice a step; keep the loss of the first call and return its number.",
)
def model_called_twice(model, optimizer, loss_fn, inputs, targets):
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets).item()
    loss_fn(model(inputs), targets).backward()
    optimizer.step()
    return loss


@mistake(
    "training_step",
    "loss_arguments_exchanged",
    "loss_fn gets the targets first; its order is loss_fn(predictions, targets).",
)
def loss_arguments_exchanged(model, optimizer, loss_fn, inputs, targets):
    return training_step(model, optimizer, lambda p, t: loss_fn(t, p), inputs, targets)


@mistake(
    "training_step",
    "evaluation_mode",
    "The model is trained in evaluation mode: model.eval() has no place in a training step.",
)
def evaluation_mode(model, optimizer, loss_fn, inputs, targets):
    model.eval()
    return training_step(model, optimizer, loss_fn, inputs, targets)


@mistake(
    "training_step",
    "left_in_evaluation_mode",
    "The model is left in evaluation mode, so from the second call on it trains in it.",
)
def left_in_evaluation_mode(model, optimizer, loss_fn, inputs, targets):
    loss = training_step(model, optimizer, loss_fn, inputs, targets)
    model.eval()
    return loss


@mistake(
    "training_step",
    "loss_times_batch",
    "The loss is multiplied by the size of the batch; return it as loss_fn gives it.",
)
def loss_times_batch(model, optimizer, loss_fn, inputs, targets):
    return training_step(model, optimizer, loss_fn, inputs, targets) * len(inputs)


@mistake(
    "training_step",
    "loss_divided_by_batch",
    "The loss is divided by the size of the batch; return it as loss_fn gives it.",
)
def loss_divided_by_batch(model, optimizer, loss_fn, inputs, targets):
    return training_step(model, optimizer, loss_fn, inputs, targets) / len(inputs)


@mistake(
    "training_step",
    "update_by_hand",
    "The parameters are moved by hand as plain SGD does; this optimizer has another rule, so call "
    "optimizer.step().",
)
def update_by_hand(model, optimizer, loss_fn, inputs, targets):
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    with torch.no_grad():
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter -= group["lr"] * parameter.grad
    return loss.item()


# ------------------------------------------------------------------ training_step: honest


def training_step(model, optimizer, loss_fn, inputs, targets):
    """A right step, for mistakes that are made around it."""
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()


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


# ------------------------------------------------------------------ free_run: mistakes


@mistake(
    "free_run",
    "state_not_carried",
    "Every step starts from the first state: the state that step returns goes into the next one.",
)
def state_not_carried(step, x, state, length):
    predictions = []
    for _ in range(length):
        x, _ = step(x, state)
        predictions.append(x)
    return torch.stack(predictions)


@mistake(
    "free_run",
    "first_input_repeated",
    "Every step gets the first input: each prediction must be the next input.",
)
def first_input_repeated(step, x, state, length):
    predictions = []
    for _ in range(length):
        y, state = step(x, state)
        predictions.append(y)
    return torch.stack(predictions)


@mistake(
    "free_run",
    "nothing_carried",
    "Every step gets the first input and the first state, so all predictions are the same.",
)
def nothing_carried(step, x, state, length):
    return torch.stack([step(x, state)[0] for _ in range(length)])


@mistake(
    "free_run",
    "first_input_in_the_result",
    "The result begins with the first input and lacks the last prediction: append after the step.",
)
def first_input_in_the_result(step, x, state, length):
    predictions = []
    for _ in range(length):
        predictions.append(x)
        x, state = step(x, state)
    return torch.stack(predictions)


@mistake(
    "free_run",
    "first_input_and_predictions",
    "The result holds the first input besides the predictions: one entry too many.",
)
def first_input_and_predictions(step, x, state, length):
    return torch.cat([x[None], free_run(step, x, state, length)])


@mistake(
    "free_run",
    "one_too_few",
    "One prediction is missing at the end: the loop must run length times.",
)
def one_too_few(step, x, state, length):
    return free_run(step, x, state, length)[:-1]


@mistake(
    "free_run",
    "one_too_many",
    "There is one prediction too many: the loop must run length times.",
)
def one_too_many(step, x, state, length):
    return free_run(step, x, state, length + 1)


@mistake(
    "free_run",
    "first_prediction_dropped",
    "The first prediction is missing: what the first step gives is already part of the result.",
)
def first_prediction_dropped(step, x, state, length):
    return free_run(step, x, state, length + 1)[1:]


@mistake(
    "free_run",
    "last_prediction_only",
    "Only the last prediction is returned: all of them are asked for, one after the other.",
)
def last_prediction_only(step, x, state, length):
    return free_run(step, x, state, length)[-1]


@mistake(
    "free_run",
    "first_prediction_only",
    "Only the first prediction is there: is the return inside the loop?",
)
def first_prediction_only(step, x, state, length):
    return free_run(step, x, state, 1)


@mistake(
    "free_run",
    "last_prediction_everywhere",
    "Every entry is the last prediction: is one tensor written again and again?",
)
def last_prediction_everywhere(step, x, state, length):
    predictions = free_run(step, x, state, length)
    return predictions[-1].expand_as(predictions)


@mistake(
    "free_run",
    "batch_first",
    "The result is (N, length, D); here time comes first: (length, N, D). Stack along axis 0.",
)
def batch_first(step, x, state, length):
    return free_run(step, x, state, length).transpose(0, 1)


@mistake(
    "free_run",
    "joined_without_an_axis",
    "The predictions are joined along the batch by cat; torch.stack gives time an axis of its own.",
)
def joined_without_an_axis(step, x, state, length):
    return torch.cat([*free_run(step, x, state, length)])


@mistake(
    "free_run",
    "predictions_backwards",
    "The predictions are right, but the last one comes first.",
)
def predictions_backwards(step, x, state, length):
    return free_run(step, x, state, length).flip(0)


@mistake(
    "free_run",
    "states_collected",
    "The result holds the states; it holds the predictions, which step returns first.",
)
def states_collected(step, x, state, length):
    states = []
    for _ in range(length):
        x, state = step(x, state)
        states.append(state)
    return torch.stack(states)


@mistake(
    "free_run",
    "starts_from_zeros",
    "The first state is replaced by zeros: start from the state that is given.",
)
def starts_from_zeros(step, x, state, length):
    return free_run(step, x, torch.zeros_like(state), length)


# ------------------------------------------------------------------ free_run: honest


def free_run(step, x, state, length):
    """A right run, for mistakes that are made with it."""
    predictions = []
    for _ in range(length):
        x, state = step(x, state)
        predictions.append(x)
    return torch.stack(predictions)


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
