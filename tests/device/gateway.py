"""A gateway that fits in a test: keeps envelopes in a dict, answers with real receipts.

Uses `protocol` only. `Keeper` is sans I/O: datagram in, datagrams out; `UdpGateway` puts it
on a loopback socket. Every third answer is a separate response when `separate` is on.
"""

import socket
import threading
from typing import Self

from protocol import coap, envelope, envelope_reader, receipt, resolve, senml
from protocol.coap import Message
from protocol.receipt import Receipt
from protocol.sign1_reader import Signed
from tests.device.signatures import Signatures

TIME_MS = 1_763_692_800_000


class Keeper:
    """`kept` is (epoch, sequence) -> envelope; `conflicts` says which came with other bytes.

    With a public key the device is one of the profile `sig`, and `signatures` knows the rest.
    """

    def __init__(
        self, name: str, secret: bytes, *, separate: bool = False, public_key: bytes = b""
    ) -> None:
        self.kept: dict[tuple[int, int], bytes] = {}
        self.order: list[tuple[int, int]] = []
        self.repeats = 0
        self.conflicts: list[tuple[int, int]] = []
        self.time_ms = TIME_MS
        self.unconfirmed: dict[int, bytes] = {}  # separate answers, until acknowledged or reset
        self.signatures = Signatures(public_key) if public_key else None
        profile = "sig" if public_key else "mac"
        self._kid = envelope.kid_of(name, profile, public_key=public_key)
        self._up = envelope.direction_key(secret, envelope.UP)
        self._down = envelope.direction_key(secret, envelope.DOWN)
        self._separate = separate
        self._message_id = 0
        self._answered = 0

    def all_readings(self) -> list[senml.Reading]:
        return [
            reading
            for number in self.order
            for reading in resolve.decode_pack(self._opened(self.kept[number]).payload)
        ]

    def readings(self) -> list[senml.Reading]:
        """Without what the packer adds."""
        added = ("/started", "/ended", "/uptime")
        return [one for one in self.all_readings() if not one.name.endswith(added)]

    def handle(self, datagram: bytes) -> list[bytes]:
        """The datagrams that answer this one."""
        request = coap.decode(datagram)
        if request.type in (coap.ACK, coap.RST):
            self.unconfirmed.pop(request.message_id, None)
        if request.type != coap.CON or request.code != coap.POST:
            return []
        if request.option(coap.URI_PATH) == b"c":  # nobody is told anything here
            unknown = Message(coap.ACK, 0x84, request.message_id, request.token, [], b"")
            return [coap.encode(unknown)]
        code, payload = 0x8F, b""
        if request.option(coap.CONTENT_FORMAT) in (None, bytes((18 if self.signatures else 17,))):
            code, payload = self._keep(request.payload)
        self._answered += 1
        if self._separate and self._answered % 3 == 0:
            self._message_id = (self._message_id + 1) & 0xFFFF
            later = Message(coap.CON, code, self._message_id, request.token, [], payload)
            self.unconfirmed[self._message_id] = coap.encode(later)
            return [coap.empty(coap.ACK, request.message_id), coap.encode(later)]
        piggybacked = Message(coap.ACK, code, request.message_id, request.token, [], payload)
        return [coap.encode(piggybacked)]

    def _keep(self, sealed: bytes) -> tuple[int, bytes]:
        sent = self._opened(sealed)
        if sent.kid != self._kid:
            return 0x81, b""
        number = sent.epoch, sent.sequence
        if number not in self.kept:
            self.kept[number] = sealed
            self.order.append(number)
        elif self.kept[number] != sealed:
            self.conflicts.append(number)
            return 0x89, b""
        else:
            self.repeats += 1
        return coap.CHANGED, self.receipt(sent)

    def _opened(self, sealed: bytes) -> envelope_reader.Envelope | Signed:
        if self.signatures is not None:
            return self.signatures.opened(sealed)
        sent = envelope_reader.parse(sealed)
        envelope_reader.check(sent, self._up, envelope.UP)
        return sent

    def receipt(self, sent: envelope_reader.Envelope | Signed) -> bytes:
        index = self.order.index((sent.epoch, sent.sequence))
        answer = Receipt(index, self.time_ms, 0, 0)
        return receipt.seal(
            self._down, answer, kid=sent.kid, epoch=sent.epoch, sequence=sent.sequence
        )


class UdpGateway:
    """A Keeper on a loopback socket, in its own thread. `with UdpGateway(keeper) as gateway`."""

    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.03)
        self.address: tuple[str, int] = self._socket.getsockname()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(timeout=5)
        self._socket.close()

    def _run(self) -> None:
        sender = None
        while not self._stopping.is_set():
            try:
                datagram, sender = self._socket.recvfrom(2048)
            except OSError:
                for again in list(self.keeper.unconfirmed.values()) if sender else []:
                    self._socket.sendto(again, sender)
                continue
            for answer in self.keeper.handle(datagram):
                self._socket.sendto(answer, sender)
