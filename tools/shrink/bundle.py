"""Which modules a board gets as one: the small profile, whole; and what the agent loads together.

The small profile's file has all that it needs, and nothing that nobody calls; the parts stay
beside it for the agent. What the agent loads together is in one file only: whoever imports one of
its parts loads them all.
"""

import ast
import copy
from collections.abc import Collection, Mapping

from tools.shrink import dead, joining

Trees = Mapping[str, ast.Module]

SMALL = "device.small"
# What the small profile loads only when it is asked for; drivers ask it for _SHARED.
MEETS = ("device.sensors.", "device.band", "device.board.wiring")
_SHARED = {"protocol.cbor": ("Decimal", "decimal")}

# The file -> what is in it besides. Each is loaded, and forgotten, as a whole. Not here is what
# the small profile loads, too, when it is to choose or has failed: store, forgetting.
_TOGETHER = {
    "device.start": (
        "protocol.errors",
        "protocol.cbor",
        "protocol.senml",
        "device.config",
        "device.board.event",
        "device.board.firmware",
    ),
    "device.endpoint": (
        "protocol.mac",
        "protocol.cose",
        "protocol.envelope",
        "protocol.coap",
        "protocol.exchange",
        "device.clock",
        "device.supervisor",
    ),
    "device.agent": (
        "protocol.receipt_reader",
        "device.slot",
        "device.segments",
        "device.outbox",
        "device.packer",
        "device.sampler",
        "device.uplink",
    ),
    "device.config_file": ("device.config_checks", "device.config_sensors"),
    "device.signer": ("protocol.ecdsa", "protocol.sign1", "device.table"),
    "device.signing": ("device.keys", "device.table_file", "protocol.keypair"),
}


def small(trees: Trees) -> ast.Module:
    """The small profile and all that it imports, as one module."""
    trees = copy.deepcopy(dict(trees))
    order = list(dict.fromkeys(joining.needed(trees, SMALL)))
    names: dict[str, dict[str, str]] = {}
    for module in order:
        kept = ("run",) if module == SMALL else _SHARED.get(module, ())
        names[module] = {
            name: name if name in kept else f"_{module.replace('.', '_')}_{name}"
            for name in joining.at_the_top(trees[module])
        }
    outside = [trees[one] for one in trees if one.startswith(MEETS)]
    whole = joining.join(trees, order, names)
    _stand_in(whole, (SMALL, *_SHARED))
    dead.drop(whole, outside, {"run", *(name for one in _SHARED.values() for name in one)})
    return whole


def together(trees: dict[str, ast.Module]) -> None:
    """In place: what is loaded together is one module, and the others find it there."""
    files = {host: _members(trees, host) for host in _TOGETHER if host in trees}
    hosts = {member: host for host, members in files.items() for member in members}
    names: dict[str, dict[str, str]] = {}
    for member, host in hosts.items():
        others = {one: tree for one, tree in trees.items() if hosts.get(one) != host}
        names[member] = _named(trees[member], member, joining.asked_for(others, member))
    for host, members in files.items():
        whole = joining.join(trees, members, {one: names[one] for one in members})
        _stand_in(whole, [one for one in members if one in _SHARED])
        for member in members:
            del trees[member]
        trees[host] = whole
    for module, tree in trees.items():
        elsewhere = [one for one in hosts if hosts[one] != module]
        if module.startswith(MEETS):  # in the small profile, too, whose file has other names
            elsewhere = [one for one in elsewhere if one not in _SHARED]
        joining.redirect(tree, {one: names[one] for one in elsewhere}, hosts)


def _members(trees: Trees, host: str) -> list[str]:
    wanted = [one for one in (*_TOGETHER[host], host) if one in trees]
    found = dict.fromkeys(one for module in wanted for one in joining.needed(trees, module))
    return [module for module in found if module in wanted]


def _named(tree: ast.Module, module: str, asked_for: Collection[str]) -> dict[str, str]:
    """With the module's name before it, and private where no other file asks for it."""
    own = module.replace(".", "_")
    kept = _SHARED.get(module, ())
    return {
        name: name if name in kept else f"{own}_{name}" if name in asked_for else f"_{own}_{name}"
        for name in joining.at_the_top(tree)
    }


def _stand_in(whole: ast.Module, modules: Collection[str]) -> None:
    """Files that are not shrunk, such as an owner's driver, find `modules` in this one."""
    lines = [f"sys.modules[{module!r}] = sys.modules[__name__]" for module in modules]
    if lines:
        whole.body = [*ast.parse("import sys").body, *whole.body, *ast.parse("\n".join(lines)).body]
