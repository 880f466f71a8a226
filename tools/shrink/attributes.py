"""Shortens the attributes that only one bundle uses: of its own classes, and of nothing else."""

import ast
import hashlib
import io
import select
import socket
from collections.abc import Iterator

from tools.shrink.names import short

_BUILT_IN = (bytes, bytearray, str, list, dict, tuple, int, memoryview, io.BytesIO, io.StringIO)
_OTHERS = (socket.socket, select.poll(), hashlib.sha256(), BaseException)
# What firmware has, and the library here has not.
_FIRMWARE = {
    "threshold",
    "mem_alloc",
    "sleep_ms",
    "ticks_ms",
    "ticks_diff",
    "value",
    "feed",
}


def shorten(whole: ast.Module, outside: list[ast.Module]) -> None:
    """In place; `outside` are the files that it meets on a board."""
    defined = sorted(_defined(whole))
    taken = _FIRMWARE | {name for one in (*_BUILT_IN, *_OTHERS) for name in dir(one)}
    for tree in outside:
        taken |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        taken |= set(_words(tree)) | set(_functions(tree))
    taken |= set(_words(whole)) | set(_of_modules(whole))
    fresh = (name for name in short("_") if name not in defined)
    names = {name: next(fresh) for name in defined if name not in taken and name[0] != "_"}
    for node in ast.walk(whole):
        if isinstance(node, ast.Attribute):
            node.attr = names.get(node.attr, node.attr)
        elif isinstance(node, ast.ClassDef):
            for one in node.body:
                if isinstance(one, ast.FunctionDef):
                    one.name = names.get(one.name, one.name)


def _defined(whole: ast.Module) -> set[str]:
    """Methods, and what is assigned on objects."""
    found = {
        node.attr
        for node in ast.walk(whole)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(whole):
        if isinstance(node, ast.ClassDef):
            found |= {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
    return found


def _words(tree: ast.Module) -> Iterator[str]:
    """Texts that may name an attribute, and keywords: the names of what takes them are kept."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg


def _functions(tree: ast.Module) -> Iterator[str]:
    return (node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _of_modules(whole: ast.Module) -> Iterator[str]:
    """Attributes of what is imported, as `name` in `sys.implementation.name`."""
    imported = {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(whole)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(whole):
        if isinstance(node, ast.Attribute):
            root: ast.expr = node
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id in imported:
                yield node.attr
