"""Mutated datagrams through what is pure: only our own errors, and one verdict from two readers.

The fast readers of an envelope and of a pack (gateway.ingest) have to say of every byte string
what the decoders of the wire format say. SEED and COUNT repeat or lengthen a campaign.
"""

import os
from collections import Counter
from collections.abc import Callable

import pytest

from gateway.coap import blocks
from gateway.errors import GatewayError
from gateway.ingest import form, packs
from gateway.ingest.judge import judge
from gateway.registry import Registry
from protocol import coap, envelope, envelope_reader, resolve
from protocol.coap import Message
from protocol.envelope import UP
from protocol.errors import ProtocolError
from tests.fakes import FakeDevice
from tests.mutations import Mutator, Sealer

SEED = int(os.environ.get("SEED", "11"))
SHORT = int(os.environ.get("COUNT", "10000"))
LONG = int(os.environ.get("COUNT", "1000000"))
SHED = FakeDevice("shed")
KEY = envelope.direction_key(SHED.secret, UP)
REGISTRY = Registry([SHED.known()])
PREFIX = SHED.known().prefix
BLOCK1, BLOCK2 = 27, 23


def test_mutated_datagrams_have_one_verdict():
    _campaign(SHORT)


@pytest.mark.slow
def test_a_million_mutated_datagrams_have_one_verdict():
    _campaign(LONG)


def _campaign(count: int) -> None:
    print(f"\nreplay: SEED={SEED} COUNT={count} python -m pytest -s {__file__}")
    mutator = Mutator(Sealer(SHED.name, SHED.kid, KEY), SEED)
    verdicts = Counter(_verdict(datagram) for datagram in mutator.datagrams(count))
    print(f"  {dict(verdicts)}")
    assert verdicts["kept"] > count // 200  # enough of them get to the end
    assert verdicts["malformed"] > count // 4


def _verdict(datagram: bytes) -> str:
    """ "kept", or the reason of the refusal; anything else it raises is a fault."""
    try:
        message = coap.decode(datagram)
        _read_blocks(message)
        body = message.payload
        fast, slow = _outcome(body, _judged), _outcome(body, _decoded)
        assert fast == slow, f"{body.hex()}: {fast}, but {slow}"
        return fast
    except (ProtocolError, GatewayError) as error:
        return error.reason


def _read_blocks(message: Message) -> None:
    for number in (BLOCK1, BLOCK2):
        value = message.option(number)
        if value is not None and len(value) <= 3:
            blocks.decode(value)


def _outcome(body: bytes, read: Callable[[bytes], None]) -> str:
    try:
        read(body)
    except (ProtocolError, GatewayError) as error:
        return error.reason
    return "kept"


def _judged(body: bytes) -> None:
    parts = judge(body, REGISTRY).parts
    if packs.is_usual(parts.payload, PREFIX):
        resolve.decode_pack(parts.payload)  # what is usual is valid


def _decoded(body: bytes) -> None:
    """By the decoders of the wire format, in the order that `judge` promises."""
    sealed = envelope_reader.parse(body)
    parts = form.split(body)
    assert parts is not None
    assert (parts.kid, parts.epoch, parts.sequence) == (sealed.kid, sealed.epoch, sealed.sequence)
    device = REGISTRY.find(sealed.kid)
    envelope_reader.check(sealed, KEY, UP)
    for reading in resolve.decode_pack(sealed.payload):
        if not reading.name.startswith(f"{device.name}/"):
            raise _WrongNameError


class _WrongNameError(ProtocolError):
    reason = "wrong-name"
