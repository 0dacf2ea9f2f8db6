"""The syntax of a notebook's cells: their statements, and the names that these use."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

EVALUATED = {
    kind: [name for name in kind._fields if name not in ("ctx", "op", "annotation", "returns")]
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
"""The fields whose parts are evaluated, by kind of node."""


Definition = ast.FunctionDef | ast.AsyncFunctionDef


def parsed(source: str) -> ast.Module | None:
    """A cell's syntax tree; None where it is no Python as it stands."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def expression(node: ast.expr | None) -> ast.expr | None:
    """The expression that a string in the code holds."""
    try:
        return ast.parse(text_of(node).strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def text_of(node: ast.expr | None) -> str:
    """A string that stands in the code, in one piece or several, else ""."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return text_of(left) + text_of(right) if text_of(left) and text_of(right) else ""
    return ""


def simple_statements(statements: Iterable[ast.AST]) -> Iterator[ast.stmt]:
    """The statements of a block and of the blocks in it. Of what opens a block the part is left
    that is evaluated: `for x in xs` counts as `x = xs`."""
    for statement in statements:
        match statement:
            case ast.For() | ast.AsyncFor():
                yield assignment(statement.target, iterated(statement.iter))
            case ast.With() | ast.AsyncWith():
                for item in statement.items:
                    yield assignment(item.optional_vars, item.context_expr)
            case ast.If() | ast.While():
                yield assignment(None, statement.test)
            case ast.Match():
                yield assignment(None, statement.subject)
            case ast.stmt() if not isinstance(statement, ast.Try | ast.TryStar):
                yield statement
                continue
        for block in ("body", "handlers", "cases", "orelse", "finalbody"):
            yield from simple_statements(getattr(statement, block, ()))


def iterated(value: ast.expr) -> ast.expr:
    """What a loop goes over. It takes only the names out of `sys.modules`."""
    if getattr(value, "attr", getattr(value, "id", "")) != "modules":
        return value
    return ast.Call(ast.Name("iter", ast.Load()), [value], [])


def assignment(target: ast.expr | None, value: ast.expr) -> ast.stmt:
    """`target = value`, or the value alone where there is no target."""
    return ast.Assign([target], value) if target else ast.Expr(value)


def bound_names(statement: ast.stmt) -> set[str]:
    """The notebook's names that a statement gives a value to, or changes."""
    names: set[str] = set()
    targets: list[ast.AST] = []
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            names = {name}
        case ast.Assign():
            targets = [*statement.targets]
        case ast.AugAssign() | ast.AnnAssign():
            targets = [statement.target]
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=changed))):
            targets = [changed]
        case ast.Expr(value=ast.Call(func=ast.Name(id="setattr"), args=[changed, *_])):
            targets = [changed]
    while targets:
        match targets.pop():
            case ast.Name(id=name):
                names.add(name)
            case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Starred(value=inner):
                targets.append(inner)
            case ast.Call(func=inner):
                targets.append(inner)
            case ast.Tuple(elts=inner) | ast.List(elts=inner):
                targets += inner
    if not isinstance(statement, Definition | ast.ClassDef):
        names |= {n.target.id for n in all_parts(statement) if isinstance(n, ast.NamedExpr)}
    return names


def called_names(statement: ast.stmt) -> set[str]:
    """The names that a statement calls, unless it is a definition."""
    if isinstance(statement, Definition | ast.ClassDef):
        return set()
    calls = (n.func for n in all_parts(statement) if isinstance(n, ast.Call))
    return {func.id for func in calls if isinstance(func, ast.Name)}


def own_names(nodes: Iterable[ast.AST]) -> tuple[set[str], set[str]]:
    """The names that a function's body makes its own, and those that it declares not to be."""
    own: set[str] = set()
    shared: set[str] = set()
    waiting = [*nodes]
    while waiting:
        match node := waiting.pop():
            case ast.Name(id=name, ctx=context):
                if isinstance(context, ast.Store):
                    own.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                own.add(name)  # what is inside belongs to that function
            case ast.ClassDef(name=name):
                own.add(name)
            case ast.Lambda():
                pass
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                shared |= {*names}
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                own |= {a.asname or a.name.split(".")[0] for a in names}
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar() | ast.MatchMapping():
                own |= {n for f in ("name", "rest") if (n := getattr(node, f, None))}
                waiting += parts(node)
            case _:
                waiting += parts(node)
    return own, shared


def parts(node: ast.AST) -> list[ast.AST]:
    """The parts of a node that are evaluated."""
    found: list[ast.AST] = []
    for name in EVALUATED[type(node)]:
        part = getattr(node, name, None)
        if isinstance(part, ast.AST):
            found.append(part)
        elif isinstance(part, list):
            found += [inner for inner in part if isinstance(inner, ast.AST)]
    return found


def all_parts(node: ast.AST) -> Iterator[ast.AST]:
    """A node, its parts and all of theirs."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += parts(node)
