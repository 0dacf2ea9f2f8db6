"""Reads a notebook's code before any of it runs, for what a person should look at.

What an exercise calls of torch is seen where it runs, see `watch`. What can keep it from being seen
is reported here: means that change what the grader sees, from any cell, and whatever an answer
brings in from elsewhere. The code of each exercise is followed by name through the notebook's
functions, classes and variables, so that an answer that names torch's own is reported with its
name also where it does not come to the call. It is a reading and no proof: a report is a reason to
look, and no report is no promise.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from . import suspicious, syntax

MAX_FLAGS = 5
"""Reported for an exercise at most."""


MAX_QUOTED = 40
"""Characters of a cell's first line that name it."""

EVERY_EXERCISE = ""
"""In the place of a name: code that may give any exercise its answer."""


Scope = dict[str, set[str]]
"""What names stand for, dotted: {"nn": {"torch.nn"}}. Of a variable nothing is known: an empty
set."""


@dataclass(frozen=True)
class Reading:
    """What was found in a notebook.

    Attributes:
        names: of the cells, for messages: "the cell lstm_cell".
        plain: the sources that are Python as they stand, without magic or shell lines.
        flags: reasons for a person to look, by exercise.
    """

    names: tuple[str, ...]
    plain: frozenset[str]
    flags: dict[str, list[str]]


def read_cells(
    cells: Sequence[str],
    forbidden_calls: Mapping[str, Sequence[str]],
    transform: Callable[[str], str],
) -> Reading:
    """Read the sources of cells.

    Args:
        forbidden_calls: for each exercise, dotted names of what torch has for the same purpose.
        transform: turns magic and shell lines into Python, as IPython does.
    """
    python = {cell: tree for cell in cells if (tree := syntax.parsed(cell))}
    trees = [*python.values()]
    trees += [t for cell in cells if cell not in python for t in _magic(cell, transform)]
    try:
        notebook = _Notebook(trees, forbidden_calls)
        found = {exercise: notebook.findings(exercise) for exercise in forbidden_calls}
    except RecursionError:
        found = {
            exercise: ["its code is nested too deeply to be read"] for exercise in forbidden_calls
        }
    flags = {exercise: reasons[:MAX_FLAGS] for exercise, reasons in found.items() if reasons}
    return Reading(_cell_names(cells, forbidden_calls), frozenset(python), flags)


@dataclass
class _Uses:
    """What a piece of code uses.

    Attributes:
        names: the notebook's own variables, functions and classes.
        dotted: what comes from elsewhere, in full: "torch.nn.LSTM".
        shared: names that a function declares to be the notebook's.
        tampering: what else to report, as ends of sentences.
    """

    names: set[str] = field(default_factory=set)
    dotted: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    tampering: set[str] = field(default_factory=set)

    def add(self, other: _Uses) -> None:
        self.names |= other.names
        self.dotted |= other.dotted
        self.tampering |= other.tampering


class _Notebook:
    """All the code of a notebook.

    Names are taken together whatever the order of cells: each leads to every statement that gives
    it a value or changes it. "f()" leads to the statements that call f.
    """

    def __init__(
        self, trees: Iterable[ast.Module], forbidden_calls: Mapping[str, Sequence[str]]
    ) -> None:
        self._forbidden_calls = forbidden_calls
        self._definitions: defaultdict[str, list[_Uses]] = defaultdict(list)
        self._whole = _Uses()
        statements = [
            statement for tree in trees for statement in syntax.simple_statements(tree.body)
        ]
        bound = [syntax.bound_names(statement) for statement in statements]
        reader = _Reader(statements, {*chain(*bound)}, set(forbidden_calls))
        for statement, own in zip(statements, bound, strict=True):
            uses = reader.read(statement)
            self._whole.add(uses)
            for name in own | uses.shared:
                if not (isinstance(statement, ast.Expr) and reader.is_imported(name)):
                    self._definitions[name].append(uses)
            for name in syntax.called_names(statement):
                self._definitions[f"{name}()"].append(uses)
            if uses.dotted & suspicious.FILLING:
                self._definitions[EVERY_EXERCISE].append(uses)
                uses.names |= {f"{name}()" for name in own}
        reach = {
            n.removeprefix("builtins.") for n in self._whole.dotted if suspicious.is_tampering(n)
        }
        self._changes = sorted({f"uses {name}" for name in reach} | self._whole.tampering)

    def findings(self, exercise: str) -> list[str]:
        """Reasons for a person to look at an exercise."""
        used = self._reached(exercise)
        forbidden = self._forbidden_calls[exercise]
        ready = sorted(
            n for n in used.dotted if any(suspicious.is_same(n, other) for other in forbidden)
        )
        brought = sorted(
            name for name in used.dotted if suspicious.is_within(name, suspicious.BRINGING)
        )
        return [
            *(f"it uses {name}, the ready-made answer" for name in ready),
            *(f"it uses {name}, which is not looked into" for name in brought),
            *(f"a cell {means}, which can change what is graded" for means in self._changes),
        ]

    def _reached(self, exercise: str) -> _Uses:
        """What an exercise's function uses, and all that it leads to. What it uses through another
        exercise for which torch has the same is reported there."""
        if exercise not in self._definitions:
            return self._whole
        forbidden = set(self._forbidden_calls[exercise])
        others = {n for n, ready in self._forbidden_calls.items() if forbidden <= set(ready)}
        done = others - {exercise}
        reached = _Uses({exercise, EVERY_EXERCISE})
        while new := reached.names - done:
            done |= new
            for name in new:
                for uses in self._definitions.get(name, ()):
                    reached.add(uses)
        return reached


class _Reader:
    """Finds out what pieces of code use.

    Args:
        statements: the whole notebook's, for what its names stand for.
        bound: all names that they give a value to.
    """

    def __init__(
        self, statements: Sequence[ast.stmt], bound: Iterable[str], exercises: set[str]
    ) -> None:
        self._exercises = exercises
        self._stars: set[str] = set()
        self._scopes: list[Scope] = [{name: set() for name in bound}]
        self._uses = _Uses()
        self._statement: ast.stmt | None = None
        for _ in range(2):  # there are aliases of aliases
            self._learn(statements)

    def read(self, statement: ast.stmt) -> _Uses:
        self._uses = _Uses()
        self._statement = statement
        self._visit(statement)
        return self._uses

    def is_imported(self, name: str) -> bool:
        return bool(self._scopes[0].get(name))

    def _learn(self, statements: Iterable[ast.stmt]) -> None:
        """Take in what imports and aliases make names stand for, in the innermost scope."""
        scope = self._scopes[-1]
        for statement in statements:
            match statement:
                case ast.Import(names=names):
                    for a in names:
                        first = a.name if a.asname else a.name.split(".")[0]
                        scope.setdefault(a.asname or first, set()).add(first)
                case ast.ImportFrom(module=str(module), names=names):
                    for a in names:
                        if a.name == "*":
                            self._stars.add(module)
                        else:
                            scope.setdefault(a.asname or a.name, set()).add(f"{module}.{a.name}")
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        if isinstance(target, ast.Name):
                            known = scope.setdefault(target.id, set())
                            known |= self._stands_for(value)

    def _stands_for(self, node: ast.AST | None) -> set[str]:
        """The dotted names that an expression may stand for."""
        match node:
            case ast.Name(id=name):
                for scope in reversed(self._scopes):
                    if name in scope:
                        return scope[name]
                own = {f"builtins.{name}"} if hasattr(builtins, name) else set()
                return own | {f"{module}.{name}" for module in self._stars}
            case ast.Attribute(value=value, attr=name):
                return {f"{whole}.{name}" for whole in self._stands_for(value)}
            case ast.Call(func=ast.Name(id="get_ipython")):
                return {suspicious.SHELL}
            case ast.Call(func=ast.Name(id="getattr"), args=[value, part, *_]) if syntax.text_of(
                part
            ):
                return {f"{whole}.{syntax.text_of(part)}" for whole in self._stands_for(value)}
            case ast.Call() | ast.Subscript() if module := self._module(node):
                return {module}
        return set()

    def _is_modules(self, node: ast.AST) -> bool:
        """Whether it is `sys.modules` or its keys, where only names are asked for."""
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr="keys"), args=[]):
                node = value
        return "sys.modules" in self._stands_for(node)

    def _module(self, node: ast.AST) -> str:
        """The module that is taken out of `sys.modules` by a name that stands there, else ""."""
        match node:
            case (
                ast.Subscript(value=value, slice=ast.Constant(value=str(name)))
                | ast.Call(
                    func=ast.Attribute(value=value, attr="get"),
                    args=[ast.Constant(value=str(name)), *_],
                )
            ) if "sys.modules" in self._stands_for(value):
                return name
        return ""

    def _visit(self, node: ast.AST) -> None:
        match node:
            case ast.Attribute(value=ast.Subscript(value=whole, slice=part), attr=name) if (
                name in suspicious.TELLING and self._is_modules(whole)
            ):
                self._visit(part)
            case ast.Name() | ast.Attribute():
                self._visit_name(node)
            case ast.Call():
                self._visit_call(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                self._visit_function(node)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._visit_within(
                    {name: set() for name in syntax.own_names([node])[0]}, syntax.parts(node)
                )
            case ast.Assign() | ast.AugAssign() | ast.AnnAssign() | ast.Delete():
                self._visit_assignment(node)
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()], comparators=[right]):
                self._visit_all([left] if self._is_modules(right) else [left, right])
            case ast.comprehension() if self._is_modules(node.iter):
                self._visit_all(node.ifs)
            case ast.Subscript(ctx=ast.Load()) if module := self._module(node):
                self._uses.dotted.add(module)
            case ast.Import(names=names):
                self._uses.dotted |= {a.name for a in names}
            case ast.ImportFrom(module=str(module), names=names):
                self._uses.dotted |= {f"{module}.{a.name}" for a in names}
            case _:
                self._visit_all(syntax.parts(node))

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self._visit(node)

    def _visit_within(self, scope: Scope, nodes: Iterable[ast.AST]) -> None:
        """Visit what has variables of its own."""
        nodes = list(nodes)
        self._scopes.append(scope)
        self._learn(syntax.simple_statements(node for node in nodes if isinstance(node, ast.stmt)))
        self._visit_all(nodes)
        self._scopes.pop()

    def _visit_name(self, node: ast.Name | ast.Attribute) -> None:
        """A name or a chain of attributes that is read."""
        if isinstance(node.ctx, ast.Store | ast.Del):
            return
        self._uses.dotted |= self._stands_for(node)
        part: ast.expr = node
        while isinstance(part, ast.Attribute):
            self._visit_attribute(part.attr)
            part = part.value
        if not isinstance(part, ast.Name):
            self._visit(part)
        elif not any(part.id in scope for scope in self._scopes[1:]):
            self._uses.names.add(part.id)

    def _visit_attribute(self, name: str) -> None:
        if name in suspicious.TAMPERING_ATTRIBUTES:
            self._uses.tampering.add(f"uses {name}")

    def _visit_call(self, node: ast.Call) -> None:
        called = self._stands_for(node.func)
        first, second = [*node.args, None, None][:2]
        if (
            called & suspicious.FILLING
            and isinstance(first, ast.Name)
            and first.id in self._exercises
        ):
            return  # check(lstm_cell)
        if module := self._module(node):
            self._uses.dotted.add(module)
            return
        if called & suspicious.LISTING and first and self._is_modules(first):
            return
        if (
            called == {"builtins.eval"}
            and len(node.args) == 1
            and (code := syntax.expression(first))
        ):
            self._visit(code)
            return
        if "builtins.getattr" in called:
            self._visit_attribute(syntax.text_of(second))
            self._uses.dotted |= self._stands_for(node)
            inside = {
                name
                for name in self._stands_for(first)
                if suspicious.is_within(name, suspicious.SECRETIVE)
            }
            if not syntax.text_of(second):
                self._uses.tampering |= {f"looks up a name that it computes in {n}" for n in inside}
        elif "builtins.open" in called and isinstance(first, ast.Constant | ast.BinOp):
            if not isinstance(getattr(first, "value", 0), str):
                self._uses.tampering.add("opens a file by its number")
        elif called & suspicious.MAGIC_CALLS and syntax.text_of(first) in suspicious.FILE_MAGICS:
            self._uses.tampering.add(f"uses %{syntax.text_of(first)}")
        self._visit_all(syntax.parts(node))

    def _visit_function(self, node: syntax.Definition | ast.Lambda) -> None:
        given = node.args
        outside: list[ast.expr] = [*given.defaults, *(d for d in given.kw_defaults if d)]
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else [*node.body]
        if not isinstance(node, ast.Lambda):
            own = node is self._statement and node.name in self._exercises
            decorators = node.decorator_list
            outside += [
                d for d in decorators if not (own and self._stands_for(d) & suspicious.FILLING)
            ]
        self._visit_all(outside)
        every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
        own_names, shared = syntax.own_names(body)
        own_names |= {argument.arg for argument in every if argument}
        self._uses.shared |= shared
        self._visit_within({name: set() for name in own_names - shared}, body)

    def _visit_assignment(
        self, node: ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete
    ) -> None:
        targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target]
        value = None if isinstance(node, ast.Delete) else node.value
        for target in targets:
            place = target.value if isinstance(target, ast.Subscript) else target
            if not isinstance(target, ast.Name) and not isinstance(value, ast.Constant):
                replaced = {
                    name for name in self._stands_for(place) if suspicious.is_replaced(name)
                }
                self._uses.tampering |= {f"replaces {name}" for name in replaced}
            self._visit_all(syntax.parts(target))
        if value:
            self._visit(value)


def _magic(cell: str, transform: Callable[[str], str]) -> Iterator[ast.Module]:
    """The code in a cell with magic or shell lines, and that which such lines run."""
    try:
        tree = syntax.parsed(transform(cell))
    except Exception:  # the cell will fail with it when it is run
        return
    if tree is None:
        return
    yield tree
    for node in syntax.all_parts(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="run_cell_magic"), args=[_, _, body]):
                yield from _magic(syntax.text_of(body), transform)
            case ast.Call(
                func=ast.Attribute(attr="run_line_magic"),
                args=[ast.Constant(value=name), line],
            ) if name in suspicious.RUNNING_MAGICS:
                yield from _magic(syntax.text_of(line), transform)


def _cell_names(cells: Sequence[str], exercises: Iterable[str]) -> tuple[str, ...]:
    """Names for cells: after the exercise that is defined there, else after their first line."""
    names: list[str] = []
    for cell in cells:
        defined = [n for n in re.findall(r"^\s*def\s+(\w+)", cell, re.MULTILINE) if n in exercises]
        first = next((line for line in map(str.strip, cell.splitlines()) if line), "")
        quoted = first if len(first) <= MAX_QUOTED else f"{first[:MAX_QUOTED]}…"
        name = f"the cell {defined[0]}" if defined else f"the cell “{quoted}”"
        times = sum(other.startswith(name) for other in names)
        names.append(f"{name} ({times + 1})" if times else name)
    return tuple(names)
