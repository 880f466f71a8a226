"""`tallystick`: one program, one command a line. Errors name the next thing to type."""

import signal
import sys

from gateway.errors import DamagedError, FatalError, GatewayError
from tools.commands import program

WRONG, WRONG_USE = 1, 2


def main() -> None:
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        program(*sys.argv[1:2])()
    except FatalError as error:
        print(f"tallystick: {error}\n  fix: {error.fix}", file=sys.stderr)
        sys.exit(WRONG if isinstance(error, DamagedError) else WRONG_USE)
    except GatewayError as error:
        print(f"tallystick: {error}\n  fix: look at the disk, then try again", file=sys.stderr)
        sys.exit(WRONG_USE)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        print(
            f"tallystick: {name}{error.strerror or error}\n  fix: name a file that can be used so",
            file=sys.stderr,
        )
        sys.exit(WRONG_USE)


def _interrupt(number: int, frame: object) -> None:
    """Once: a second Ctrl-C must not stop a command from ending what it started."""
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _terminate(number: int, frame: object) -> None:
    """Ends like Ctrl-C does, so that what a command started ends with it."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
