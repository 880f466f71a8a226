"""Runs first inside MicroPython: makes a board of it, then boot.py and main.py as a board does."""

import sys

import powered

runs_main = powered.start()
import sys  # the board's own, from here on

sys.stdout.write("\x00BOARD\x00")
del sys.modules["powered"], sys.modules["flash"], powered


def run(path):
    """One of the two files a board runs by itself; a fault in it ends in the REPL."""
    try:
        with open(path) as file:
            source = file.read()
    except OSError:
        return
    try:
        exec(compile(source, path, "exec"), globals())
    except SystemExit:
        sys.modules["host"].stop(0)  # firmware resets itself softly, and runs both again
    except (KeyboardInterrupt, Exception) as error:
        sys.print_exception(error)


run("/boot.py")
if runs_main:
    run("/main.py")
