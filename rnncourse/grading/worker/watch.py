"""Sees which of torch's ready-made answers an exercise uses while it is graded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, Self

import torch

from ...checks.forbidden_calls import ByName, helpers_noted, kind_of
from .operators import Operators

SEEN_IN_PYTHON = {"autograd", "clipping"}
"""Kinds of ready-made answers that all go through a few functions of torch in Python."""


class Watch:
    """Notes what is used of torch from when it is entered until it is left, whoever calls it: the
    function, what it returns when that is looked at, another exercise's function, another thread.

    Operators are seen below Python. What torch has in Python is seen by the functions that all of
    it goes through, gradients when they are recorded, and any other function by its name.

    Args:
        forbidden_calls: dotted names, such as "torch.nn.LSTM".

    Attributes:
        used: names out of `forbidden_calls` and of `operators`, such as "lstm_cell", so far; no
            others, whatever a learner calls a function.
    """

    def __init__(self, operators: Operators, forbidden_calls: Sequence[str]) -> None:
        self._operators = operators
        self._forbidden_calls = forbidden_calls
        self._kinds = {kind_of(name) for name in forbidden_calls}
        seen_else = operators.kinds | SEEN_IN_PYTHON
        self._by_name = ByName([name for name in forbidden_calls if kind_of(name) not in seen_else])
        self._helpers: set[str] = set()
        self._contexts = ExitStack()

    @property
    def used(self) -> set[str]:
        """What has been used so far, see the class."""
        operators = {name for name in self._operators.seen if kind_of(name) in self._kinds}
        names = self._helpers | self._by_name.used
        return operators | {name.removeprefix("torch.") for name in names}

    def __enter__(self) -> Self:
        enter, note = self._contexts.enter_context, self._helpers.add
        enter(helpers_noted(self._forbidden_calls, note))
        if "autograd" in self._kinds:
            gradients = next(n for n in self._forbidden_calls if kind_of(n) == "autograd")
            enter(_recording_seen(lambda: note(gradients)))
        if self._by_name.wanted:
            enter(self._by_name)
        self._operators.start()
        self._contexts.callback(self._operators.stop)
        return self

    def __exit__(self, *error: object) -> None:
        self._contexts.close()


@contextmanager
def _recording_seen(note: Callable[[], None]) -> Iterator[None]:
    """Tell when anything is recorded for gradients, by whatever means, in this thread."""

    def kept(value: Any) -> Any:
        note()
        return value

    def not_disabled(message: str) -> AbstractContextManager[None]:
        note()  # torch.func cannot do with such hooks in general, but with these
        return nullcontext()

    graph: Any = torch.autograd.graph
    disable = graph.disable_saved_tensors_hooks
    graph.disable_saved_tensors_hooks = not_disabled
    try:
        with graph.saved_tensors_hooks(kept, lambda value: value):
            yield
    finally:
        graph.disable_saved_tensors_hooks = disable
