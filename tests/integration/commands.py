"""Commands as a user types them, and how one is killed in the middle."""

import subprocess
import tempfile
import time
from collections.abc import Callable

from tests import warm

_LIMIT_S = 60


def tallystick(*arguments: object) -> subprocess.CompletedProcess[str]:
    """`tallystick ARGUMENTS…`, to its end; its errors are in `stderr`."""
    command = [str(argument) for argument in arguments]
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as errors:
        process = warm.command(command, said, errors)
        try:
            code = process.wait(_LIMIT_S)
        finally:
            process.kill()
        said.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(command, code, said.read(), errors.read())


def killed(*arguments: object, once: Callable[[], bool], after_s: float) -> bool:
    """Starts the command and kills it `after_s` after `once` holds; whether it was still there."""
    with open("/dev/null", "wb") as nowhere:
        process = warm.command([str(argument) for argument in arguments], nowhere, nowhere)
    deadline = time.monotonic() + _LIMIT_S
    while process.poll() is None and not once():
        assert time.monotonic() < deadline
    time.sleep(after_s)
    alive = process.poll() is None
    process.kill()
    process.wait(_LIMIT_S)
    return alive
