"""The house limits that no linter counts."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("protocol", "device", "gateway", "tools")
MODULES = sorted(path for folder in PACKAGES for path in (ROOT / folder).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MODULE_LINES, FUNCTION_LINES = 300, 40
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
PATCHED = re.compile(r"\bmock\." + r"patch\b|\bimport mock\b|unittest\." + r"mock")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions_of(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_there_is_something_to_look_at():
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(PACKAGES)


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_says_what_it_is(path):
    source = path.read_text()

    assert not source or ast.get_docstring(ast.parse(source))


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_functions_are_small(path):
    functions = functions_of(ast.parse(path.read_text()))

    assert [f.name for f in functions if f.end_lineno - f.lineno >= FUNCTION_LINES] == []


@pytest.mark.parametrize("path", MODULES + TESTS, ids=named)
def test_a_module_is_small(path):
    assert path.read_text().count("\n") <= MODULE_LINES


@pytest.mark.parametrize("path", MODULES + TESTS, ids=named)
def test_nothing_is_left_unfinished_or_patched(path):
    source = path.read_text()

    assert UNFINISHED.findall(source) == []
    assert PATCHED.findall(source) == []
