"""Makes the sources of a device small before they are compiled; what they do stays the same.

A board keeps every name and every module-level number in RAM for ever: of what the agent takes,
that was a fifth. So types, messages that nobody on a board reads, and names that no other file
uses never get there. Sources and results are texts by path, as `device/uplink.py`.
"""

import ast
import copy
from collections.abc import Mapping

from tools.shrink import attributes, bundle, constants, dead, errors, imports, names, types

_SMALL = "device.small"
# what `device.main`, and drivers, ask it for
_ASKED_FOR = {"device.small": ("run",), "protocol.cbor": ("Decimal", "decimal")}

# Drivers, and what the small profile loads only when it is asked for.
_MEETS = ("device.sensors.", "device.band", "device.board.wiring")


def shrink(sources: Mapping[str, str]) -> dict[str, str]:
    """All files of a device at once: what may be renamed depends on all of them."""
    trees = {module_of(path): ast.parse(text) for path, text in sources.items()}
    refusals = trees.get("protocol.errors", ast.Module([], []))
    for tree in trees.values():
        types.strip(tree, errors=_classes(refusals))
    errors.merge(refusals, trees)
    constants.inline(trees)
    imports.prune(trees)
    names.shorten(trees)
    if _SMALL in trees:
        whole = bundle.bundle(copy.deepcopy(trees), _SMALL, _ASKED_FOR)
        outside = [trees[one] for one in trees if one.startswith(_MEETS)]
        dead.drop(whole, outside, kept={name for asked in _ASKED_FOR.values() for name in asked})
        attributes.shorten(whole, outside)
        trees[_SMALL] = whole
    return {path: ast.unparse(trees[module_of(path)]) + "\n" for path in sources}


def module_of(path: str) -> str:
    """`device.uplink` for device/uplink.py, `device` for device/__init__.py."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _classes(tree: ast.Module) -> set[str]:
    return {one.name for one in tree.body if isinstance(one, ast.ClassDef)}
