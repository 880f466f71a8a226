"""What can be wrong with a board on a cable, each with the next thing to do about it."""

from gateway.errors import FatalError

AGAIN = "plug it in and run the same command again: it goes on where this one ended"


class BoardError(FatalError):
    """Nothing was lost; what is on the board is what a second run completes."""


class UnpluggedError(BoardError):
    """The port went away in the middle."""

    def __init__(self, port: str) -> None:
        super().__init__(f"the board on {port} was unplugged, or lost its power", AGAIN)


class SilentError(BoardError):
    """No answer within the limit, or one that does not end."""

    def __init__(self, port: str, doing: str, limit_s: float) -> None:
        super().__init__(
            f"the board on {port} did not finish {doing} within {limit_s:g} s",
            "press its reset button, or unplug it and plug it in again; then the same command",
        )


class RefusedError(BoardError):
    """What we ran on the board raised: `said` is its last line."""

    def __init__(self, doing: str, said: str) -> None:
        super().__init__(
            f"{doing} failed on the board: {said}",
            "see `tallystick repl`; if its files are damaged, install MicroPython anew",
        )
        self.said = said


class FullError(BoardError):
    """`why` is what does not fit."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"the board's flash is full: {why}",
            "remove files of yours with `mpremote rm :FILE`, or install MicroPython anew,"
            " which empties the flash",
        )
