"""Leaves out the functions, methods and classes of a bundle that nobody names."""

import ast


def drop(whole: ast.Module, outside: list[ast.Module], kept: set[str]) -> None:
    """In place; again and again, for one may have been the only one to name another."""
    found = -1
    while found:
        named: set[str] = set().union(*[_named(tree) for tree in (whole, *outside)])
        found = 0
        classes = [one.body for one in whole.body if isinstance(one, ast.ClassDef)]
        for body in [whole.body, *classes]:
            dead = [
                one for one in body if _is_dead(one, named | kept if body is whole.body else named)
            ]
            found += len(dead)
            body[:] = [one for one in body if one not in dead] or [ast.Pass()]


def _is_dead(statement: ast.stmt, named: set[str]) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return statement.name not in named and not statement.name.startswith("__")
    return False


def _named(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                found.add(name)
            case ast.Constant(value=str() as word):
                found.add(word)
    return found
