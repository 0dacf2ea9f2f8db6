"""Which names of the module some Python code binds, and which it uses."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from symtable import Symbol, SymbolTable, symtable


def use_before(statement: ast.stmt, used: set[str]) -> None:
    """Change the set of names that are used after a statement to those that are used before it."""
    if isinstance(statement, ast.For | ast.If):
        head = statement.iter if isinstance(statement, ast.For) else statement.test
        target = statement.target if isinstance(statement, ast.For) else None
        inside = _used_in(statement.body) - (_names(target) if target else set())
        used |= inside | _used_in(statement.orelse) | read_names(ast.Expr(head))
        return
    if not isinstance(statement, ast.While | ast.With | ast.Try | ast.AugAssign):
        used -= bound_names(statement)
    used |= read_names(statement)


def bound_names(statement: ast.stmt) -> set[str]:
    """The names of the module that a statement may bind."""
    return {
        name.get_name()
        for name in _table(statement).get_symbols()
        if name.is_assigned() or name.is_imported() or name.is_namespace()
    }


def read_names(statement: ast.stmt) -> set[str]:
    """The names of the module that a statement reads, at once or in a function that it defines."""
    augmented = bound_names(statement) if isinstance(statement, ast.AugAssign) else set()
    return {
        name.get_name() for name in _global(_table(statement)) if name.is_referenced()
    } | augmented


def _used_in(block: list[ast.stmt]) -> set[str]:
    used: set[str] = set()
    for statement in reversed(block):
        use_before(statement, used)
    return used


def _table(statement: ast.stmt) -> SymbolTable:
    return symtable(ast.unparse(statement), "cell", "exec")


def _global(table: SymbolTable) -> Iterator[Symbol]:
    """The symbols of the module in a table and in those of the functions inside it."""
    for symbol in table.get_symbols():
        if table.get_type() == "module" or symbol.is_global():
            yield symbol
    for child in table.get_children():
        yield from _global(child)


def _names(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
