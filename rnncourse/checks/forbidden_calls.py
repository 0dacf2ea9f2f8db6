"""Sees that a function uses what torch has ready made for its exercise."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.utils import clip_grad
from torch.overrides import TorchFunctionMode

RNN = ("torch.nn.RNNCell", "torch.nn.RNN", "torch.rnn_tanh_cell", "torch.rnn_tanh")
LSTM = ("torch.nn.LSTMCell", "torch.nn.LSTM", "torch.lstm_cell", "torch.lstm")
GRU = ("torch.nn.GRUCell", "torch.nn.GRU", "torch.gru_cell", "torch.gru")
NETWORKS = ("torch.nn.RNN", "torch.nn.LSTM", "torch.nn.GRU")
GRADIENTS = (
    "torch.autograd.grad",
    "torch.autograd.backward",
    "torch.Tensor.backward",
    "torch.autograd.functional.jacobian",
    "torch.func.vjp",
    "torch.func.jacrev",
)
CLIPPING = (
    "torch.nn.utils.clip_grad_norm_",
    "torch.nn.utils.clip_grad_value_",
    "torch.nn.utils.clip_grads_with_norm_",
    "torch.nn.utils.get_total_norm",
)
ONE_HOT = ("torch.nn.functional.one_hot",)
EMBEDDING = (
    "torch.nn.functional.embedding",
    "torch.nn.functional.embedding_bag",
    "torch.nn.Embedding",
    "torch.nn.EmbeddingBag",
    "torch.embedding",
)
"""For plans: what torch has that does what exercises are to write. What is rarely written by
hand, such as jacfwd, is seen by its kind."""

KINDS = {
    "recurrent": ("rnn", "lstm", "gru"),
    "one_hot": ("onehot",),
    "embedding": ("embedding",),
    "autograd": ("autograd", "backward", "func.vjp", "func.jacrev"),
    "clipping": ("clipgrad", "totalnorm"),
}
"""Kinds of ready-made answers, by what their names hold."""

HELPERS: tuple[tuple[str, Any, str], ...] = (
    ("recurrent", nn.modules.rnn.RNNBase, "__init__"),
    ("recurrent", nn.modules.rnn.RNNCellBase, "__init__"),
    ("autograd", torch.autograd, "_engine_run_backward"),
    ("autograd", torch.autograd.graph, "_engine_run_backward"),
    ("autograd", torch.autograd.forward_ad, "make_dual"),
    ("clipping", clip_grad, "_group_tensors_by_device_and_dtype"),
)
"""Functions in Python through which ready-made answers of a kind go, whoever holds them."""

MODULES = {nn.LSTM, nn.LSTMCell, nn.GRU, nn.GRUCell, nn.RNN, nn.RNNCell}

SWITCHES = {"setgradenabled"}
"""What torch.no_grad and torch.enable_grad call. Its name holds that of torch.autograd.grad."""


def bare(name: str) -> str:
    """A name as torch writes it in no place and every: LSTMCell, lstm_cell, _lstm_cell."""
    return name.replace("_", "").lower()


def kind_of(name: str) -> str:
    """The kind of a ready-made answer, such as "torch.nn.LSTM"; "" for any other function."""
    written = bare(name)
    return next((k for k, parts in KINDS.items() if any(p in written for p in parts)), "")


def _leaf(name: str) -> str:
    return name.rpartition(".")[2]


class ByName(TorchFunctionMode):
    """Notes, while it is entered, calls of functions of torch by their names.

    Args:
        ready_made: dotted names, such as "torch.nn.LSTM".

    Attributes:
        wanted: these names by their last parts, bare; longer ones first.
        used: those of these names that were called.
    """

    def __init__(self, ready_made: Sequence[str]) -> None:
        super().__init__()
        # What is called here is a function: of torch.nn.LSTMCell and torch.lstm_cell the second.
        functions = [name for name in ready_made if _leaf(name).islower()]
        leaves = {bare(_leaf(name)): name for name in (*ready_made[::-1], *functions[::-1])}
        self.wanted = sorted(leaves.items(), key=lambda item: -len(item[0]))
        self._known: dict[Any, str] = {}
        self.used: set[str] = set()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if name := self._name_of(func):
            self.used.add(name)
        return func(*args, **(kwargs or {}))

    def _name_of(self, func: Callable[..., Any]) -> str:
        """Which of the names a function has; "" for none."""
        if func not in self._known:
            name = bare(str(getattr(func, "__name__", "")))
            found = (dotted for leaf, dotted in self.wanted if leaf in name)
            self._known[func] = "" if name in SWITCHES else next(found, "")
        return self._known[func]


@contextmanager
def uses_noted(ready_made: Sequence[str]) -> Iterator[set[str]]:
    """For a while, note which of these are used in this thread; their dotted names.

    Only Python's ways to torch are watched, and nothing of it stays: this is for a learner's own
    kernel, where nobody hides anything.
    """
    mode = ByName(ready_made)
    if not ready_made:
        yield mode.used
        return
    with helpers_noted(ready_made, mode.used.add), mode:
        yield mode.used


@contextmanager
def helpers_noted(ready_made: Sequence[str], note: Callable[[str], None]) -> Iterator[None]:
    """For a while, have the helpers through which these go tell of each call which of them it is;
    the first of its kind if that cannot be told."""
    with ExitStack() as stack:
        for kind, owner, name in HELPERS:
            named = [name for name in ready_made if kind_of(name) == kind]
            if named and hasattr(owner, name):
                function = getattr(owner, name)
                setattr(owner, name, _noted(function, named, note))
                stack.callback(setattr, owner, name, function)
        yield


def _noted(
    function: Callable[..., Any], named: Sequence[str], note: Callable[[str], None]
) -> Callable[..., Any]:
    by_leaf = {bare(_leaf(name)): name for name in reversed(named)}

    def noted(*args: Any, **kwargs: Any) -> Any:
        caller = sys._getframe(1).f_code.co_name
        made = next((c.__name__ for c in type(args[0]).__mro__ if c in MODULES), "") if args else ""
        note(by_leaf.get(bare(made or caller), named[0]))
        return function(*args, **kwargs)

    return noted
