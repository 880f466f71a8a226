"""Puts the numbers and short texts that modules call by a name where they are used.

Only what is written once, in capitals, at the top of a module, and is an integer or a word.
"""

import ast
import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping

Trees = Mapping[str, ast.Module]
Value = int | str
Scope = dict[str, Value]

_NAME = re.compile(r"_?[A-Z][A-Z0-9_]*")
_WORD = 16  # characters: a longer text is better kept once
_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.LShift: operator.lshift,
    ast.BitOr: operator.or_,
}


def inline(trees: Trees) -> None:
    """In place, definitions and all."""
    found: dict[str, Scope] = {module: {} for module in trees}
    learning = True
    while learning:  # a constant may be made of another module's
        learnt = [_learn(tree, found[module], found) for module, tree in trees.items()]
        learning = any(learnt)
    for module, tree in trees.items():
        tree.body = [left for one in tree.body if (left := _without(one, found[module]))]
        scope = _imported(tree, found) | found[module]
        _Inline(scope, _modules(tree, found)).visit(tree)
        ast.fix_missing_locations(tree)


def _learn(tree: ast.Module, own: Scope, found: Mapping[str, Scope]) -> bool:
    """Adds to `own` what is new; whether there was anything."""
    scope = _imported(tree, found) | own
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    written = Counter(node.id for node in names if isinstance(node.ctx, ast.Store))
    before = len(own)
    for statement in tree.body:
        for target, node in _definitions(statement):
            value = _value(node, scope)
            if value is not None and _NAME.fullmatch(target) and written[target] == 1:
                own[target] = scope[target] = value
    return len(own) > before


def _definitions(statement: ast.stmt) -> list[tuple[str, ast.expr]]:
    """Each name of `A, B = 1, 2` with its value."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return []
    target, value = statement.targets[0], statement.value
    if isinstance(target, ast.Name):
        return [(target.id, value)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = zip(target.elts, value.elts, strict=True)
        return [(name.id, one) for name, one in pairs if isinstance(name, ast.Name)]
    return []


def _value(node: ast.expr, scope: Scope) -> Value | None:
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() as number):
            return number
        case ast.Constant(value=str() as text) if len(text) <= _WORD:
            return text
        case ast.Name(id=name):
            return scope.get(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = _value(operand, scope)
            return -value if isinstance(value, int) else None
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            first, second = _value(left, scope), _value(right, scope)
            if isinstance(first, int) and isinstance(second, int):
                return _OPERATORS[type(op)](first, second)
    return None


def _imported(tree: ast.Module, found: Mapping[str, Scope]) -> Scope:
    """The constants that the module names after `from ... import`."""
    return {
        alias.asname or alias.name: found[node.module][alias.name]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module in found
        for alias in node.names
        if alias.name in found[node.module]
    }


def _modules(tree: ast.Module, found: Mapping[str, Scope]) -> dict[str, Scope]:
    """The modules of ours that the module has a name for."""
    return {
        alias.asname or alias.name: found[f"{node.module}.{alias.name}"]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if f"{node.module}.{alias.name}" in found
    }


def _without(statement: ast.stmt, own: Scope) -> ast.stmt | None:
    """What is left of a statement at the top when constants are gone."""
    defined = _definitions(statement)
    left = [(name, value) for name, value in defined if name not in own]
    if len(left) == len(defined):
        return statement
    return _assignment(left) if left else None


def _assignment(pairs: list[tuple[str, ast.expr]]) -> ast.stmt:
    targets: list[ast.expr] = [ast.Name(name, ast.Store()) for name, _ in pairs]
    values = [value for _, value in pairs]
    if len(pairs) == 1:
        return ast.Assign(targets, values[0])
    return ast.Assign([ast.Tuple(targets, ast.Store())], ast.Tuple(values, ast.Load()))


class _Inline(ast.NodeTransformer):
    def __init__(self, scope: Scope, modules: Mapping[str, Scope]) -> None:
        self._scope = scope
        self._modules = modules

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and node.id in self._scope:
            return ast.Constant(self._scope[node.id])
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name):
            constants = self._modules.get(node.value.id, {})
            if node.attr in constants:
                return ast.Constant(constants[node.attr])
        return self.generic_visit(node)
