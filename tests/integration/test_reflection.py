"""Two gateways that are pointed at each other fall silent (RFC 7252 §11.3).

A datagram with a forged source makes one gateway answer the other. Here a go-between forwards
whatever either sends to the other, which is what they would see.
"""

import select
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from protocol import coap, envelope
from protocol.coap import Message
from protocol.envelope import UP
from tests.fakes import FakeDevice
from tests.integration.harness import Site
from tests.mutations import Mutator, Sealer

pytestmark = pytest.mark.integration

QUIET_S = 3.5  # longer than an answer of its own waits before it is sent again


@pytest.fixture
def neighbours(tmp_path) -> Iterator[tuple[Site, Site]]:
    pair = tuple(Site(_made(tmp_path / name)) for name in ("one", "other"))
    for site in pair:
        site.start_gateway()
    yield pair
    for site in pair:
        site.stop()


def test_two_gateways_that_hear_each_other_fall_silent(neighbours):
    device = FakeDevice()
    sealer = Sealer(device.name, device.kid, envelope.direction_key(device.secret, UP))
    mutator = Mutator(sealer, seed=5)
    starts = [*_answers(), *(mutator.honest() for _ in range(100)), *mutator.datagrams(100)]

    forwarded, late = _between(*neighbours, starts)

    print(f"\n{len(starts)} forged datagrams: {forwarded} forwarded, {late} in the end")
    assert 0 < forwarded <= len(starts)  # one answer each at most, and none to an answer
    assert late == 0


def _answers() -> Iterable[bytes]:
    """Every type with every class of answer, and the empty ones."""
    for kind in (coap.CON, coap.NON, coap.ACK, coap.RST):
        for code in (0x41, 0x44, 0x45, 0x5F, 0x80, 0x84, 0x95, 0xA0, 0xA5):
            yield coap.encode(Message(kind, code, 0x7000 + code, b"tok", [], b"x"))
    yield from (coap.empty(kind, 0x7100) for kind in (coap.ACK, coap.RST))


def _between(one: Site, other: Site, starts: list[bytes]) -> tuple[int, int]:
    """Datagrams that went from one gateway to the other; and how many of them while none began."""
    with _towards(one) as to_one, _towards(other) as to_other:
        pairs = {to_one: to_other, to_other: to_one}
        forwarded = 0
        for start in starts:
            to_one.send(start)
            forwarded += _forward(pairs, 0.005)
        forwarded += _forward(pairs, 0.5)
        return forwarded, _forward(pairs, QUIET_S)


def _forward(pairs: dict[socket.socket, socket.socket], seconds: float) -> int:
    count = 0
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        for source in select.select(list(pairs), [], [], left)[0]:
            pairs[source].send(source.recv(65_535))
            count += 1
    return count


def _towards(site: Site) -> socket.socket:
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.connect(("127.0.0.1", site.coap_port))
    return door


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
