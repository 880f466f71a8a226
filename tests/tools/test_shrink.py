"""What is shrunk does what it did: the device's own tests run it; here is what is taken away."""

import re
import sys

import pytest

from tools import shrink


def shrunk(text, **others):
    sources = {f"device/{name}.py": other for name, other in others.items()}
    return shrink.shrink({"device/one.py": text, **sources}, public=True)["device/one.py"]


def run(text, name="result"):
    space, loaded = {}, dict(sys.modules)
    try:
        exec(text, space)  # noqa: S102  # our own text
    finally:  # a file may stand in for others
        sys.modules.clear()
        sys.modules.update(loaded)
    return space[name]


def test_a_number_stands_where_its_name_did():
    text = "_SIZE = 4\nLIMIT = 2 * _SIZE + 1\nA, OTHER = -1, [LIMIT]\n"

    assert shrunk(text + "result = LIMIT, A\n") == "OTHER = [9]\nresult = (9, -1)\n"


def test_another_modules_number_needs_no_import():
    limits = "MOST = 1 << 10\n\ndef f():\n    pass\n"
    text = "from device import limits\nfrom device.limits import MOST, f\n"
    text += "result = MOST + limits.MOST\n"

    assert shrunk(text + "f()\n", limits=limits) == (
        "from device.limits import f\nresult = 1024 + 1024\nf()\n"
    )


@pytest.mark.parametrize(
    "text",
    ["N = 1\nN = 2\nresult = N\n", "FLAG = True\nresult = FLAG\n", "X = object\nresult = X\n"],
    ids=["written twice", "not a number", "not a constant"],
)
def test_what_is_no_constant_keeps_its_name(text):
    assert shrunk(text) == text


def test_private_names_are_short_and_public_ones_are_not():
    text = (
        "class Tank:\n    def __init__(self, level):\n        self._level = level\n"
        "    def read(self):\n        return _doubled(self._level)\n"
        "def _doubled(number):\n    return 2 * number\n"
        "result = Tank(4).read()\n"
    )

    small = shrunk(text)

    assert "_level" not in small
    assert "_doubled" not in small
    assert "def read(self)" in small
    assert run(small) == 8


def test_a_parameter_that_is_passed_by_name_anywhere_keeps_it():
    text = (
        "def f(size, *, count):\n    return size * count\ndef g(other, size):\n    return other\n"
    )

    small = shrunk(
        text + "result = f(2, count=3)\n", caller="from device import one\none.f(size=1)\n"
    )

    assert "def f(size, *, count)" in small
    assert re.search(r"def g\((?!other)\w+, size\)", small)
    assert run(small) == 6


def test_functions_inside_share_the_parameters_they_see():
    text = "def f(first):\n    def inner(second):\n        return first + second\n"
    text += "    return inner(2)\n"

    small = shrunk(text + "result = f(1)\n")

    assert "first" not in small
    assert run(small) == 3


def test_classes_that_inherit_across_files_do_not_meet_in_one_short_name():
    base = "class Base:\n    def __init__(self):\n        self._base = 1\n"
    text = (
        "from device.base import Base\nclass Heir(Base):\n    def __init__(self):\n"
        "        super().__init__()\n        self._own = 2\n"
    )

    both = shrink.shrink({"device/base.py": base, "device/one.py": text}, public=True)

    [of_base] = re.findall(r"self\.(\w+) =", both["device/base.py"])
    [own] = re.findall(r"self\.(\w+) =", both["device/one.py"])
    assert "_base" != of_base != own


def test_types_and_docstrings_are_gone():
    text = (
        '"""A module."""\nTYPE_CHECKING = False\nif TYPE_CHECKING:\n    from typing import Any\n'
        'class C:\n    """A class."""\n    field: int\n'
        'def f(a: "Any" = None) -> None:\n    """It."""\n'
    )

    assert re.fullmatch(r"class C:\n    pass\n\ndef f\(\w+=None\):\n    pass\n", shrunk(text))


def test_a_named_tuple_with_types_only_is_one_class():
    text = 'from x import namedtuple\nclass P(namedtuple("P", ("a",))):\n    a: int\n'

    assert shrunk(text) == "from x import namedtuple\nP = namedtuple('P', ('a',))\n"


def test_refusals_that_nobody_tells_apart_are_one_class():
    errors = (
        "class BaseError(Exception):\n    pass\nclass CaughtError(BaseError):\n    pass\n"
        "class OtherError(BaseError):\n    pass\n"
    )
    text = "from protocol.errors import CaughtError\ntry:\n    f()\nexcept CaughtError:\n    pass\n"

    both = shrink.shrink({"protocol/errors.py": errors, "device/one.py": text}, public=True)

    assert "OtherError = BaseError" in both["protocol/errors.py"]
    assert "class CaughtError" in both["protocol/errors.py"]


def test_the_small_profile_is_one_module_of_all_it_imports():
    sources = {
        "protocol/cbor.py": "class Decimal:\n    pass\ndef decimal(a):\n    return helper(a)\n"
        "def helper(a):\n    return a + 1\ndef nobody(a):\n    pass\n",
        "device/tank.py": "from protocol import cbor\nclass Tank:\n    def level(self, a):\n"
        "        return cbor.decimal(a)\n    def unused(self):\n        pass\n",
        "device/small.py": "from device.tank import Tank\ndef run():\n    return Tank().level(1)\n",
    }

    small = shrink.shrink(sources)["device/small.py"]

    for gone in ("Tank", "level", "helper", "nobody", "unused", "from "):
        assert gone not in small
    assert "def decimal" in small
    assert run("__name__ = 'sys'\n" + small + "result = run()\n") == 2


def test_of_a_refusal_the_class_is_left():
    errors = "class BadError(Exception):\n    pass\n"
    text = 'from protocol.errors import BadError\ndef f(a):\n    raise BadError(f"{a}!", 3)\n'

    both = shrink.shrink({"protocol/errors.py": errors, "device/one.py": text}, public=True)

    assert "raise BadError('', 3)" in both["device/one.py"]
