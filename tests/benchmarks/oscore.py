"""What OSCORE costs a gateway: `python -m tests.benchmarks.oscore`.

Microseconds a request, of one core, without sockets: a POST of an envelope opened, and its 2.04
sealed; beside it the cipher alone, and the same by aiocoap. And what a
device's context takes, in time and in memory.
"""

import time
import tracemalloc
from collections.abc import Callable, Hashable
from typing import Any

import aiocoap
from aiocoap import oscore as theirs
from aiocoap.message import Direction

from gateway.coap.ccm import Ccm
from gateway.coap.contexts import Contexts
from gateway.coap.oscore import OscoreDoor, Outside
from gateway.coap.own_numbers import OwnNumbers
from gateway.registry import Registry
from protocol import coap, pairing
from protocol.oscore_client import Client
from protocol.oscore_parts import OSCORE, Plain
from tests.benchmarks import figures
from tests.fakes import FakeDevice

REQUESTS, DEVICES, ROUNDS = 20_000, 10_000, 5
_ECHO = 252
_ENVELOPE_BYTES, _RECEIPT_BYTES = 138, 95
_POST_R = b"\x02\xb1r\x11\x11\xff"


class Theirs(theirs.CanProtect, theirs.CanUnprotect, theirs.SecurityContextUtils):
    """One side of the device's context, as aiocoap does it; nothing is kept on disk."""

    echo_recovery = None

    def __init__(self, master: bytes, ours: bytes, peers: bytes) -> None:
        self.alg_aead = theirs.algorithms[theirs.DEFAULT_ALGORITHM]
        self.hashfun = theirs.hashfunctions[theirs.DEFAULT_HASHFUNCTION]
        self.sender_id, self.recipient_id, self.id_context = ours, peers, None
        self.sender_sequence_number = 0
        self.derive_keys(b"", master)
        self.recipient_replay_window = theirs.ReplayWindow(32, lambda: None)
        self.recipient_replay_window.initialize_empty()

    def post_seqnoincrease(self) -> None:
        """Nothing to keep."""


class AlwaysFresh:
    def value(self, whose: Hashable, now_ms: int, /) -> bytes:
        return b"echo"

    def is_fresh(self, whose: Hashable, value: bytes, now_ms: int, /) -> bool:
        return True


def measured() -> dict[str, Any]:
    """The best of ROUNDS."""
    rounds = [_round() for _ in range(ROUNDS)]
    return {name: min(found[name] for found in rounds) for name in rounds[0]} | _contexts()


def _round() -> dict[str, float]:
    device = FakeDevice()
    master = pairing.master_secret(device.secret)
    client = Client(pairing.device_keys(master, device.kid), Ccm)
    numbers = OwnNumbers()
    numbers.grant(0, 1 << 30)
    door = OscoreDoor(Contexts(Registry([device.known()])), numbers, AlwaysFresh())
    introduction = client.protect(0, Plain(coap.GET, [(_ECHO, b"echo")], b""))[0]
    door.open(Outside(introduction.code, introduction.options[0][1], introduction.payload), 0)
    plain = Plain(coap.POST, [(11, b"r"), (12, b"\x11")], bytes(_ENVELOPE_BYTES))
    sealed = [client.protect(number + 1, plain)[0] for number in range(REQUESTS)]
    outside = [Outside(s.code, dict(s.options)[OSCORE], s.payload) for s in sealed]
    answer = b"\x44\xc1\x11\xff" + bytes(_RECEIPT_BYTES)

    def answered() -> None:
        for request in outside:
            found = door.open_exact(request, (_POST_R,))
            assert found is not None
            found.kept(answer)

    cipher, nonce, aad = Ccm(bytes(16)), bytes(13), bytes(35)
    ciphertext = cipher.seal(nonce, aad, plain.payload)

    def alone() -> None:
        for _ in range(REQUESTS):
            cipher.open(nonce, aad, ciphertext)
            cipher.seal(nonce, aad, answer)

    return {
        "opened_and_sealed_us": _us(answered, REQUESTS),
        "cipher_us": _us(alone, REQUESTS),
        "by_aiocoap_us": _by_aiocoap(device),
    }


def _by_aiocoap(device: FakeDevice) -> float:
    """The same, on aiocoap's messages; their bytes are not made or read here."""
    master, kid = pairing.master_secret(device.secret), pairing.device_id(device.kid)
    board, gateway = Theirs(master, kid, b"\x01"), Theirs(master, b"\x01", kid)
    requests = []
    for _ in range(REQUESTS // 10):
        fields = {"uri_path": ["r"], "content_format": 17, "payload": bytes(_ENVELOPE_BYTES)}
        sealed, _ = board.protect(aiocoap.Message(code=aiocoap.POST, **fields))
        sealed.direction = Direction.INCOMING
        requests.append(sealed)

    def answered() -> None:
        for request in requests:
            _, asked = gateway.unprotect(request)
            receipt = bytes(_RECEIPT_BYTES)
            answer = aiocoap.Message(code=aiocoap.CHANGED, content_format=17, payload=receipt)
            gateway.protect(answer, asked)

    return _us(answered, len(requests))


def _us(work: Callable[[], None], count: int) -> float:
    started = time.perf_counter()
    work()
    return round((time.perf_counter() - started) / count * 1e6, 2)


def _contexts() -> dict[str, float]:
    """Of DEVICES devices that all speak."""
    devices = [FakeDevice(f"device-{n}") for n in range(DEVICES)]
    registry = Registry(device.known() for device in devices)
    contexts = Contexts(registry)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for device in devices[: DEVICES // 2]:
        contexts.find(device.kid[:7])
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    started = time.perf_counter()
    for device in devices[DEVICES // 2 :]:
        contexts.find(device.kid[:7])
    took = time.perf_counter() - started
    half = DEVICES // 2
    return {
        "context_us": round(took / half * 1e6, 1),
        "context_python_bytes": grown // half,
    }


def show(found: dict[str, Any], held: dict[str, Any]) -> None:
    for name, value in found.items():
        print(f"{name:<24} {value:>10} {held.get(name, ''):>10}")


if __name__ == "__main__":
    figures.report("oscore", measured(), show)
