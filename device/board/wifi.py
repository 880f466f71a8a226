"""Stays in a Wi-Fi network, for the boards that have `network.WLAN`. Knows each port's quirks.

Outages cost retransmissions, no data.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    import network

    from device.board.firmware import Firmware
    from device.shapes import Report, Tick

_CHECK_MS = 5000  # also how long a network has to stay, to count as joined
_JOIN_TIMEOUT_MS = 20_000
_POLL_MS = 200
_STALE_MS = 1000  # so long a status may be that of the attempt before
_PAUSE_MS = 1000
_LONGEST_PAUSE_MS = 60_000
_RESTART_AFTER = 4  # attempts in a row
# What `status` says, of the CYW43 (rp2) and of ESP-IDF (esp32): their numbers do not meet.
_FAULTS = {
    -3: "wrong password",
    -2: "no such network",
    -1: "refused",
    200: "lost",  # no beacons
    201: "no such network",
    202: "wrong password",
    203: "refused",
    204: "wrong password",  # a handshake that ends in a timeout
    210: "no such network",  # none with security that we know, or strong enough
    211: "no such network",
    212: "no such network",
}
_NO_ADDRESS = 2  # CYW43: joined, and DHCP has not answered; without a name in `network`
_ESP32_CONNECTING = 1001  # also while it waits for an address
_RP2_NO_POWER_SAVING = 0xA11140  # the radio's own saving loses incoming datagrams


def ready_rp2(wlan: "network.WLAN") -> None:
    """Forgotten when the radio restarts."""
    wlan.config(pm=_RP2_NO_POWER_SAVING)


def ready_esp32(wlan: "network.WLAN") -> None:
    """Without this it tries again by itself for ever, and never says why."""
    wlan.config(reconnects=0)


READY = {"rp2": ready_rp2, "esp32": ready_esp32}  # by the board's name


class Link:
    """`failures` counts attempts in a row that came to nothing. `ready` is for a radio just on."""

    def __init__(
        self,
        board: "Firmware",
        wlan: "network.WLAN",
        ready: "Callable[[network.WLAN], None]",
        tick: "Tick",
        report: "Report",
    ) -> None:
        self.failures = 0
        self._board = board
        self._wlan = wlan
        self._ready = ready
        self._tick = tick
        self._report = report

    async def stay(self, ssid: str, password: str, on_up: "Callable[[], None]") -> None:
        """For ever. Waits longer after each failure, and restarts the radio after some."""
        while True:
            fault = await self._join(ssid, password)
            if not fault:
                self._report("wifi", state="joined")
                on_up()
                fault = await self._settle()
            if not fault:
                self.failures = 0
                await self._watch()
                self._report("wifi", state="lost")
                continue
            await self._failed(fault)

    async def _failed(self, fault: str) -> None:
        pause_ms = min(_PAUSE_MS << min(self.failures, 6), _LONGEST_PAUSE_MS)
        self.failures += 1
        self._report("wifi", state=fault, wait_ms=pause_ms)
        if self.failures % _RESTART_AFTER == 0:
            await self._restart()
        await self._wait(pause_ms)

    async def _join(self, ssid: str, password: str) -> str:
        """Empty once there is an address, else what is wrong."""
        wlan = self._wlan
        try:
            wlan.active(True)
            self._ready(wlan)
            if wlan.isconnected():
                return ""
            wlan.disconnect()  # else a radio that is still busy with the last attempt refuses
            if wlan.status() in _FAULTS:
                await self._wait(_PAUSE_MS)
            wlan.connect(ssid, password)
            return await self._joined()
        except OSError:
            return "busy"

    async def _joined(self) -> str:
        waited_ms = 0
        while waited_ms < _JOIN_TIMEOUT_MS:
            if self._wlan.isconnected():
                return ""
            fault = _FAULTS.get(self._wlan.status(), "")
            if fault and waited_ms >= _STALE_MS:
                return fault
            await self._wait(_POLL_MS)
            waited_ms += _POLL_MS
        return "no IP" if self._wlan.status() in (_NO_ADDRESS, _ESP32_CONNECTING) else "no answer"

    async def _settle(self) -> str:
        """Some access points take a board in, and throw it out again at once."""
        for _ in range(_CHECK_MS // _POLL_MS):
            await self._wait(_POLL_MS)
            if not self._is_up():
                return "unsteady"
        return ""

    async def _watch(self) -> None:
        while self._is_up():
            await self._wait(_CHECK_MS)

    def _is_up(self) -> bool:
        try:
            return self._wlan.isconnected()
        except OSError:
            return False

    async def _restart(self) -> None:
        self._report("wifi", state="restarting")
        try:
            self._wlan.active(False)
        except OSError:
            pass  # the next attempt tells
        await self._wait(_PAUSE_MS)

    async def _wait(self, duration_ms: int) -> None:
        """Ticks all the while."""
        while duration_ms > 0:
            self._tick()
            await self._board.sleep_ms(min(duration_ms, _CHECK_MS))
            duration_ms -= _CHECK_MS
        self._tick()
