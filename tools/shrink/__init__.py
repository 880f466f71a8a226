"""Makes the sources of a device small before they are compiled; what they do stays the same.

A board keeps every name and every module-level number in RAM for ever: of what the agent takes,
that was a fifth. So types and messages that nobody on a board reads never get there, names are
ones that its firmware has anyway, and what is loaded together is one file. Sources and results
are texts by path, as `device/uplink.py`.
"""

import ast
from collections.abc import Mapping

from tools.shrink import bundle, constants, errors, imports, meanings, names, types

Trees = Mapping[str, ast.Module]

# What whoever is not compiled with the files asks them for: selectors of older releases, the
# tools, drivers and programs of the owner's. Without names it is all that is public there.
_ASKED_FOR: dict[str, tuple[str, ...]] = {
    "device.slots": (),
    "device.slot_start": (),
    "device.main": ("main", "is_trial"),
    "device.enrol": ("make_key",),
    "device.sensors": ("KEYS", "Sensor"),
    "device.board": ("wiring", "temperature", "random_bits", "random_bytes"),
    "device.board.wiring": (),
    "device.resources": (),
    "device.fetching": (),
    "device.observing": (),
    "protocol.cbor": ("Decimal", "decimal", "mantissa", "exponent"),
}
# What an owner's programs and drivers call, by place or by name.
_OWNERS = ("device.board.wiring", "device.resources", "device.fetching", "device.observing")


def shrink(sources: Mapping[str, str], *, public: bool = False) -> dict[str, str]:
    """All files of a device at once: what may be renamed depends on all of them.

    Where `public`, all public names stay, for files that are not shrunk and use them.
    """
    trees = {module_of(path): ast.parse(text) for path, text in sources.items()}
    refusals = trees.get("protocol.errors", ast.Module([], []))
    for module, tree in trees.items():
        of_ours = (
            {"TypeError"} if module.startswith("protocol.") else set()
        )  # a bug, nobody's input
        types.strip(tree, errors=_classes(refusals) | of_ours)
    errors.merge(refusals, trees)
    constants.inline(trees)
    imports.prune(trees)
    if public:
        names.shorten(trees, _public(trees))
    else:
        _shorten(trees)
    texts = {module: ast.unparse(tree) + "\n" for module, tree in trees.items()}
    return {path: texts[module_of(path)] for path in sources if module_of(path) in texts}


def _shorten(trees: dict[str, ast.Module]) -> None:
    asked_for = _asked_for(trees)
    small = bundle.small(trees) if bundle.SMALL in trees else None
    trees.pop(bundle.SMALL, None)  # nobody asks for more of it than `run`
    bundle.together(trees)
    met = {name for one in trees if one.startswith(bundle.MEETS) for name in _used(trees[one])}
    new = names.shorten(trees, asked_for)
    if small is not None:
        given = {name: new[name] for name in met if name in new}
        names.shorten({bundle.SMALL: small}, asked_for, given)
        trees[bundle.SMALL] = small


def _used(tree: ast.Module) -> set[str]:
    return set().union(*meanings.used(tree))


def _asked_for(trees: Trees) -> set[str]:
    found: set[str] = set()
    for module, asked in _ASKED_FOR.items():
        found |= set(asked) or _public({one: trees[one] for one in trees if one == module})
    for module in _OWNERS:
        found |= _passed(trees[module]) if module in trees else set()
    return found


def _public(trees: Trees) -> set[str]:
    defined = set().union(*[meanings.defined(tree) for tree in trees.values()])
    return {name for name in defined if not name.startswith("_")}


def _passed(tree: ast.Module) -> set[str]:
    """What public functions take, but for those that take one thing: nobody names that."""
    found: set[str] = set()
    for function in names.outermost(tree.body):
        own = [one.arg for one in function.args.args if one.arg != "self"]
        if len(own) > 1 and (not function.name.startswith("_") or function.name == "__init__"):
            found |= set(own)
    return found


def module_of(path: str) -> str:
    """`device.uplink` for device/uplink.py, `device` for device/__init__.py."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _classes(tree: ast.Module) -> set[str]:
    return {one.name for one in tree.body if isinstance(one, ast.ClassDef)}
