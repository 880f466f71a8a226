"""The house limits that no linter counts."""

import ast
import functools
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("protocol", "device", "gateway", "tools")
MODULES = sorted(path for folder in PACKAGES for path in (ROOT / folder).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MODULE_LINES, FUNCTION_LINES = 300, 40
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
PATCHED = re.compile(r"\bmock\." + r"patch\b|\bimport mock\b|unittest\." + r"mock")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def functions_of(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_there_is_something_to_look_at():
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(PACKAGES)


def test_a_module_says_what_it_is():
    silent = [path for path in MODULES if path.read_text() and not ast.get_docstring(parsed(path))]

    assert [named(path) for path in silent] == []


def test_functions_are_small():
    functions = {named(path): functions_of(parsed(path)) for path in MODULES}

    large = [
        f"{name}: {one.name}"
        for name, found in functions.items()
        for one in found
        if one.end_lineno - one.lineno >= FUNCTION_LINES
    ]

    assert large == []


def test_a_module_is_small():
    lines = {named(path): path.read_text().count("\n") for path in MODULES + TESTS}

    assert {name: count for name, count in lines.items() if count > MODULE_LINES} == {}


def test_nothing_is_left_unfinished_or_patched():
    sources = {named(path): path.read_text() for path in MODULES + TESTS}

    found = {
        name: UNFINISHED.findall(source) + PATCHED.findall(source)
        for name, source in sources.items()
    }

    assert {name: words for name, words in found.items() if words} == {}
