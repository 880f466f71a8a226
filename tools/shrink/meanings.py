"""Which names mean something to others than a device's own files, and so stay as they are."""

import ast
from collections.abc import Iterator, Mapping

from tools.shrink import rom

Trees = Mapping[str, ast.Module]


def fixed(trees: Trees) -> set[str]:
    """Of modules, of firmware, of what is passed by name; and words, which may name an attribute.

    A word would not be spared by another name for an attribute: it is in memory anyway.
    """
    found = set(rom.ALSO_OURS)
    for module, tree in trees.items():
        found |= {*module.split("."), *_of_firmware(trees, tree)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.keyword) and node.arg:
                found.add(node.arg)
    return found


def used(tree: ast.Module) -> tuple[set[str], set[str]]:
    """What is written by itself, and what after a dot or in a class: two worlds of names."""
    names, attributes = set[str](), set(_functions(tree.body)) | set(_assigned(tree.body))
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name):
                attributes.add(name)
            case ast.Name(id=name) | ast.arg(arg=name) | ast.ExceptHandler(name=str() as name):
                names.add(name)
            case ast.ClassDef(name=name, body=body):
                names.add(name)
                attributes |= {*_functions(body), *_looked_up(body)}
            case ast.alias(name=name, asname=other):
                names |= {*name.split("."), other or ""}
                attributes |= {*name.split("."), other or ""}
    classes = [node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    methods = {id(one) for body in classes for one in body}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and id(node) not in methods:
            names.add(node.name)
    return names, attributes


def _looked_up(body: list[ast.stmt]) -> Iterator[str]:
    """What a class looks up while it is made: a method must not hide a decorator."""
    for statement in body:
        parts: list[ast.AST] = [statement]
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            defaults = [one for one in statement.args.kw_defaults if one is not None]
            parts = [*statement.decorator_list, *statement.args.defaults, *defaults]
        for part in parts:
            yield from (node.id for node in ast.walk(part) if isinstance(node, ast.Name))


def _functions(body: list[ast.stmt]) -> Iterator[str]:
    for one in body:
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield one.name


def defined(tree: ast.Module) -> set[str]:
    """Functions, classes, attributes, and what is assigned outside of functions."""
    found = set(_assigned(tree.body))
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.ClassDef(name=name, body=body):
                found |= {name, *_assigned(body)}
            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.alias(asname=str() as name):
                found.add(name)
    return {name for name in found if not name.startswith("__")}


def _assigned(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    yield node.id


def _of_firmware(trees: Trees, tree: ast.Module) -> Iterator[str]:
    """What is imported from modules that are not ours, and attributes of those."""
    packages = {module.partition(".")[0] for module in trees}
    imported = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                imported |= {one.asname or one.name.partition(".")[0] for one in names}
            case ast.ImportFrom(module=str() as module, names=names):
                if module.partition(".")[0] not in packages:
                    imported |= {one.asname or one.name for one in names}
    yield from imported
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _root(node) in imported:
            yield node.attr


def _root(node: ast.expr) -> str:
    """`network` of `network.WLAN.PM_NONE`."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
