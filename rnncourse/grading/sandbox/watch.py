"""Sees which of torch's ready-made answers a function calls while it runs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from ...checks.drivers import PROBE, driver_of, has_driver
from .scan import bare

SWITCHES = {"setgradenabled"}
"""What torch.no_grad and torch.enable_grad call. Its name holds that of torch.autograd.grad."""


class Watch(TorchFunctionMode):
    """Notes calls of what torch has for an exercise, however it was found: by another name, through
    `exec` or `getattr`. What stands for a cell that the exercise calls is that exercise's own
    matter.

    It looks on while no gradients are recorded: a case is called so first, and to look on at a
    second call would cost as much as the call. A function that records gradients itself is watched
    at every call.

    Args:
        ready_made: dotted names, such as "torch.nn.LSTM".

    Attributes:
        used: the names, as torch calls them, such as "lstm".
    """

    def __init__(self, exercise: str, ready_made: Sequence[str]) -> None:
        super().__init__()
        probed = driver_of(exercise + PROBE).probes if has_driver(exercise + PROBE) else {}
        self._own = {bare(name) for name in probed}
        self._wanted = {bare(name.rpartition(".")[2]) for name in ready_made} - self._own
        self._known: dict[Any, bool] = {}
        self.used: set[str] = set()

    def over(self, function: Callable[..., Any], records: bool) -> Callable[..., Any]:
        """The same function, watched.

        Args:
            records: whether it records gradients at its first call, too.
        """

        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            if torch.is_grad_enabled() and not records:
                return function(*args, **kwargs)
            with self:
                return function(*args, **kwargs)

        return watched

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if self._is_wanted(func):
            self.used.add(func.__name__)
        return func(*args, **(kwargs or {}))

    def _is_wanted(self, func: Callable[..., Any]) -> bool:
        if func not in self._known:
            name = bare(getattr(func, "__name__", ""))
            ready_made = name not in SWITCHES and any(wanted in name for wanted in self._wanted)
            self._known[func] = ready_made and not any(own in name for own in self._own)
        return self._known[func]
