"""The agent of the smallest boards: one loop, and no asyncio. Chosen by `"small": true`.

It seals with MACs only; speaks no OSCORE, no blocks and no observations; is not configured,
commanded or updated over the network, and reads its config.json unchecked: whoever wrote it has
checked it. The outbox, the counter, the sampler and all bytes are those of every other device.
"""

import sys

from device import counter
from device.board.small import Board, Udp
from device.clock import Clock
from device.config import Config, SensorConfig
from device.outbox import Outbox
from device.packer import Packer
from device.sampler import Sampler
from protocol import envelope, receipt_reader
from protocol.envelope import DOWN, UP
from protocol.errors import ProtocolError
from protocol.limits import MAX_RETRANSMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from device.shapes import Report

_WATCHDOG_MS = 8000
_LONGEST_WAIT_MS = 2000
_MAX_BACKOFF_MS = 60_000
_REFUSALS_BEFORE_QUARANTINE = 8
_REFUSED = (0x80, 0x89, 0x8D, 0x8F)  # 4.00, 4.09, 4.13, 4.15
_REOPEN_AFTER = 3
_RING_BYTES = 1024
_OUTBOX_BYTES = 16_384
_ANSWER_BYTES = 200
# CoAP (RFC 7252 §3): version 1 and a token of four bytes; POST; Uri-Path "r", Content-Format 17
_CON, _ACK, _RST = 0x40, 0x60, 0x70
_POST, _CHANGED = 2, 0x44
_OPTIONS = b"\xb1r\x11\x11\xff"


def settings_of(fields: "dict[str, Any]") -> Config:
    """The configuration that config.json spells; KeyError or ValueError where it does not."""
    device = str(fields["name"])
    sensors = [_sensor(one) for one in fields["sensors"]]
    config = Config(device, bytes.fromhex(str(fields["secret"])), sensors)
    config.host, _, port = str(fields["gateway"]).rpartition(":")
    config.port = int(port)
    config.outbox_bytes = _OUTBOX_BYTES
    for key in (
        "readings_per_pack",
        "pack_age_ms",
        "ack_timeout_ms",
        "outbox_bytes",
        "generation",
        "keep",
    ):
        if key in fields:
            setattr(config, key, fields[key])
    wifi = fields.get("wifi")
    if isinstance(wifi, dict):
        config.wifi = wifi["ssid"], wifi.get("password", "")
    return config


def _sensor(fields: "dict[str, Any]") -> SensorConfig:
    name, every_ms = fields.pop("name", "temperature"), fields.pop("every_ms", 10_000)
    one = SensorConfig(fields.pop("driver"), name, every_ms)
    one.keys = fields
    return one


def run(fields: "dict[str, object]", folder: str, readings: int, report: "Report") -> None:
    """Until `readings` attempts were made and all is kept; for ever where it is 0."""
    settings = settings_of(fields)
    fields.clear()  # it is in the caller's hands, and would stay
    device = Small(settings, folder, report)
    try:
        device.live(readings)
    finally:
        device.outbox.close()
    report("stopped", **device.totals())


class Sealer:
    """Who this device is in this start, for the packer."""

    def __init__(self, config: Config, epoch: int) -> None:
        self.name = config.name
        self.epoch = epoch
        self._kid = envelope.kid_of(config.name, generation=config.generation)
        self._up = envelope.direction_key(config.secret, UP)

    def seal(self, sequence: int, payload: bytes) -> bytes:
        return envelope.seal(
            self._up, UP, self._kid, epoch=self.epoch, sequence=sequence, payload=payload
        )


class Small:
    """One envelope on its way at a time; what is due is sampled while its answer is waited for."""

    def __init__(self, config: Config, folder: str, report: "Report") -> None:
        self.kept = self.retransmissions = 0
        self._report = report
        self._config = config
        self._board = board = Board()
        self._clock = Clock(board)
        self.outbox = Outbox(
            board,
            folder + "/outbox",
            config.outbox_bytes,
            mode=config.keep,
            ring_bytes=_RING_BYTES,
        )
        epoch = counter.next_epoch(board, folder, used_before=not self.outbox.was_made)
        sealer = Sealer(config, epoch)
        self._packer = Packer(sealer, self.outbox, self._clock, _nothing)
        self._packer.started = board.reset_cause()
        self._sampler = Sampler(
            board,  # type: ignore[arg-type]  # drivers find on it what every board has
            config,
            self.outbox,
            self._clock,
            self._packer,
        )
        self._udp: Udp | None = None
        self._sealed: bytes | None = None  # on its way
        self._head = b""  # of the datagram, which is put together anew each time it is sent
        self._token = b""
        self._message_id = board.random_bits(16)
        self._due_ms = self._wait_ms = 0  # when to send again, or the next
        self._tries = self._failures = self._refusals = 0
        self._backoff_ms = config.ack_timeout_ms
        self._down = envelope.direction_key(config.secret, DOWN)
        self._epoch = epoch

    def totals(self) -> dict[str, int]:
        return {
            "sampled": self._sampler.sampled,
            "sealed": self._packer.sequence,
            "kept": self.kept,
            "dropped": self.outbox.dropped,
            "retransmissions": self.retransmissions,
            "heap_bytes": self._board.heap_bytes(),
        }

    def live(self, limit: int) -> None:
        self._report(
            "started",
            name=self._config.name,
            epoch=self._epoch,
            interpreter=sys.implementation.name,
            board=self._board.name,
            heap_bytes=self._board.heap_bytes(),
        )
        feed = None if limit else self._board.watchdog(_WATCHDOG_MS)
        done = False
        while not done or self._sealed is not None or self.outbox.used_bytes:
            if feed is not None:
                feed()
            if not done:
                room = not limit or 2 * self.outbox.used_bytes < self.outbox.capacity_bytes
                if room:
                    self._sampler.tick(limit)
                if limit and self._sampler.sampled >= limit:
                    self._sampler.seal()
                    done = True
            self.step(_LONGEST_WAIT_MS if done else self._sampler.sleep_ms())

    def step(self, longest_ms: int) -> None:
        """Sends what is due, and waits for what comes, no longer than is good for the rest."""
        now_ms = self._clock.uptime_ms()
        self.outbox.tend(now_ms)
        if now_ms >= self._due_ms:
            self._send(now_ms)
        wait_ms = min(longest_ms, _LONGEST_WAIT_MS)
        if self._due_ms > now_ms:
            wait_ms = min(wait_ms, self._due_ms - now_ms)
        if self._udp is None:
            self._board.sleep_ms(wait_ms)
            return
        datagram = self._udp.receive(_ANSWER_BYTES, wait_ms)
        if datagram:
            self._heard(datagram)

    def _send(self, now_ms: int) -> None:
        if self._sealed is not None and self._tries > MAX_RETRANSMIT:
            self._fail("no-answer")
        elif self._sealed is not None:
            self.retransmissions += 1
            self._transmit(self._sealed, now_ms)
        else:
            self._sealed = sealed = self.outbox.peek()
            if sealed is not None and self._is_open(now_ms):
                self._begin(sealed, now_ms)

    def _begin(self, sealed: bytes, now_ms: int) -> None:
        self._message_id = (self._message_id + 1) & 0xFFFF
        self._token = self._board.random_bits(30).to_bytes(4, "big")
        head = bytes((_CON | 4, _POST)) + self._message_id.to_bytes(2, "big")
        self._head = head + self._token + _OPTIONS
        self._tries = 0
        jitter_ms = self._config.ack_timeout_ms * self._board.random_bits(10) >> 11
        self._wait_ms = self._config.ack_timeout_ms + jitter_ms
        self._transmit(sealed, now_ms)

    def _transmit(self, sealed: bytes, now_ms: int) -> None:
        if self._udp is not None:
            self._udp.send(self._head + sealed)
        self._tries += 1
        self._due_ms = now_ms + self._wait_ms
        self._wait_ms *= 2

    def _is_open(self, now_ms: int) -> bool:
        """Whether there is a socket; joins the Wi-Fi, and resolves again after failures."""
        if self._udp is not None and self._failures < _REOPEN_AFTER:
            return True
        if self._udp is not None:
            self._udp.close()
            self._udp = None
        self._failures = 0
        try:
            if self._config.wifi is None or self._board.join(*self._config.wifi):
                self._udp = Udp(self._config.host, self._config.port)
                return True
        except OSError:
            pass
        self._fail("no-address")
        return False

    def _heard(self, datagram: bytes) -> None:
        """What RFC 7252 §4.2 and §5.2.2 ask for, of what can come from a gateway."""
        if len(datagram) < 4 or datagram[0] >> 6 != 1:
            return
        kind, code, number = datagram[0] & 0x30, datagram[1], datagram[2:4]
        if not code:
            if number == self._head[2:4] and kind == _ACK & 0x30 and self._sealed is not None:
                # the answer comes by itself, in MAX_TRANSMIT_WAIT: nothing is sent again
                self._tries = MAX_RETRANSMIT + 1
                self._due_ms = self._clock.uptime_ms() + 47 * self._config.ack_timeout_ms
            return
        ours = datagram[0] & 15 == 4 and datagram[4:8] == self._token
        if not kind and self._udp is not None:
            self._udp.send(bytes((_ACK if ours else _RST, 0)) + number)
        if ours and self._sealed is not None:
            self._answered(self._sealed, code, _payload(datagram))

    def _answered(self, sealed: bytes, code: int, payload: bytes) -> None:
        reason = "{}.{:02d}".format(code >> 5, code & 31)
        if code == _CHANGED:
            try:
                found = receipt_reader.open_sealed(self._down, payload, sealed)
            except ProtocolError:
                self._fail("bad-receipt")
                return
            self._clock.learn(found[1])
            self.kept += 1
            number = envelope.number_in(sealed)
            epoch, sequence = int.from_bytes(number[:4], "big"), int.from_bytes(number[4:], "big")
            self._report("kept", index=found[0], epoch=epoch, sequence=sequence)
            self.outbox.advance()
        elif code in _REFUSED and self._refusals + 1 >= _REFUSALS_BEFORE_QUARANTINE:
            self.outbox.set_aside(sealed)
            self._report("quarantined", reason=reason)
        else:
            self._refusals += code in _REFUSED
            self._fail(reason)
            return
        self.outbox.unreachable = False
        self._sealed = None
        self._refusals = self._failures = self._due_ms = 0
        self._backoff_ms = self._config.ack_timeout_ms

    def _fail(self, reason: str) -> None:
        """It stays in the outbox; the longer it goes on, the longer is the next pause."""
        self._report("waiting", reason=reason, wait_ms=self._backoff_ms)
        self.outbox.unreachable = True
        self._sealed = None
        self._failures += 1
        self._due_ms = self._clock.uptime_ms() + self._backoff_ms
        self._backoff_ms = min(2 * self._backoff_ms, _MAX_BACKOFF_MS)


def _payload(datagram: bytes) -> bytes:
    """What follows the options (RFC 7252 §3.1), none of which is longer than 12 bytes."""
    at = 8
    while at < len(datagram) and datagram[at] != 0xFF:
        at += 1 + (datagram[at] & 15) + (datagram[at] >> 4 == 13)
    return datagram[at + 1 :]


def _nothing() -> None:
    """What is sealed is found in the outbox."""
