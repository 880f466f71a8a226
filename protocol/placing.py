"""Placing: when a device without a clock measured, once its clock is known (wire-format §3.2).

For readers, who have a pack with Unix times and an earlier one, of the same epoch, without.
"""

from protocol import resolve
from protocol.limits import RELATIVE_TIME_MS
from protocol.senml import Reading

_UPTIME = "/uptime"


def start_ms(device: str, readings: list[Reading]) -> int | None:
    """Unix ms at which the uptime of `device` was 0; None where the pack does not say it."""
    for reading in readings:
        uptime_ms = _uptime_ms(device, reading)
        if uptime_ms is not None and reading.time_ms >= RELATIVE_TIME_MS:
            return reading.time_ms - uptime_ms
    return None


def sealed_ms(device: str, readings: list[Reading], began_ms: int) -> int | None:
    """Unix ms at which the pack was sealed, which `resolve.absolute_ms` takes as now.

    `began_ms` is the `start_ms` of a pack of the same epoch; None where this one has no uptime.
    """
    for reading in readings:
        uptime_ms = _uptime_ms(device, reading)
        if uptime_ms is not None:
            return began_ms + uptime_ms
    return None


def _uptime_ms(device: str, reading: Reading) -> int | None:
    if reading.name != device + _UPTIME or reading.unit != "s":
        return None
    return resolve.milliseconds(reading.value)
