"""Leaves out the imports that nothing needs any more."""

import ast
from collections.abc import Mapping


def prune(trees: Mapping[str, ast.Module]) -> None:
    """In place. A module of ours is imported for its names only, so without them not at all."""
    packages = {module.partition(".")[0] for module in trees}
    for tree in trees.values():
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        _Prune(packages, used).visit(tree)


class _Prune(ast.NodeTransformer):
    def __init__(self, packages: set[str], used: set[str]) -> None:
        self._packages = packages
        self._used = used

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        if node.module is None or node.module.partition(".")[0] not in self._packages:
            return node
        node.names = [one for one in node.names if (one.asname or one.name) in self._used]
        return node if node.names else None
