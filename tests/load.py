"""Devices as threads: real envelopes over real sockets, and a record of every receipt.

Faster than MicroPython processes and with the same obligations: an envelope is sent again,
the same bytes, until a receipt for it verifies.
"""

import contextlib
import socket
import threading
import time
from typing import Any

from protocol import coap, envelope, receipt_reader, senml
from protocol.coap import Message
from protocol.enrolment import SIG
from protocol.envelope import DOWN, UP
from protocol.errors import ProtocolError
from protocol.limits import CONTENT_FORMAT_COSE_MAC0, CONTENT_FORMAT_COSE_SIGN1
from protocol.senml import Reading
from tests.fakes import SigningDevice

_FORMATS = (CONTENT_FORMAT_COSE_MAC0, CONTENT_FORMAT_COSE_SIGN1)  # with a tag, signed
_ANSWER_S = 0.25
_REFUSED_S = 0.02


class LoadDevice(threading.Thread):
    """`kept` maps (device, epoch, sequence) to the index its receipt named."""

    def __init__(self, config: dict[str, Any], epoch: int = 1) -> None:
        super().__init__(daemon=True)
        secret = bytes.fromhex(config["secret"])
        self._name = config["name"]
        self._signing = signing(config) if config.get("profile") == SIG else None
        self._kid = envelope.kid_of(self._name, generation=config.get("generation", 0))
        self.up_key = envelope.direction_key(secret, UP)
        self._down = envelope.direction_key(secret, DOWN)
        host, port = config["gateway"].rsplit(":", 1)
        self._gateway = (host, int(port))
        self._epoch = epoch
        self._ending = threading.Event()
        self.kept: dict[tuple[str, int, int], int] = {}
        self.retransmissions = 0
        self._exchanges = 0  # each has a message id of its own

    def seal(self, sequence: int) -> bytes:
        if self._signing:
            return self._signing.sign(sequence, epoch=self._epoch, value=sequence)
        readings = [Reading(f"{self._name}/temperature", "Cel", sequence, int(time.time() * 1000))]
        return envelope.seal(
            self.up_key,
            UP,
            self._kid,
            epoch=self._epoch,
            sequence=sequence,
            payload=senml.encode_pack(f"{self._name}/", readings),
        )

    def index_of(self, answer: Message, sealed: bytes) -> int:
        """The index in the receipt for `sealed`; ProtocolError where it is not one."""
        return receipt_reader.open_sealed(self._down, answer.payload, sealed)[0]

    def run(self) -> None:
        sequence = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
            door.connect(self._gateway)
            door.settimeout(_ANSWER_S)
            while not self._ending.is_set():
                sealed = self.seal(sequence)
                index = self._until_kept(door, sealed, sequence)
                if index is not None:
                    self.kept[self._name, self._epoch, sequence] = index
                    sequence += 1

    def end(self) -> None:
        """Ends after the receipt it is waiting for, or at once where none comes."""
        self._ending.set()
        self.join(10)

    def _until_kept(self, door: socket.socket, sealed: bytes, sequence: int) -> int | None:
        options = [
            (coap.URI_PATH, b"r"),
            (coap.CONTENT_FORMAT, bytes((_FORMATS[self._signing is not None],))),
        ]
        token = sequence.to_bytes(4, "big")
        while not self._ending.is_set():
            self._exchanges += 1
            datagram = coap.encode(
                Message(coap.CON, coap.POST, self._exchanges & 0xFFFF, token, options, sealed)
            )
            answer = self._answered(door, datagram, token)
            if answer and answer.code == coap.CHANGED:
                with contextlib.suppress(ProtocolError):  # not a receipt for it: go on asking
                    return self.index_of(answer, sealed)
            self._ending.wait(_REFUSED_S)  # refused: a new exchange, or it hears the same again
        return None

    def _answered(self, door: socket.socket, datagram: bytes, token: bytes) -> Message | None:
        """Sends until there is an answer, whatever it is."""
        while not self._ending.is_set():
            try:
                door.send(datagram)
                answer = coap.decode(door.recv(2048))
                if answer.type == coap.CON:  # an answer that took long; the next waits for this
                    acknowledge(door, answer)
                if answer.token == token:
                    return answer
            except (OSError, ProtocolError):
                # nobody there, nothing yet, or an answer to something else
                self._ending.wait(0.005)
            self.retransmissions += 1
        return None


def signing(config: dict[str, Any]) -> SigningDevice:
    """The device of a config.json whose key was made by its host."""
    device = SigningDevice(config["name"], key=int(config["key"], 16))
    device.secret = bytes.fromhex(config["secret"])
    return device


def acknowledge(door: socket.socket, answer: Message) -> None:
    """The empty ACK of an answer that came apart from the one to the request (RFC 7252 §5.2.2)."""
    door.send(coap.encode(Message(coap.ACK, coap.EMPTY, answer.message_id, b"", [], b"")))
