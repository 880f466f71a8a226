"""Commands as a user types them, and how one is killed in the middle."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

from tests.interpreters import ROOT

_LIMIT_S = 60


def tallystick(*arguments: object) -> subprocess.CompletedProcess[str]:
    """`tallystick ARGUMENTS…`, to its end; its errors are in `stderr`."""
    return subprocess.run(
        _command(arguments),
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )


def killed(*arguments: object, once: Callable[[], bool], after_s: float) -> bool:
    """Starts the command and kills it `after_s` after `once` holds; whether it was still there."""
    process = subprocess.Popen(
        _command(arguments),
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + _LIMIT_S
    while process.poll() is None and not once():
        assert time.monotonic() < deadline
    time.sleep(after_s)
    alive = process.poll() is None
    process.kill()
    process.wait(_LIMIT_S)
    return alive


def _command(arguments: tuple[object, ...]) -> list[str]:
    return [sys.executable, "-m", "tools", *map(str, arguments)]


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}
