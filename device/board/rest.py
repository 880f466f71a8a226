"""Deep sleep, and what outlives it, of each port. Only devices that sleep load it."""

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.board.firmware import Firmware

_PIECE_MS = 4000  # half of what the watchdog of rp2, which nothing stops, can count


def of(board: "Firmware") -> "Rest":
    return {"rp2": Pico, "esp32": Esp32}.get(board.name, Rest)(board)


class Rest:
    """Of a program: who started it starts it again."""

    def __init__(self, board: "Firmware") -> None:
        self._board = board

    def deep_sleep(self, duration_ms: int) -> None:
        time.sleep_ms(duration_ms)  # all else has ended
        sys.exit(0)

    def woke_from_sleep(self) -> bool:
        return False

    def retained(self) -> bytes | None:
        return None

    def retain(self, data: bytes) -> None:
        """There is no memory for it."""

    def _radio_off(self) -> None:
        """A radio that is on wakes a board, or drains it."""
        wlan = getattr(self._board, "wlan", None)
        if wlan is not None:
            try:
                wlan.disconnect()
                wlan.active(False)
            except OSError:
                pass


class Esp32(Rest):
    def deep_sleep(self, duration_ms: int) -> None:
        import machine

        self._radio_off()
        machine.deepsleep(duration_ms)

    def woke_from_sleep(self) -> bool:
        return self._board.reset_cause() == "deep-sleep"

    def retained(self) -> bytes | None:
        import machine

        return machine.RTC().memory()

    def retain(self, data: bytes) -> None:
        import machine

        machine.RTC().memory(data)


class Pico(Rest):
    def deep_sleep(self, duration_ms: int) -> None:
        """As `machine.deepsleep` here: a light sleep, and a reset. In pieces, for the watchdog.

        That one takes no more than 71 minutes, and the watchdog would end it.
        """
        import machine

        self._radio_off()
        board = self._board
        feed = getattr(board, "feed", None)
        began, left_ms = board.ticks_ms(), duration_ms
        while left_ms > 0:
            if feed is not None:
                feed()
            machine.lightsleep(min(left_ms, _PIECE_MS))
            left_ms = duration_ms - board.ticks_diff(board.ticks_ms(), began)
        machine.reset()

    def woke_from_sleep(self) -> bool:
        """A reset of ours, or the watchdog's: the chip knows no more."""
        return self._board.reset_cause() not in ("power-on", "unknown")
