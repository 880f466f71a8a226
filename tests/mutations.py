"""Hostile datagrams from honest ones, the same ones for a seed. No I/O.

    for datagram in mutated(honest(device), seed=7, count=20_000): ...

Five ways, by dice: bytes changed anywhere, two datagrams spliced, a length that lies, options in
whatever order and size, and an authenticated envelope around a body that is changed: CBOR, COSE
and SenML have to stand on their own behind the message layer.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from protocol import coap, envelope, senml
from protocol.coap import Message
from protocol.envelope import UP
from protocol.limits import MAX_DATAGRAM_BYTES
from protocol.senml import Reading

_INTERESTING = b"\x00\x01\x0d\x0e\x0f\x10\x40\x60\x70\x7f\x80\xb1\xc1\xd0\xe0\xf0\xfe\xff"
_OPTIONS = (1, 3, 4, 5, 6, 7, 9, 11, 12, 14, 15, 16, 17, 20, 23, 27, 28, 35, 39, 60, 252, 258, 292)
_OURS = 65001
_PATHS = (
    b"r", b"c", b"time", b".well-known", b"core", b"home", b"tmp", b"dev", b"sys", b"etc", b"var",
    b"proc", b"..", b"%2e", b"a", b"", b"\xff",
)  # fmt: skip
_CODES = (*range(8), 31, 0x44, 0x45, 0x5F, 0x80, 0xA0, 0xE1, 0xFF)
_MOST_CHANGES = 6


class Sealer(NamedTuple):
    """Who can authenticate: what it seals gets past the tag."""

    name: str
    kid: bytes
    key: envelope.HmacKey
    epoch: int = 99


class Mutator:
    def __init__(self, sealer: Sealer, seed: int) -> None:
        self._sealer = sealer
        self._dice = random.Random(seed)
        self._sealed = 0
        self._honest = _honest(self)
        self._ways: Sequence[Callable[[], bytes]] = (
            self._changed,
            self._changed,
            self._spliced,
            self._lying,
            self._soup,
            self._sealed_badly,
            self._sealed_badly,
        )

    def datagrams(self, count: int) -> Iterator[bytes]:
        for _ in range(count):
            yield self._dice.choice(self._ways)()[:MAX_DATAGRAM_BYTES]

    def honest(self) -> bytes:
        """One of every kind of valid message, with an id and token of its own."""
        data = bytearray(self._dice.choice(self._honest))
        data[2:4] = self._dice.randbytes(2)
        return bytes(data)

    def seal(self, payload: bytes) -> bytes:
        self._sealed += 1
        _, kid, key, epoch = self._sealer
        return envelope.seal(key, UP, kid, epoch=epoch, sequence=self._sealed, payload=payload)

    def pack(self) -> bytes:
        name = self._sealer.name
        values: list[object] = [21, -(2**40), True, "text", b"data"]
        readings = [
            Reading(f"{name}/t{n}", "Cel", value, 1_790_000_000_000 + n)
            for n, value in enumerate(values)
        ]
        return senml.encode_pack(f"{name}/", readings)

    # --- the ways ---------------------------------------------------------------------------

    def _changed(self) -> bytes:
        return self._change(self.honest())

    def _change(self, data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(self._dice.randint(1, _MOST_CHANGES)):
            self._change_once(changed)
        return bytes(changed)

    def _change_once(self, data: bytearray) -> None:
        dice = self._dice
        at = dice.randrange(len(data) + 1)
        match dice.randrange(6):
            case 0 if at < len(data):
                data[at] ^= 1 << dice.randrange(8)
            case 1 if at < len(data):
                data[at] = dice.choice(_INTERESTING)
            case 2:
                data[at:at] = dice.randbytes(dice.randint(1, 8))
            case 3:
                del data[at : at + dice.randint(1, 8)]
            case 4:
                data[at:at] = data[at : at + dice.randint(1, 32)]
            case _:
                del data[at + 4 :]

    def _spliced(self) -> bytes:
        one, other = self.honest(), self.honest()
        return one[: self._dice.randrange(len(one))] + other[self._dice.randrange(len(other)) :]

    def _lying(self) -> bytes:
        """A token length, or an option head somewhere, that says something else."""
        data = bytearray(self.honest())
        at = 0 if self._dice.random() < 0.3 else self._dice.randrange(len(data))
        low = self._dice.choice((0, 1, 8, 9, 12, 13, 14, 15))
        data[at] = data[at] & 0xF0 | low if self._dice.random() < 0.5 else data[at] & 15 | low << 4
        return bytes(data)

    def _soup(self) -> bytes:
        """Well formed, and nothing else about it is right."""
        dice = self._dice
        numbers = [dice.choice(_OPTIONS) for _ in range(dice.randrange(8))]
        numbers += [dice.randrange(65536)] if dice.random() < 0.3 else []
        numbers += [_OURS] if dice.random() < 0.2 else []
        options = [(number, self._value(number)) for number in sorted(numbers)]
        payload = dice.randbytes(dice.choice((0, 0, 1, 16, 64, 500)))
        kind, code = dice.randrange(4), dice.choice(_CODES)
        token = dice.randbytes(dice.randrange(9))
        message = Message(kind, code, dice.randrange(65536), token, options, payload)
        return coap.encode(message) if sum(len(v) for _, v in options) < 400 else self.honest()

    def _value(self, number: int) -> bytes:
        if number == coap.URI_PATH:
            return self._dice.choice(_PATHS)
        return self._dice.randbytes(self._dice.choice((0, 0, 1, 1, 2, 3, 4, 8, 9, 40)))

    def _sealed_badly(self) -> bytes:
        """A body that is changed, then sealed: it is authentic, whatever is in it."""
        options = [(coap.URI_PATH, b"r"), (coap.CONTENT_FORMAT, b"\x11")]
        body = self.seal(self._change(self.pack())[:800])
        if self._dice.random() < 0.3:
            body = self._change(body)
        token = self._dice.randbytes(4)
        return coap.encode(
            Message(coap.CON, coap.POST, self._dice.randrange(65536), token, options, body[:1100])
        )


def _honest(mutator: Mutator) -> list[bytes]:
    """Valid messages of every kind, by path, method, option and type."""
    paths = ((b"time",), (b".well-known", b"core"), (b"tmp", b"a"), (b"home", b"a", b"b"), (b"r",))
    more: tuple[list[tuple[int, bytes]], ...] = (
        [],
        [(6, b"")],
        [(6, b"\x01")],
        [(17, b"\x3c")],
        [(23, b"\x02")],
        [(23, b"\x12"), (28, b"")],
        [(27, b"\x08"), (60, b"\x40")],
        [(27, b"\x16")],
        [(1, b"12345678")],
        [(4, b"12345678")],
        [(5, b"")],
        [(15, b"rt=x"), (15, b"ct=40")],
        [(252, b"12345678")],
        [(258, b"\x1a")],
        [(292, b"1")],
        [(_OURS, b"a token of no use")],
        [(9, b"\x09\x01kid")],
    )
    made = [
        coap.encode(Message(kind, code, 0, b"token", _ordered(path, options), body))
        for kind in (coap.CON, coap.NON)
        for code, body in ((1, b""), (2, b"body"), (3, b"x" * 64), (4, b""))
        for path in paths
        for options in more
    ]
    posted = _ordered((b"r",), [(coap.CONTENT_FORMAT, b"\x11")])
    envelopes = [mutator.seal(mutator.pack()) for _ in range(60)]
    made += [coap.encode(Message(0, 2, 0, b"read", posted, sealed)) for sealed in envelopes]
    made += [coap.empty(kind, 0) for kind in range(4)] * 5
    return made + [coap.encode(Message(k, 0x45, 0, b"tok", [], b"x")) for k in range(4)] * 5


def _ordered(path: Sequence[bytes], options: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    segments = [(coap.URI_PATH, segment) for segment in path]
    return sorted([*segments, *options], key=lambda option: option[0])
