"""Which files a board gets: what is loaded together is one."""

import pytest

from tests.tools.test_shrink_names import run
from tools import shrink
from tools.shrink import bundle, joining

CONFIG = "_KEPT = []\nclass Full(Exception):\n    pass\ndef save(what):\n    _KEPT.append(what)\n"
START = (
    "from device import config\nfrom device.config import Full\ndef main(save):\n"
    "    try:\n        config.save(save)\n        raise Full('no')\n"
    "    except Full as error:\n        return [error.args, config._KEPT]\n"
)
OUTSIDE = (
    "from device import start, config\nfrom device.config import save as keep\nkeep(2)\n"
    "result = start.main(1)\n"
)


def shrunk(**files):
    return shrink.shrink({f"device/{name}.py": text for name, text in files.items()})


def test_what_is_loaded_together_is_one_file_that_others_find_it_in():
    files = shrunk(config=CONFIG, start=START, one=OUTSIDE)

    assert list(files) == ["device/start.py", "device/one.py"]
    assert [["no"], [2, 1]] in [
        [list(found[0]), found[1]] for found in run(files).values() if isinstance(found, list)
    ]


def test_two_modules_may_have_a_name_each_for_themselves():
    config = "_a = [1]\ndef read():\n    return _a\n"
    start = "from device import config\n_a = [2]\ndef main(read):\n    return config.read() + _a\n"

    files = shrunk(config=config, start=start, one="from device import start\nx = start.main(0)\n")

    assert [1, 2] in run(files).values()


def test_a_classes_attribute_is_not_the_function_of_the_same_name():
    config = "def name():\n    return 1\nclass Tank:\n    name = 'tank'\n    def read(self):\n"
    config += "        return self.name, name()\n"
    start = "from device.config import Tank\ndef main():\n    return Tank().read()\n"

    files = shrunk(config=config, start=start, one="from device import start\nx = start.main()\n")

    assert ("tank", 1) in run(files).values()


def test_one_name_for_two_imports_is_refused():
    config = "from time import sleep as wait\ndef save():\n    wait(1)\n"
    start = "from machine import idle as wait\nfrom device import config\ndef main():\n    wait()\n"

    with pytest.raises(ValueError, match=r"wait is .*idle in one module"):
        shrunk(config=config, start=start)


def test_what_nobody_names_or_reads_is_not_in_the_small_profile():
    text = (
        "SPARE = [1]\nclass Used:\n    def __init__(self):\n        self.read, self.spare = 1, 2\n"
        "        self.other = 3\n        self.made = run()\n    def never(self):\n        pass\n"
        "def run():\n    return Used().read\n"
    )

    small = shrunk(small=text)["device/small.py"]

    assert "[1]" not in small
    assert "(1, 2)" not in small
    assert "= 3" not in small
    assert small.count("def ") == 2
    assert " = run()" in small


def test_a_module_comes_after_what_it_needs():
    from ast import parse

    trees = {
        "device.a": parse("from device.b import f\n"),
        "device.b": parse("def f():\n    from device import a\n"),
    }

    assert list(joining.needed(trees, "device.a")) == ["device.b", "device.a"]
    assert bundle.SMALL not in trees
