"""Sees torch's ready-made operators where they run, below Python: however they are spelled, in
whatever thread, from TorchScript as well.

Torch's dispatcher is given a kernel for each of them that notes the call and runs torch's own. It
refuses nothing: a learner compares with torch as ever.
"""

from __future__ import annotations

import importlib
import re
import sys
import types
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any, NoReturn

import torch


def _shown(name: str) -> str:
    """An operator without its namespace and overload: "lstm_cell"."""
    return name.split("::")[1].split(".")[0]


COMPOSED = (
    *(f"aten::{kind}_cell" for kind in ("lstm", "gru", "rnn_tanh", "rnn_relu")),
    *(f"aten::{kind}.input" for kind in ("lstm", "gru", "rnn_tanh", "rnn_relu")),
    *(f"aten::{kind}.data" for kind in ("lstm", "gru", "rnn_tanh", "rnn_relu")),
    *(f"aten::quantized_{kind}_cell" for kind in ("lstm", "gru", "rnn_tanh", "rnn_relu")),
    "aten::_thnn_differentiable_lstm_cell_backward",
    "aten::_thnn_differentiable_gru_cell_backward",
    "aten::one_hot",
    "aten::embedding_bag",
    "aten::embedding_bag.padding_idx",
    "aten::embedding_backward",
    "aten::embedding_sparse_backward",
    "aten::_embedding_bag_sparse_backward",
    "aten::_backward",
)
"""Operators that torch writes as others and lets autograd see only these."""

WITH_OWN_GRADIENT = (
    "aten::mkldnn_rnn_layer",
    "aten::mkldnn_rnn_layer_backward",
    *(f"aten::quantized_{kind}" for kind in ("lstm.input", "lstm.data", "gru.input", "gru.data")),
    *(f"aten::quantized_{k}_legacy" for k in ("lstm.input", "lstm.data", "gru.input", "gru.data")),
    *(f"quantized::quantized_{kind}_cell_dynamic" for kind in ("lstm", "gru")),
    *(f"quantized::quantized_{kind}_cell_dynamic" for kind in ("rnn_tanh", "rnn_relu")),
    "aten::embedding",
    "aten::embedding_dense_backward",
    "aten::_embedding_bag",
    "aten::_embedding_bag_forward_only",
    "aten::_embedding_bag_dense_backward",
    "quantized::embedding_byte",
    "quantized::embedding_bag_byte",
)
"""Those that a processor has a kernel for."""

NAMES = frozenset(_shown(name) for name in (*COMPOSED, *WITH_OWN_GRADIENT))
"""How these are called where a person reads it."""

FORMULAS = ("torch._decomp.decompositions", "torch.ao.nn.quantizable.modules.rnn")
"""Modules of torch that hold the formulas in Python, where no operator would be seen."""
MASKED = re.compile("rnn|lstm|gru|one_hot|^embedding", re.IGNORECASE)


class Operators:
    """Notes calls of torch's ready-made operators while `watching`.

    A call that is recorded, to be run later as its parts (by tracing, or by a mode or a tensor that
    sees operators), is noted whenever it comes.

    Attributes:
        watching: whether calls are noted.
        seen: the names of operators called, without overloads: "lstm_cell".
        kinds: those of which every operator is seen; none where this torch does not let it.
    """

    def __init__(self) -> None:
        self.watching = False
        self.seen: set[str] = set()
        self.kinds: frozenset[str] = frozenset()
        self._recorded: set[str] = set()
        self._libraries: dict[str, torch.library.Library] = {}
        if hasattr(torch.library, "get_kernel"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch says that there is a kernel already
                for name in COMPOSED:
                    self._override(name, "CompositeImplicitAutograd")
                for name in WITH_OWN_GRADIENT:
                    self._override(name, "CPU")
            self.kinds = frozenset({"recurrent", "one_hot", "embedding"})

    def start(self) -> None:
        """Note calls from now on, and forget those of before."""
        self.seen = set(self._recorded)
        self.watching = True

    def stop(self) -> None:
        """Note no more."""
        self.watching = False

    def _override(self, name: str, key: str) -> None:
        try:
            kernel = torch.library.get_kernel(name, "CPU")
        except RuntimeError:  # this torch has no such operator, or not for a processor
            return
        namespace, operator = name.split("::")
        shown = _shown(name)

        def noted(keys: torch.DispatchKeySet, *args: Any, **kwargs: Any) -> Any:
            if self.watching:
                self.seen.add(shown)
            if torch._C._is_tracing() or keys.has(torch._C.DispatchKey.Python):
                self._recorded.add(shown)
                self.seen.add(shown)
            return kernel.call_boxed(keys, *args, **kwargs)

        if namespace not in self._libraries:
            self._libraries[namespace] = torch.library.Library(namespace, "IMPL")
        self._libraries[namespace].impl(operator, noted, key, with_keyset=True)


def mask_formulas() -> None:
    """Take away torch's formulas in Python, here and wherever else they are referred to, and let
    nobody load them again."""
    for name in FORMULAS:
        with suppress(ImportError):
            for function in _functions(vars(importlib.import_module(name))):
                if MASKED.search(function.__qualname__):
                    function.__code__ = _without_formula(function)
    sys.meta_path.insert(0, _Refuses())


class _Refuses(MetaPathFinder):
    """Finds no module that holds formulas."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        if name in FORMULAS:
            raise ImportError(f"{name} cannot be loaded while grading.")
        return None


def _functions(space: dict[str, Any]) -> Iterator[types.FunctionType]:
    """The functions of a module and of its classes, without what is wrapped around them."""
    for value in list(space.values()):
        if isinstance(value, type) and value.__module__ == space["__name__"]:
            yield from _functions({**vars(value), "__name__": space["__name__"]})
        while hasattr(value, "__wrapped__"):
            value = value.__wrapped__
        if isinstance(value, types.FunctionType) and value.__module__ == space["__name__"]:
            yield value


def _without_formula(function: types.FunctionType) -> types.CodeType:
    """What a masked function runs; with as many variables from outside, which Python asks for."""
    names = function.__code__.co_freevars
    return _masked.__code__.replace(co_name=function.__name__, co_freevars=names)


def _masked(*args: Any, **kwargs: Any) -> NoReturn:
    raise RuntimeError("torch's formulas in Python are not there while grading.")
