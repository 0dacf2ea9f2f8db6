"""What follows a line of a cell that has failed: what of it can run all the same.

A notebook made for another machine may mount a drive, install a package or ask for input in the
cell in which it also imports and defines what its answers use.
"""

from __future__ import annotations

import ast
import builtins
import dis
import inspect
import linecache
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

from IPython.core.error import StdinNotImplementedError

_NOT_HERE = (ImportError, OSError, EOFError, StdinNotImplementedError)
"""Errors of what is on another machine, or of input that nobody is there to give."""
_GLOBAL, _NAME, _EXTENDED = (dis.opmap[n] for n in ("LOAD_GLOBAL", "LOAD_NAME", "EXTENDED_ARG"))
_MAX_LOOKED_AT = 1000
"""Functions of which the names are looked up for one exercise."""

Space = dict[str, Any]
"""A notebook's variables."""


def is_exit(error: BaseException) -> bool:
    """Whether a cell has ended itself: outside a kernel, IPython's exit() comes to this error."""
    return isinstance(error, AttributeError) and error.name == "ask_exit"


def is_not_here(error: BaseException) -> bool:
    """Whether an error comes from what is missing on this machine only."""
    no_input = isinstance(error, RuntimeError) and str(error).startswith("input():")
    return no_input or isinstance(error, _NOT_HERE)


def go_on(tree: ast.Module, error: Exception, space: Space, file: str, again: bool) -> None:
    """Run the statements behind the one that failed, which never runs twice, as far as these
    import, define a function or a class, or give a plain value a name.

    Args:
        file: what the code is called in errors.
        again: define also what is defined already. Where a cell fails everywhere, it never is.
    """
    line = _failed_line(error, space)
    for statement in tree.body:
        if line is None or statement.lineno <= line or not _is_harmless(statement):
            continue
        if not again and _bound(statement) <= space.keys():
            continue
        try:
            exec(compile(ast.Module([statement], []), file, "exec", dont_inherit=True), space)
        except Exception:  # what it needs may be missing, too
            continue


def undefined(function: object, space: Space) -> str:
    """The first name that a function, or one of the notebook's that it uses, looks up in vain;
    "" if there is none."""
    seen: set[int] = set()
    waiting = [function]
    while waiting and len(seen) < _MAX_LOOKED_AT:
        one = waiting.pop(0)
        seen.add(id(one))
        for name in _global_names(one, space):
            if name in space:
                value = space[name]
                if id(value) not in seen and isinstance(value, FunctionType | type):
                    waiting.append(value)
            elif not hasattr(builtins, name):
                return name
    return ""


def _failed_line(error: BaseException, space: Mapping[str, Any]) -> int | None:
    """The line of the cell itself that failed, also of one that runs inside a magic."""
    trace = error.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        if trace.tb_frame.f_globals is space and code.co_name == "<module>":
            line = linecache.getline(code.co_filename, trace.tb_lineno)
            if not line.startswith("get_ipython().run_cell_magic("):
                return trace.tb_lineno
        trace = trace.tb_next
    return None


def _is_harmless(statement: ast.stmt) -> bool:
    match statement:
        case ast.Import() | ast.ImportFrom():
            return True
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return True
        case ast.Assign(targets=targets, value=value):
            return all(map(_is_a_name, targets)) and _is_plain(value)
        case ast.AnnAssign(target=target, value=value):
            return _is_a_name(target) and value is not None and _is_plain(value)
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
            caught = [line for handler in handlers for line in handler.body]
            return all(
                isinstance(line, ast.Pass) or _is_harmless(line)
                for line in (*body, *caught, *orelse, *finalbody)
            )
    return False


def _is_a_name(target: ast.expr) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return all(map(_is_a_name, target.elts))
    return isinstance(target, ast.Name)


def _is_plain(value: ast.expr) -> bool:
    """Whether an expression calls nothing that is not Python's own."""
    match value:
        case ast.Constant() | ast.Name() | ast.Lambda():
            return True
        case ast.Attribute(value=inner) | ast.UnaryOp(operand=inner):
            return _is_plain(inner)
        case ast.BinOp(left=left, right=right):
            return _is_number(left) and _is_number(right)
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return all(map(_is_plain, parts))
        case ast.Dict(keys=keys, values=values):
            return all(part is not None and _is_plain(part) for part in (*keys, *values))
    return False


def _is_number(value: ast.expr) -> bool:
    if isinstance(value, ast.BinOp):
        return _is_number(value.left) and _is_number(value.right)
    return isinstance(value, ast.Constant | ast.Name | ast.UnaryOp) and _is_plain(value)


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement gives something to."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return {(a.asname or a.name).partition(".")[0] for a in names}
    bound = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and _is_stored(n)}
    for inner in ast.iter_child_nodes(statement):
        lines = inner.body if isinstance(inner, ast.ExceptHandler) else [inner]
        bound |= {name for line in lines if isinstance(line, ast.stmt) for name in _bound(line)}
    return bound


def _is_stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _global_names(value: object, space: Space) -> Iterator[str]:
    """The names that a function, or a class's functions, look up in the notebook."""
    if isinstance(value, type):
        if getattr(value, "__module__", "") == space.get("__name__"):
            for inner in [*vars(value).values()]:
                if isinstance(inner, FunctionType):
                    yield from _global_names(inner, space)
        return
    function = inspect.unwrap(value) if callable(value) else value
    if isinstance(function, FunctionType) and function.__globals__ is space:
        yield from _loaded(function.__code__)


def _loaded(code: CodeType) -> Iterator[str]:
    """The names that code looks up as global ones. `dis` tells the same in twenty times the time,
    which every exercise of every submission would take."""
    raw, extended = code.co_code, 0
    for operation, low in zip(raw[::2], raw[1::2], strict=True):
        argument = extended | low
        extended = argument << 8 if operation == _EXTENDED else 0
        if operation == _GLOBAL:  # whose last bit says that it is to be called
            yield code.co_names[argument >> 1]
        elif operation == _NAME:
            yield code.co_names[argument]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _loaded(constant)
