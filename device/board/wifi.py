"""Stays in a Wi-Fi network, for the boards that have `network.WLAN`."""

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    import network

    from device.shapes import Tick

_CHECK_MS = 5000
_JOIN_TIMEOUT_MS = 20_000
_POLL_MS = 200


async def stay_joined(
    wlan: "network.WLAN", ssid: str, password: str, tick: "Tick", on_up: "Callable[[], None]"
) -> None:
    """Joins, and again whenever it is lost, for ever. Outages cost retransmissions, no data."""
    while True:
        tick()
        if not wlan.isconnected():
            await _join(wlan, ssid, password)
            if wlan.isconnected():
                on_up()
        await asyncio.sleep_ms(_CHECK_MS)


async def _join(wlan: "network.WLAN", ssid: str, password: str) -> None:
    try:
        wlan.active(True)
        wlan.disconnect()
        wlan.connect(ssid, password)
    except OSError:
        return  # a radio that is busy; tried again at the next check
    for _ in range(_JOIN_TIMEOUT_MS // _POLL_MS):
        if wlan.isconnected():
            return
        await asyncio.sleep_ms(_POLL_MS)
