"""What mpy-cross is given instead of a source: the same program, in less of a board's memory.

Every name and every string of a module stays on a board's heap for ever. So what only type
checkers read is left out, and private whole numbers become constants, which mpy-cross writes
where they are used. Lines keep their numbers.
"""

import ast

_TYPE_CHECKING = "TYPE_CHECKING"
_ARITHMETIC = (
    ast.Constant,
    ast.Name,
    ast.BinOp,
    ast.UnaryOp,
    ast.operator,
    ast.unaryop,
    ast.expr_context,
)


def for_boards(source: str) -> str:
    """The source of one module as boards compile it."""
    lines = source.splitlines()
    known: dict[str, int] = {}
    for node in ast.parse(source).body:
        instead = _instead(node, known)
        if instead is not None:
            first, last = node.lineno - 1, node.end_lineno or node.lineno
            lines[first:last] = [instead] + [""] * (last - first - 1)
    return "\n".join(lines) + "\n"


def _instead(node: ast.stmt, known: dict[str, int]) -> str | None:
    """The line in the place of a statement; None where it stays as it is."""
    if isinstance(node, ast.If):
        return "" if _is_named(node.test, _TYPE_CHECKING) and not node.orelse else None
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return None
    target, value = node.targets[0], node.value
    if _is_named(target, _TYPE_CHECKING):
        return ""
    numbers = _private_numbers(target, value, known)
    known.update(numbers)
    return "; ".join(f"{name} = const({number})" for name, number in numbers.items()) or None


def _private_numbers(target: ast.expr, value: ast.expr, known: dict[str, int]) -> dict[str, int]:
    """What `_A = 1` or `_A, _B = 1, 2` names; nothing where not all of it is that."""
    pairs = [(target, value)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = list(zip(target.elts, value.elts, strict=False))
    numbers: dict[str, int] = {}
    for name, number in pairs:
        worth = _whole_number(number, known | numbers)
        if not isinstance(name, ast.Name) or not name.id.startswith("_") or worth is None:
            return {}
        numbers[name.id] = worth
    return numbers


def _whole_number(value: ast.expr, known: dict[str, int]) -> int | None:
    """What an expression of whole numbers comes to."""
    for part in ast.walk(value):
        if not isinstance(part, _ARITHMETIC):
            return None
        if isinstance(part, ast.Name) and part.id not in known:
            return None
    found = eval(compile(ast.Expression(value), "", "eval"), {}, dict(known))  # noqa: S307
    return found if type(found) is int else None


def _is_named(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
