"""Floats have 32 bits on boards: what runs there has none. This machine's would hide it."""

import ast
from pathlib import Path

from tests.interpreters import ROOT

ON_BOARDS = sorted([*ROOT.glob("protocol/*.py"), *ROOT.glob("device/**/*.py")])
NOT_ON_BOARDS = ("cpython.py",)
SHARES = {"device/endpoint.py": 1, "protocol/exchange.py": 1}  # the jitter, from 0 to 1


def floats_in(path: Path) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div))
        or (isinstance(node, ast.Call) and _name(node.func) in ("float", "time", "sleep"))
    ]


def _name(function: ast.expr) -> str:
    """Of `time.time` and `time.sleep`, which take or give seconds, the last part."""
    match function:
        case ast.Attribute(value=ast.Name(id="time"), attr=name) | ast.Name(id=name):
            return name
    return ""


def test_nothing_on_a_board_has_a_float_but_the_jitter():
    found = {str(path.relative_to(ROOT)): floats_in(path) for path in ON_BOARDS}

    wrong = {
        name: places
        for name, places in found.items()
        if len(places) > SHARES.get(name, 0) and not name.endswith(NOT_ON_BOARDS)
    }
    assert wrong == {}


def test_one_would_be_found():
    assert floats_in(ROOT / "device" / "board" / "cpython.py") != []
