"""What started a board, in words. Asked once a start, and forgotten."""

from device.forgetting import forget

# as esp32 and rp2 number them; on rp2 `machine.reset` is the watchdog's work, too
_WORDS = ("unknown", "power-on", "hard", "watchdog", "deep-sleep", "soft")


def of() -> str:
    """As the firmware has it; "unknown" where it does not say."""
    forget("device.board.cause", "device.forgetting")
    try:
        import machine

        return _WORDS[machine.reset_cause()]
    except (ImportError, AttributeError, IndexError):  # a machine that is no board
        return _WORDS[0]
