"""Puts several modules into one: a module takes a board some 250 bytes, and three names.

Names at the top of what is joined get their module's before them, so that no two are the same.
"""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager

Trees = Mapping[str, ast.Module]
Names = Mapping[str, Mapping[str, str]]  # module -> its names at the top -> those they get


def join(trees: Trees, order: Iterable[str], names: Names) -> ast.Module:
    """The modules of `order`, which `names` has all, as one; changes their trees."""
    outside: dict[str, ast.stmt] = {}
    body: list[ast.stmt] = []
    bound: dict[str, str] = {}
    for module in order:
        for statement in _Join(names, {}, trees[module], module).visit(trees[module]).body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                outside[ast.unparse(statement)] = statement
                _check_bound(statement, bound)
            else:
                body.append(statement)
    return ast.fix_missing_locations(ast.Module([*outside.values(), *body], []))


def _check_bound(statement: ast.Import | ast.ImportFrom, bound: dict[str, str]) -> None:
    for alias in statement.names:
        own = alias.asname or alias.name
        source = f"{getattr(statement, 'module', '')}.{alias.name}"
        if bound.setdefault(own, source) != source:
            raise ValueError(f"{own} is {source} in one module, {bound[own]} in another")


def redirect(tree: ast.Module, names: Names, hosts: Mapping[str, str]) -> None:
    """In place: a file that was not joined finds what it imports in `hosts`, under its new name."""
    _Join(names, hosts, tree, "").visit(tree)
    ast.fix_missing_locations(tree)


def needed(trees: Trees, module: str) -> Iterator[str]:
    """What must be there before a module, and then itself; not what it imports when needed."""
    for node in trees[module].body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                for source in (f"{node.module}.{alias.name}", node.module or ""):
                    if source in trees and "." in source:
                        yield from needed(trees, source)
                        break
    yield module


def at_the_top(tree: ast.Module) -> list[str]:
    """The names that a module defines there, each once."""
    return list(dict.fromkeys(_defined(tree.body)))


def _defined(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        match statement:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                yield name
            case ast.Assign(targets=targets):
                for target in targets:
                    yield from (one.id for one in ast.walk(target) if isinstance(one, ast.Name))


def asked_for(trees: Trees, module: str) -> set[str]:
    """The names of `module` that these files use."""
    found: set[str] = set()
    for tree in trees.values():
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        aliases = [(node.module, one) for node in imports for one in node.names]
        found |= {one.name for source, one in aliases if source == module}
        own = {one.asname or one.name for s, one in aliases if f"{s}.{one.name}" == module}
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(value=ast.Name(id=name), attr=attr) if name in own:
                    found.add(attr)
    return found


class _Join(ast.NodeTransformer):
    """Renames in one module what it defines at the top, and what it imports of those joined."""

    def __init__(
        self, names: Names, hosts: Mapping[str, str], tree: ast.Module, module: str
    ) -> None:
        self._names = dict(names.get(module, {}))
        self._modules: dict[str, Mapping[str, str]] = {}  # what the module calls another -> names
        self._joined = names
        self._hosts = hosts
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    self._learn(node.module or "", alias)

    def _learn(self, source: str, alias: ast.alias) -> None:
        own, whole = alias.asname or alias.name, f"{source}.{alias.name}"
        if whole in self._joined:
            self._modules[own] = self._joined[whole]
        elif source in self._joined and not self._hosts:
            self._names[own] = self._joined[source][alias.name]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.stmt] | None:
        left = [one for one in node.names if self._is_left(node.module or "", one)]
        joined = [one for one in node.names if one not in left]
        node.names = left
        found: list[ast.stmt] = [node] if left else []
        if self._hosts:
            found += [self._redirected(node.module or "", one) for one in joined]
        return found

    def _is_left(self, source: str, alias: ast.alias) -> bool:
        return f"{source}.{alias.name}" not in self._joined and source not in self._joined

    def _redirected(self, source: str, alias: ast.alias) -> ast.stmt:
        own, whole = alias.asname or alias.name, f"{source}.{alias.name}"
        if whole in self._joined:
            package, _, name = self._hosts[whole].rpartition(".")
        else:
            package, name = self._hosts[source], self._joined[source][alias.name]
        return ast.ImportFrom(package, [ast.alias(name, None if name == own else own)], 0)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._names.get(node.id, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name):
            names = self._modules.get(node.value.id, {})
            if node.attr in names and self._hosts:
                node.attr = names[node.attr]
            elif node.attr in names:
                return ast.Name(names[node.attr], node.ctx)
        return self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.name = node.name and self._names.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> ast.AST:
        node.names = [self._names.get(name, name) for name in node.names]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        if node.col_offset == 0:
            node.name = self._names.get(node.name, node.name)
        hidden = {
            one.arg
            for arguments in ast.walk(node)
            if isinstance(arguments, ast.arguments)
            for one in (*arguments.args, *arguments.kwonlyargs)
        }
        with self._hiding(hidden):
            self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._names.get(node.name, node.name) if node.col_offset == 0 else node.name
        node.bases = [self.visit(one) for one in node.bases]
        own = set(_defined(node.body))  # attributes, whatever else has their name
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self._function(statement)
            else:
                with self._hiding(own):
                    self.visit(statement)
        return node

    @contextmanager
    def _hiding(self, hidden: Collection[str]) -> Iterator[None]:
        outer, modules = self._names, self._modules
        self._names = {name: new for name, new in outer.items() if name not in hidden}
        self._modules = {name: new for name, new in modules.items() if name not in hidden}
        yield
        self._names, self._modules = outer, modules
