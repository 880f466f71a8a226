"""Leaves out what nobody names of a bundle, and what nobody reads of its objects."""

import ast


def drop(whole: ast.Module, outside: list[ast.Module], kept: set[str]) -> None:
    """In place; again and again, for one may have been the only one to name another.

    `kept` are names at the top that others ask for.
    """
    found = -1
    while found:
        named: set[str] = set().union(*[_named(tree) for tree in (whole, *outside)])
        found = 0
        classes = [node.body for node in whole.body if isinstance(node, ast.ClassDef)]
        for body in [whole.body, *classes]:
            wanted = named | kept if body is whole.body else named
            left = [one for one in body if not _is_dead(one, wanted)]
            found += len(body) - len(left)
            body[:] = left or [ast.Pass()]
    _Unread(kept.union(*[_read(tree) for tree in (whole, *outside)])).visit(whole)


def _is_dead(statement: ast.stmt, named: set[str]) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return statement.name not in named and not statement.name.startswith("__")
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name not in named:
            return not any(isinstance(one, ast.Call) for one in ast.walk(value))
    return False


def _named(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name):
                found.add(name)
            case ast.alias(name=name) | ast.Global(names=[name]):
                found.add(name)
            case ast.Constant(value=str() as word):
                found.add(word)
    return found


class _Unread(ast.NodeTransformer):
    """Leaves out what is put into an attribute that nobody looks at, if it is a constant."""

    def __init__(self, read: set[str]) -> None:
        self._read = read

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        target = node.targets[0]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=True))
            left = [(to, value) for to, value in pairs if not self._is_dead(to, value)]
            target.elts, node.value.elts = [to for to, _ in left], [value for _, value in left]
            return node if left else None
        node.targets = [one for one in node.targets if not self._is_dead(one, node.value)]
        return node if node.targets else None

    def _is_dead(self, target: ast.expr, value: ast.expr) -> bool:
        if not isinstance(target, ast.Attribute) or not isinstance(value, ast.Constant):
            return False
        return target.attr not in self._read


def _read(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name, ctx=ast.Load()) | ast.Constant(value=str() as name):
                found.add(name)
            case ast.AugAssign(target=ast.Attribute(attr=name)) | ast.keyword(arg=str() as name):
                found.add(name)
    return found
