"""Makes one module of a program and all of ours that it imports, for boards where each one counts.

A module takes a board some 200 bytes, and each public name that only others of ours use as much
as a word. Names at the top become short, but for those that are kept.
"""

import ast
from collections.abc import Iterator, Mapping

from tools.shrink.names import short

Trees = Mapping[str, ast.Module]


def bundle(trees: Trees, program: str, kept: Mapping[str, tuple[str, ...]]) -> ast.Module:
    """`kept` is, of each module that files outside import, the names they may ask it for."""
    order = list(dict.fromkeys(_needed(trees, program)))
    names = _short_names(trees, order, kept)
    outside: dict[str, ast.stmt] = {}
    body: list[ast.stmt] = []
    for module in order:
        tree = _Joined(trees, names, module).visit(trees[module])
        for statement in tree.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                outside[ast.unparse(statement)] = statement
            else:
                body.append(statement)
    for module in kept:
        body += ast.parse(f"sys.modules[{module!r}] = sys.modules[__name__]").body
    whole = ast.Module([*ast.parse("import sys").body, *outside.values(), *body], [])
    return ast.fix_missing_locations(whole)


def _needed(trees: Trees, module: str) -> Iterator[str]:
    """What must be there before a module, and then itself; not what it imports when needed."""
    for node in trees[module].body:
        if isinstance(node, ast.ImportFrom):
            for source in _sources(trees, node):
                yield from _needed(trees, source)
    yield module


def _sources(trees: Trees, node: ast.ImportFrom) -> Iterator[str]:
    for alias in node.names:
        for source in (f"{node.module}.{alias.name}", node.module or ""):
            if source in trees and "." in source:
                yield source
                break


def _short_names(
    trees: Trees, order: list[str], kept: Mapping[str, tuple[str, ...]]
) -> dict[str, dict[str, str]]:
    fresh = short("_")
    return {
        module: {
            name: name if name in kept.get(module, ()) else next(fresh)
            for name in dict.fromkeys(_defined(trees[module]))
        }
        for module in order
    }


def _defined(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        match statement:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                for target in targets:
                    yield from (one.id for one in ast.walk(target) if isinstance(one, ast.Name))


class _Joined(ast.NodeTransformer):
    """Renames in one module what it defines at the top, and what it imports of the others."""

    def __init__(self, trees: Trees, names: Mapping[str, Mapping[str, str]], module: str) -> None:
        self._modules: dict[str, Mapping[str, str]] = {}
        self._names = dict(names[module])
        self._bundled = names
        for node in ast.walk(trees[module]):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    own = alias.asname or alias.name
                    if f"{node.module}.{alias.name}" in names:
                        self._modules[own] = names[f"{node.module}.{alias.name}"]
                    elif node.module and node.module in names:
                        self._names[own] = names[node.module][alias.name]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        node.names = [
            one
            for one in node.names
            if f"{node.module}.{one.name}" not in self._bundled and node.module not in self._bundled
        ]
        return node if node.names else None

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._names.get(node.id, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name):
            module = self._modules.get(node.value.id, {})
            if node.attr in module:
                return ast.Name(module[node.attr], ast.Load())
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        outer, modules = self._names, self._modules
        hidden = {
            one.arg
            for arguments in ast.walk(node)
            if isinstance(arguments, ast.arguments)
            for one in (*arguments.args, *arguments.kwonlyargs)
        }
        self._names = {name: new for name, new in outer.items() if name not in hidden}
        self._modules = {name: new for name, new in modules.items() if name not in hidden}
        self.generic_visit(node)
        self._names, self._modules = outer, modules
        node.name = outer.get(node.name, node.name) if node.col_offset == 0 else node.name
        node.body = node.body or [ast.Pass()]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._names.get(node.name, node.name)
        return self.generic_visit(node)
