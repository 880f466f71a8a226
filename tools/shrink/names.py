"""Shortens names that no other file uses: private ones, and parameters nobody passes by name.

Locals have no name on a board. Short names are the same in every file, so all of them together
cost a board less than one module's did. A traceback shows them; the file's name is right.
"""

import ast
import itertools
import string
from collections.abc import Iterator, Mapping


def shorten(trees: Mapping[str, ast.Module]) -> None:
    """In place."""
    by_name = {
        one.arg for tree in trees.values() for one in ast.walk(tree) if isinstance(one, ast.keyword)
    }
    families = _families(trees)
    for module, tree in trees.items():
        private = sorted(set().union(*[_private(trees[one]) for one in families[module]]))
        _Rename(dict(zip(private, short("_"), strict=False))).visit(tree)
        for function in _outermost(tree.body):
            parameters = [one for one in _parameters(function) if one not in by_name]
            _Rename(dict(zip(parameters, short(""), strict=False))).visit(function)


def short(prefix: str) -> Iterator[str]:
    """Names nobody writes: `_a`, `_b`, … or, of one capital letter, `A`, `B`, …"""
    letters = string.ascii_lowercase if prefix else string.ascii_uppercase
    for size in itertools.count(1):
        for name in itertools.product(letters, repeat=size):
            yield prefix + "".join(name)


def _families(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """Each module with those that classes inherit from each other: they share private names."""
    families = {module: {module} for module in trees}
    for module, tree in trees.items():
        bases = {
            base.id
            for one in ast.walk(tree)
            if isinstance(one, ast.ClassDef)
            for base in one.bases
            if isinstance(base, ast.Name)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or not node.module or node.module not in trees:
                continue
            if bases & {alias.asname or alias.name for alias in node.names}:
                together = families[module] | families[node.module]
                families |= dict.fromkeys(together, together)
    return families


def _private(tree: ast.Module) -> set[str]:
    """The names starting with one underscore that this module itself defines."""
    defined: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                defined.add(name)
            case ast.ClassDef(name=name):
                defined.add(name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                defined.add(name)
    return {name for name in defined if name.startswith("_") and name.strip("_") == name[1:] != ""}


def _outermost(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield statement
        elif isinstance(statement, ast.ClassDef):
            yield from _outermost(statement.body)


def _parameters(function: ast.stmt) -> list[str]:
    """Those that may be passed by place, of the functions inside as well, each once."""
    found = [
        one.arg
        for node in ast.walk(function)
        if isinstance(node, ast.arguments)
        for one in node.args
    ]
    kept = {
        one.arg
        for node in ast.walk(function)
        if isinstance(node, ast.arguments)
        for one in node.kwonlyargs
    }
    return [name for name in dict.fromkeys(found) if name != "self" and name not in kept]


class _Rename(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def _new(self, name: str) -> str:
        return self._names.get(name, name)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._new(node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._new(node.arg)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        # a parameter has no underscore, an attribute that is renamed has
        if node.attr.startswith("_"):
            node.attr = self._new(node.attr)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self._new(node.name)
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.name = self._new(node.name)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._new(node.name)
        return self.generic_visit(node)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        node.names = [self._new(name) for name in node.names]
        return node

    def visit_Global(self, node: ast.Global) -> ast.AST:
        node.names = [self._new(name) for name in node.names]
        return node
