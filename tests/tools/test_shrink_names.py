"""Names of a device's files on a board: whose they become, and which stay as they are."""

import ast
import subprocess

import pytest

from tests.interpreters import ROOT, environment, micropython
from tools import shrink
from tools.board import program
from tools.shrink import meanings, names, rom

FIRMWARE = {*rom.STATIC, *rom.OTHERS}
STUBS = [ROOT / "typings", ROOT / "typings-esp32"]
TANK = (
    "class Tank:\n    size = 3\n    def __init__(self, level):\n        self.level = level\n"
    "        self._seen = 0\n    def pour(self, amount):\n        self.level += amount\n"
    "        self._seen += 1\n        return self._seen\ndef largest(tanks):\n"
    "    found = [tank.level for tank in tanks]\n    return max(found)\n"
)
USER = (
    "from device.tank import Tank, largest\nfrom device import tank as tanks\n"
    "one = Tank(4)\none.pour(2)\nresult = largest([one]), tanks.Tank.size, one.pour(1)\n"
)


def run(sources):
    """The names of the last of these modules, after all were run in order."""
    import sys
    import types

    packages = {"device": types.ModuleType("device")}
    saved = dict(sys.modules)
    try:
        for path, text in sources.items():
            name = shrink.module_of(path)
            module = packages[name] = types.ModuleType(name)
            sys.modules |= packages
            setattr(packages["device"], name.partition(".")[2], module)
            exec(text, module.__dict__)  # noqa: S102  # our own text
    finally:
        sys.modules.clear()
        sys.modules.update(saved)
    return module.__dict__


@pytest.fixture(scope="module")
def board_files():
    """What a board gets, before it is compiled: text by path."""
    return shrink.shrink({one: (ROOT / one).read_text() for one in program.needed("rp2")})


def words(text):
    return set(text.replace(".", " ").replace("(", " ").replace(":", " ").split())


def test_names_of_ours_are_firmwares_in_each_file_and_it_does_the_same():
    both = shrink.shrink({"device/tank.py": TANK, "device/one.py": USER})

    told = {name for text in both.values() for name in words(text)}
    print(told)
    assert not told & {"Tank", "largest", "pour", "level", "_seen", "amount", "result"}
    new = names.shorten({"device.one": ast.parse(USER), "device.tank": ast.parse(TANK)}, ())
    assert set(new.values()) <= FIRMWARE
    assert run(both)[new["result"]] == (6, 3, 2)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("def f(o):\n    return getattr(o, 'level')\nclass C:\n    level = 1\n", "level"),
        ("def f(*, size):\n    return size\nf(size=1)\nclass C:\n    size = 1\n", "size"),
        ("import machine\nclass C:\n    ADC = machine.ADC\n", "ADC"),
        ("class C:\n    def __len__(self):\n        return 1\n", "__len__"),
        ("class C:\n    def unique_id(self):\n        return 1\n", "unique_id"),
        ("class C:\n    def close(self):\n        return 1\n", "close"),
        ("from device import tank\nclass C:\n    tank = 1\n", "tank"),
    ],
    ids=["a word", "passed by name", "imported", "special", "firmware's", "in ROM", "a module's"],
)
def test_what_means_something_to_others_stays(text, kept):
    both = shrink.shrink({"device/tank.py": TANK, "device/one.py": text})

    tree = ast.parse(both["device/one.py"])
    [made] = [one for one in tree.body if isinstance(one, ast.ClassDef)]
    defined = meanings.defined(ast.Module([made], []))
    assert kept in defined | {one.name for one in made.body if isinstance(one, ast.FunctionDef)}


def test_a_local_is_not_hidden_by_what_a_name_became():
    free = "data"  # of firmware; here it is a local, too
    text = f"def helper(a):\n    return a\ndef f(a):\n    {free} = helper(a)\n    return {free}\n"

    small = shrink.shrink({"device/one.py": text + "result = f(3)\n"})["device/one.py"]

    assert 3 in run({"device/one.py": small}).values()


def test_one_new_name_changes_few_others():
    many = "".join(f"class C{n}:\n    pass\n" for n in range(60))

    before = names.shorten({"device.one": ast.parse(many)}, ())
    after = names.shorten({"device.one": ast.parse(many + "class New:\n    pass\n")}, ())

    assert sum(before[name] != after[name] for name in before) < 20


def test_names_are_new_ones_where_the_firmware_has_no_more():
    many = "".join(f"class C{n}:\n    pass\n" for n in range(len(FIRMWARE) + 10))

    new = names.shorten({"device.one": ast.parse(many)}, ())

    assert len(set(new.values())) == len(new)
    assert 0 < len(set(new.values()) - FIRMWARE) <= 40


def test_each_of_the_names_is_in_the_roms_of_this_firmware(tmp_path):
    """Names are kept in pools; what is in ROM adds none to those in RAM."""
    tell = "import micropython\nmicropython.qstr_info()\n"
    script = "class C:\n    pass\n" + tell + "".join(f"C.{name} = 1\n" for name in FIRMWARE) + tell
    path = tmp_path / "names.py"
    path.write_text(script)

    told = subprocess.run(
        [micropython(), "-X", "heapsize=4M", str(path)],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()

    # of both, for the whole file was read before its first line ran
    before, after = [int(line.split("n_qstr=")[1].split(",")[0]) for line in told]
    assert before == after < 20


@pytest.mark.parametrize(
    ("file", "function", "passed"),
    [
        ("device/resources.py", "put", ["path", "content", "content_format"]),
        ("device/resources.py", "get", ["path", "most_bytes"]),
        ("device/fetching.py", "Fetch", ["asker", "path", "write", "at", "etag", "most_bytes"]),
        ("device/observing.py", "Observation", ["board", "clock", "protected", "path", "heard"]),
        ("device/board/wiring.py", "i2c", ["bus", "sda", "scl"]),
    ],
)
def test_a_program_on_the_board_may_pass_by_name(file, function, passed, board_files):
    found = [
        node.body[0] if isinstance(node, ast.ClassDef) else node
        for node in ast.walk(ast.parse(board_files[file]))
        if getattr(node, "name", "") == function
    ]

    assert [one.arg for one in found[0].args.args if one.arg != "self"] == passed


def test_no_name_that_a_boards_objects_have_becomes_another():
    if not all((stubs / ".made").exists() for stubs in STUBS):
        pytest.skip("no stubs of the firmwares here: make check gets them")
    sources = [ROOT / path for port in ("rp2", "esp32") for path in program.needed(port)]
    trees = {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in sources}
    ours = {name for tree in trees.values() for name in meanings.defined(tree)}
    ours = {name for name in ours if name[0] != "_"} - meanings.fixed(trees) - FIRMWARE

    theirs: set[str] = set()
    for module in ("machine", "network", "esp32", "rp2", "socket", "asyncio", "cryptolib", "dht"):
        for path in (path for stubs in STUBS for path in stubs.rglob(f"{module}*/**/*.pyi")):
            theirs |= meanings.defined(ast.parse(path.read_text()))

    assert len(theirs) > 200
    assert ours & theirs == set(), "add them to rom.ALSO_OURS, or they may be renamed on a board"
