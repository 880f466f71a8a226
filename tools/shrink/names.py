"""Gives the names of a device's files others, which every firmware has in its ROM already.

A board keeps each name in RAM for ever: the agent's own took it 14 KB. So a private name, and a
parameter that nobody passes by name, becomes one that is the same in every file; a public name
becomes one of its own. Locals have no name on a board. A traceback shows the new ones.
"""

import ast
import itertools
import keyword
import string
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from tools.shrink import meanings, rom

Trees = Mapping[str, ast.Module]
_TIER = 64
Function = ast.FunctionDef | ast.AsyncFunctionDef


def shorten(
    trees: Trees, asked_for: Collection[str], given: Mapping[str, str] | None = None
) -> dict[str, str]:
    """In place; what files outside ask for keeps its name, and `given` names are used as they are.

    Returns the public ones: old -> new.
    """
    given = given or {}
    fixed = meanings.fixed(trees) | set(asked_for)
    used = {module: meanings.used(tree) for module, tree in trees.items()}
    plan = _Plan(trees, used, {*fixed, *given, *rom.STATIC, *rom.OTHERS})
    taken = fixed.union(given.values(), *[attributes for _, attributes in used.values()])
    new = _spread(plan.names, taken.union(*[names for names, _ in used.values()]))
    new |= _spread(plan.attributes, taken.union(new.values()))
    for module, tree in trees.items():
        _Rename({name: new[label] for name, label in plan.private[module].items()}).visit(tree)
        for function, own in plan.parameters[module]:
            _RenameLocals({name: new[f"*{n}"] for n, name in enumerate(own)}).visit(function)
    public = {name: new[name] for name in plan.public} | dict(given)
    for tree in trees.values():
        _Rename(public).visit(tree)
    return public


class _Plan:
    """What is to have other names, and in how many files each of those would be.

    `names` are those that are written by themselves somewhere; `attributes` only after a dot, so
    they may be the same as a local's. The n-th private name of each module is one, as are the
    n-th parameters of all functions: `_0`, `.0` and `*0`.
    """

    def __init__(
        self, trees: Trees, used: Mapping[str, tuple[set[str], set[str]]], fixed: Collection[str]
    ) -> None:
        by_itself = set().union(*[names for names, _ in used.values()])
        defined = {module: meanings.defined(tree) - set(fixed) for module, tree in trees.items()}
        files = Counter(name for both in used.values() for name in both[0] | both[1])
        every = set().union(*defined.values())
        self.public = sorted(name for name in every if not name.startswith("_"))
        self.private: dict[str, dict[str, str]] = {}
        self.parameters = {module: list(_parameters(tree, fixed)) for module, tree in trees.items()}
        self.names = Counter({name: files[name] for name in self.public if name in by_itself})
        self.attributes = Counter({one: files[one] for one in self.public if one not in by_itself})
        families = _families(trees)
        for module in trees:
            family = families[module]
            own = {name for one in family for name in defined[one] if name.startswith("_")}
            names = set().union(*[used[one][0] for one in family])
            first = {name: f"_{n}" for n, name in enumerate(sorted(own & names))}
            second = {name: f".{n}" for n, name in enumerate(sorted(own - names))}
            self.names.update(list(first.values()))
            self.attributes.update(list(second.values()))
            self.private[module] = first | second
            most = max((len(own) for _, own in self.parameters[module]), default=0)
            self.names.update(f"*{place}" for place in range(most))


def _spread(wanted: Mapping[str, int], taken: Collection[str]) -> dict[str, str]:
    """A name that nobody has for each, the shorter ones for what is in the most files.

    In each tier by its hash, so that few others change, and few files, when one is new.
    """
    free = _free(rom.STATIC, taken)
    tiers = [len(free)]
    free += _free(sorted(rom.OTHERS, key=len), taken)
    if len(wanted) > len(free):  # the firmware has no more: these take a board memory
        free += itertools.islice(_invented(taken), len(wanted) - len(free))
    tiers += range(tiers[0] + _TIER, len(free), _TIER)
    ranked = sorted(wanted, key=lambda name: (-wanted[name], name))
    given: dict[str, str] = {}
    for first, last in zip([0, *tiers], [*tiers, len(free)], strict=True):
        given |= _placed(ranked[first:last], free[first:last])
    return given


def _free(names: Sequence[str], taken: Collection[str]) -> list[str]:
    return [name for name in names if name not in taken]


def _invented(taken: Collection[str]) -> Iterator[str]:
    for size in itertools.count(2):
        for letters in itertools.product(string.ascii_lowercase, repeat=size):
            name = "".join(letters)
            if name not in taken and not keyword.iskeyword(name):
                yield name


def _placed(names: Collection[str], places: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    left: list[str | None] = list(places)
    for name in sorted(names):
        at = zlib.crc32(name.encode()) % len(left)
        while left[at] is None:
            at = (at + 1) % len(left)
        given[name], left[at] = str(left[at]), None
    return given


def _families(trees: Trees) -> dict[str, set[str]]:
    """Each module with those that classes inherit from each other: they share private names."""
    families = {module: {module} for module in trees}
    for module, tree in trees.items():
        bases = {
            base.id
            for one in ast.walk(tree)
            if isinstance(one, ast.ClassDef)
            for base in one.bases
            if isinstance(base, ast.Name)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or not node.module or node.module not in trees:
                continue
            if bases & {alias.asname or alias.name for alias in node.names}:
                together = families[module] | families[node.module]
                families |= dict.fromkeys(together, together)
    return families


def _parameters(tree: ast.Module, fixed: Collection[str]) -> Iterator[tuple[Function, list[str]]]:
    """Each outermost function, and what it and those inside it take by place."""
    for function in outermost(tree.body):
        arguments = [node for node in ast.walk(function) if isinstance(node, ast.arguments)]
        kept = {"self", *fixed, *(one.arg for node in arguments for one in node.kwonlyargs)}
        found = dict.fromkeys(one.arg for node in arguments for one in node.args)
        yield function, [name for name in found if name not in kept]


def outermost(body: list[ast.stmt]) -> Iterator[Function]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield statement
        elif isinstance(statement, ast.ClassDef):
            yield from outermost(statement.body)


class _RenameLocals(ast.NodeTransformer):
    """Names as such, but no attributes."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def new(self, name: str) -> str:
        return self._names.get(name, name)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.new(node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self.new(node.arg)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.name = node.name and self.new(node.name)
        return self.generic_visit(node)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        node.names = [self.new(name) for name in node.names]
        return node

    def visit_Global(self, node: ast.Global) -> ast.AST:
        node.names = [self.new(name) for name in node.names]
        return node


class _Rename(_RenameLocals):
    """What others see, too: attributes, functions, classes and what is imported."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        node.attr = self.new(node.attr)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self.new(node.name)
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.name = self.new(node.name)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self.new(node.name)
        return self.generic_visit(node)

    def visit_alias(self, node: ast.alias) -> ast.AST:
        node.name = self.new(node.name)
        node.asname = node.asname and self.new(node.asname)
        return node
