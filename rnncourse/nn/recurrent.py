"""Recurrent layers: torch's RNN, GRU and LSTM, and a stack whose layers have any widths."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..gru import gru_layer
from ..lstm import lstm_layer
from ..rnn import rnn_layer, stacked_rnn

Pair = tuple[Tensor, Tensor]
States = tuple[Tensor, ...]
"""What a layer carries from step to step: (h,), or (h, c) for an LSTM."""

Weights = tuple[Tensor, Tensor, Tensor, Tensor]
"""w_ih, w_hh, b_ih, b_hh of one direction of one layer."""


class RNNBase(nn.Module, ABC):
    """Layers and directions around one kind of layer.

    A kind says how many blocks of H rows its weights have, names its states, runs one layer in one
    direction (`_layer`), and gives `forward` the types of its states.

    Args:
        input_size, hidden_size: I and H.
        num_layers: L, stacked; each layer reads the output of the one below.
        bias: without it there are no bias parameters, and the layers run with zeros.
        batch_first: input and output are (N, T, ·) instead of (T, N, ·). States never are.
        dropout: probability of zeroing a number between layers while training.
        bidirectional: a second direction reads the sequence from its end; D = 2, else D = 1.

    Shapes:
        input (T, N, I) or one sequence (T, I); states before the first step (D·L, N, H) or
        (D·L, H), zeros if left out; output (T, N, D·H); states after the last step as those before
        the first.

    Raises:
        ValueError: an input or a state has another shape, or an argument makes no sense.

    Packed sequences are not supported.
    """

    _blocks: ClassVar[int]
    _state_names: ClassVar[tuple[str, ...]] = ("h_0",)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__()
        if min(input_size, hidden_size, num_layers) < 1:
            raise ValueError("input_size, hidden_size and num_layers must be at least 1")
        if not 0 <= dropout <= 1:
            raise ValueError(f"dropout is a probability between 0 and 1; got {dropout}")
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        self._register_parameters()
        self.reset_parameters()

    @abstractmethod
    def _layer(self, x: Tensor, states: States, weights: Weights) -> tuple[Tensor, States]:
        """One layer in one direction on x (T, N, I), with states (N, H): output, states."""

    def reset_parameters(self) -> None:
        """Draw every weight and bias as torch does, uniformly within ±1 / sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        """What `print` tells of it, as torch's module does."""
        defaults = {
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
        }
        changed = {k: getattr(self, k) for k, v in defaults.items() if getattr(self, k) != v}
        named = (f"{k}={v}" for k, v in changed.items())
        return ", ".join([str(self.input_size), str(self.hidden_size), *named])

    def _run(self, input: Tensor, states: States | None) -> tuple[Tensor, States]:
        """All layers and directions; see the class for shapes."""
        if not isinstance(input, Tensor):
            raise ValueError("input must be a tensor; packed sequences are not supported")
        if input.ndim not in (2, 3) or input.shape[-1] != self.input_size:
            raise ValueError(
                f"input must be (T, N, {self.input_size}) or (T, {self.input_size}); "
                f"got {tuple(input.shape)}"
            )
        if input.ndim == 2:
            return self._run_one(input, states)
        x = input.transpose(0, 1) if self.batch_first else input
        initial = self._initial(x, states)
        finals = []
        for layer in range(self.num_layers):
            if layer > 0:
                x = nn.functional.dropout(x, self.dropout, self.training)
            outputs = []
            for suffix, index in self._directions(layer):
                backward = suffix.endswith("_reverse")
                read = x.flip(0) if backward else x
                first = tuple(state[index] for state in initial)
                output, final = self._layer(read, first, self._weights(suffix))
                outputs.append(output.flip(0) if backward else output)
                finals.append(final)
            x = torch.cat(outputs, dim=-1)
        last = tuple(torch.stack(parts) for parts in zip(*finals, strict=True))
        return x.transpose(0, 1) if self.batch_first else x, last

    def _run_one(self, input: Tensor, states: States | None) -> tuple[Tensor, States]:
        """One sequence without a batch axis, as a batch of one."""
        axis = 0 if self.batch_first else 1
        if states is not None:
            self._expect(states, (self._directions_in_all(), self.hidden_size))
            states = tuple(state.unsqueeze(1) for state in states)
        output, last = self._run(input.unsqueeze(axis), states)
        return output.squeeze(axis), tuple(state.squeeze(1) for state in last)

    def _directions(self, layer: int) -> Iterator[tuple[str, int]]:
        """The parameter suffix and the place in h_0 of each direction of a layer."""
        suffixes = ("", "_reverse") if self.bidirectional else ("",)
        for direction, suffix in enumerate(suffixes):
            yield f"l{layer}{suffix}", layer * len(suffixes) + direction

    def _register_parameters(self) -> None:
        rows = self._blocks * self.hidden_size
        for layer in range(self.num_layers):
            directions = list(self._directions(layer))
            width = self.input_size if layer == 0 else self.hidden_size * len(directions)
            for suffix, _ in directions:
                self.register_parameter(f"weight_ih_{suffix}", _empty(rows, width))
                self.register_parameter(f"weight_hh_{suffix}", _empty(rows, self.hidden_size))
                if self.bias:
                    self.register_parameter(f"bias_ih_{suffix}", _empty(rows))
                    self.register_parameter(f"bias_hh_{suffix}", _empty(rows))

    def _weights(self, suffix: str) -> Weights:
        w_ih = self.get_parameter(f"weight_ih_{suffix}")
        w_hh = self.get_parameter(f"weight_hh_{suffix}")
        if not self.bias:
            zeros = w_ih.new_zeros(len(w_ih))
            return w_ih, w_hh, zeros, zeros
        b_ih = self.get_parameter(f"bias_ih_{suffix}")
        b_hh = self.get_parameter(f"bias_hh_{suffix}")
        return w_ih, w_hh, b_ih, b_hh

    def _initial(self, x: Tensor, states: States | None) -> States:
        """The states before the first step, zeros where none are given. `x` is (T, N, I)."""
        shape = (self._directions_in_all(), x.shape[1], self.hidden_size)
        if states is None:
            return (x.new_zeros(shape),) * len(self._state_names)
        self._expect(states, shape)
        return states

    def _directions_in_all(self) -> int:
        return self.num_layers * (2 if self.bidirectional else 1)

    def _expect(self, states: States, shape: tuple[int, ...]) -> None:
        for name, state in zip(self._state_names, states, strict=True):
            if tuple(state.shape) != shape:
                raise ValueError(f"{name} must be {shape}; got {tuple(state.shape)}")


class LSTM(RNNBase):
    """`torch.nn.LSTM` on the learner's `lstm_layer`; see `RNNBase` for arguments and shapes.

    Projections (`proj_size`) are not supported.

    Example:
        >>> import torch
        >>> ours, theirs = LSTM(3, 4, num_layers=2), torch.nn.LSTM(3, 4, num_layers=2)
        >>> ours.load_state_dict(theirs.state_dict())
        <All keys matched successfully>
        >>> x = torch.ones(7, 5, 3)
        >>> torch.allclose(ours(x)[0], theirs(x)[0], rtol=1e-3, atol=1e-4)
        True
    """

    _blocks = 4
    _state_names = ("h_0", "c_0")

    def forward(self, input: Tensor, hx: Pair | None = None) -> tuple[Tensor, Pair]:
        """Returns output, (h_n, c_n)."""
        if hx is not None and (isinstance(hx, Tensor) or len(hx) != 2):
            raise ValueError("the states are a pair, (h_0, c_0)")
        output, (h_n, c_n) = self._run(input, hx)
        return output, (h_n, c_n)

    def _layer(self, x: Tensor, states: States, weights: Weights) -> tuple[Tensor, States]:
        h_0, c_0 = states
        return lstm_layer(x, h_0, c_0, *weights)


class GRU(RNNBase):
    """`torch.nn.GRU` on the learner's `gru_layer`; see `RNNBase` for arguments and shapes.

    Example:
        >>> import torch
        >>> output, h_n = GRU(3, 4, num_layers=2, bidirectional=True)(torch.ones(7, 5, 3))
        >>> output.shape, h_n.shape
        (torch.Size([7, 5, 8]), torch.Size([4, 5, 4]))
    """

    _blocks = 3

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Pair:
        """Returns output, h_n."""
        output, (h_n,) = self._run(input, None if hx is None else (_one_state(hx),))
        return output, h_n

    def _layer(self, x: Tensor, states: States, weights: Weights) -> tuple[Tensor, States]:
        (h_0,) = states
        output, h_n = gru_layer(x, h_0, *weights)
        return output, (h_n,)


class RNN(RNNBase):
    """`torch.nn.RNN` with tanh on the learner's `rnn_layer`; `RNNBase` has arguments and shapes.

    Example:
        >>> import torch
        >>> output, h_n = RNN(3, 4, batch_first=True)(torch.ones(5, 7, 3))
        >>> output.shape, h_n.shape  # a state is never batch-first
        (torch.Size([5, 7, 4]), torch.Size([1, 5, 4]))
    """

    _blocks = 1

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Pair:
        """Returns output, h_n."""
        output, (h_n,) = self._run(input, None if hx is None else (_one_state(hx),))
        return output, h_n

    def _layer(self, x: Tensor, states: States, weights: Weights) -> tuple[Tensor, States]:
        (h_0,) = states
        output, h_n = rnn_layer(x, h_0, *weights)
        return output, (h_n,)


class StackedRNN(nn.Module):
    """Recurrent layers of any widths on the learner's `stacked_rnn`, in one direction.

    Args:
        input_size: I.
        widths: the hidden size of each layer, from the lowest up.

    Shapes:
        input (T, N, I); hx a list with a state (N, H_l) for each layer, zeros if left out; output
        (T, N, H_top).

    Raises:
        ValueError: an input or a state has another shape, or a width is below 1.

    Where all widths are equal, it takes the state dict of a torch.nn.RNN.

    Example:
        >>> import torch
        >>> output, h_n = StackedRNN(3, widths=[8, 4])(torch.ones(7, 5, 3))
        >>> output.shape, [h.shape for h in h_n]
        (torch.Size([7, 5, 4]), [torch.Size([5, 8]), torch.Size([5, 4])])
    """

    def __init__(self, input_size: int, widths: Sequence[int]) -> None:
        super().__init__()
        if not widths or min(input_size, *widths) < 1:
            raise ValueError("input_size and all widths must be at least 1")
        self.input_size, self.widths = input_size, tuple(widths)
        below = input_size
        for layer, width in enumerate(widths):
            self.register_parameter(f"weight_ih_l{layer}", _empty(width, below))
            self.register_parameter(f"weight_hh_l{layer}", _empty(width, width))
            self.register_parameter(f"bias_ih_l{layer}", _empty(width))
            self.register_parameter(f"bias_hh_l{layer}", _empty(width))
            below = width
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every weight and bias as torch does, uniformly within ±1 / sqrt(width)."""
        for layer, width in enumerate(self.widths):
            for parameter in self._weights(layer):
                nn.init.uniform_(parameter, -1 / math.sqrt(width), 1 / math.sqrt(width))

    def forward(
        self, input: Tensor, hx: Sequence[Tensor] | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Returns output, h_n: a list with each layer's last state."""
        if input.ndim != 3 or input.shape[-1] != self.input_size:
            raise ValueError(f"input must be (T, N, {self.input_size}); got {tuple(input.shape)}")
        wanted = [(input.shape[1], width) for width in self.widths]
        states = [input.new_zeros(shape) for shape in wanted] if hx is None else [*hx]
        if [tuple(state.shape) for state in states] != wanted:
            raise ValueError(f"hx must be a list of states of the shapes {wanted}")
        return stacked_rnn(input, states, [self._weights(n) for n in range(len(self.widths))])

    def extra_repr(self) -> str:
        """What `print` tells of it, as torch's module does."""
        return f"{self.input_size}, {self.widths}"

    def _weights(self, layer: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        w_ih, w_hh, b_ih, b_hh = (
            self.get_parameter(f"{name}_l{layer}")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        return w_ih, w_hh, b_ih, b_hh


def _one_state(hx: object) -> Tensor:
    if not isinstance(hx, Tensor):
        raise ValueError("the state is one tensor, h_0; there is no cell state")
    return hx


def _empty(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.empty(*shape))
