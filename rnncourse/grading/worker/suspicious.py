"""Names by which a cell can change what is graded, or bring an answer along."""

from __future__ import annotations

import sys
from functools import cache

import torch

from ...checks.forbidden_calls import bare

BRINGING = (
    *("flax", "jax", "keras", "mxnet", "onnxruntime", "paddle", "tensorflow"),
    *("torch.hub", "torch.jit.load", "torch.load"),
)
"""With these an answer can use what is not in the notebook, and where nobody looks on."""
SHELL = "get_ipython()"
TAMPERING_ATTRIBUTES = {
    *("__closure__", "__globals__", "ag_frame", "cr_frame", "f_back", "f_builtins", "f_globals"),
    *("f_locals", "gi_frame", "tb_frame", "__loader__", "exec_module", "get_code", "load_module"),
}
"""They lead to what Python keeps from a cell: the worker's own variables, or modules anew."""
UNDER_TORCH = (
    *("torch._C", "torch._decomp", "torch._dispatch", "torch._functorch", "torch._library"),
    *("torch._ops", "torch._prims", "torch._refs", "torch._subclasses", "torch.library"),
    *("torch.classes.load_library", "torch.ops.load_library", "torch.testing._internal"),
    "torch.utils.cpp_extension",
)
"""With these a cell can go round the places where torch's ready-made answers are seen, or take them
off. `torch._C._VariableFunctions` and `torch._VF` are other names for functions of torch."""
TAMPERING = (
    *("__main__", "codeop", "gc.unfreeze", "imp", "importlib.machinery", "marshal", "runpy"),
    *(f"importlib.util.{n}" for n in ("LazyLoader", "module_from_spec", "spec_from_file_location")),
    *("sys.meta_path", "sys.path_hooks", "sys.path_importer_cache", "types.CodeType"),
    *("builtins.__import__", "builtins.compile", "builtins.eval", "builtins.exec", "ctypes"),
    *("gc.get_objects", "gc.get_referents", "gc.get_referrers", "inspect.currentframe"),
    *("inspect.getouterframes", "inspect.stack", "os.fdopen", "os.write", "os.writev"),
    *("rnncourse.checks", "rnncourse._exercise", "rnncourse.grading", "sys._current_frames"),
    *("socket", "sys._getframe", "sys.modules", "sys.setprofile", "sys.settrace"),
    *(f"{SHELL}.{name}" for name in ("ast_transformers", "ex", "input_transformer_manager")),
    *(f"{SHELL}.{name}" for name in ("input_transformers_cleanup", "input_transformers_post")),
    *(f"{SHELL}.{name}" for name in ("run_cell", "run_code", "user_global_ns", "user_ns")),
    *UNDER_TORCH,
)
"""With these any cell can change what the grader sees."""
SECRETIVE = ("builtins", "gc", "importlib", "inspect", "rnncourse", "sys", "traceback", "types")
"""Modules in which nobody has a reason to look up a name that is computed."""
OWN = ("torch", "rnncourse", "builtins")
"""Modules whose parts a notebook has no reason to replace."""
FILLING = {f"rnncourse.{name}" for name in ("check", "checks.check", "_exercise.fill", "fill")}
"""What makes a function an exercise's answer."""
HARMLESS = FILLING | {"rnncourse._exercise.demo"}
OTHER_NAMES = "torch._C._VariableFunctions"
LISTING = {f"builtins.{name}" for name in ("enumerate", "len", "list", "print", "set", "sorted")}
LISTING |= {f"builtins.{name}" for name in ("all", "any", "frozenset", "iter", "tuple")}
"""What takes only the names out of `sys.modules`."""
TELLING = ("__file__", "__name__", "__version__")
"""Of a module, what leads to nothing in it."""
SHOWING = ("__format__", "__repr__", "__str__", "_repr_html_", "_repr_pretty_")
"""How a thing is printed, which nobody grades."""
MAGIC_CALLS = {f"{SHELL}.run_line_magic", f"{SHELL}.run_cell_magic"}
RUNNING_MAGICS = ("prun", "time", "timeit")
"""Magics whose line is code."""
FILE_MAGICS = ("edit", "file", "load", "loadpy", "macro", "run", "writefile")
"""Magics that take code from somewhere else, or put it there."""
KNOWN = {"torch.Tensor": torch.Tensor, "torch.nn.Module": torch.nn.Module}
"""Classes to which people add methods of their own."""


def is_replaced(name: str) -> bool:
    """Whether an assignment to it changes what is there: not how it is printed, and no name of
    one's own."""
    whole, _, part = name.rpartition(".")
    if not is_within(name, OWN) or part in SHOWING:
        return False
    return part.startswith("_") or whole not in KNOWN or hasattr(KNOWN[whole], part)


def is_tampering(name: str) -> bool:
    """Whether a dotted name is one with which any cell can change what the grader sees."""
    harmless = name in HARMLESS or is_within(name, (OTHER_NAMES,))
    return is_within(name, TAMPERING) and not harmless


def is_within(name: str, places: tuple[str, ...]) -> bool:
    """Whether a dotted name is one of these, or within one."""
    return f"{name}.".startswith(_with_dots(places))


@cache
def _with_dots(places: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{place}." for place in places)


def is_same(name: str, forbidden_calls: str) -> bool:
    """Whether a dotted name is, or leads to, what torch has ready made under another one: what is
    in torch.nn and in torch.nn.modules.rnn, or in torch and in torch._VF and torch.ops.aten."""
    first, *parts = name.split(".")
    leaf = bare(forbidden_calls.rpartition(".")[2])
    if first != "torch":
        return False
    inner = any(part.startswith("_") or part == "ops" for part in parts)
    return any(
        (bare(part) == leaf or (inner and leaf in bare(part)))
        and ".".join([first, *parts[: k + 1]]) not in sys.modules
        for k, part in enumerate(parts)
    )
