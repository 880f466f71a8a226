"""Makes one class of the refusals that nobody tells apart: a class takes a board 400 bytes."""

import ast
from collections.abc import Iterator, Mapping


def merge(refusals: ast.Module, trees: Mapping[str, ast.Module]) -> None:
    """In place: a class of `refusals` that no `except` names is another name of its base."""
    caught = {name for tree in trees.values() for name in _caught(tree)}
    refusals.body = [_merged(one, caught) for one in refusals.body]
    ast.fix_missing_locations(refusals)


def _merged(statement: ast.stmt, caught: set[str]) -> ast.stmt:
    match statement:
        case ast.ClassDef(name=name, bases=[ast.Name(id=base)]) if name not in caught:
            if base != "Exception":
                return ast.Assign([ast.Name(name, ast.Store())], ast.Name(base, ast.Load()))
    return statement


def _caught(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is not None:
            yield from (one.id for one in ast.walk(node.type) if isinstance(one, ast.Name))
