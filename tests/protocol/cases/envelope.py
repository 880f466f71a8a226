"""Envelopes: both directions, and everything that is not one."""

from typing import Any

from tests.protocol import oracles

SECRET = bytes(range(32))
OTHER = bytes(range(1, 33))
KID = oracles.hmac(b"", b"")[:8]  # eight bytes that say nothing
PACK = oracles.cbor([{0: "temperature", 2: 21, -2: "greenhouse:", -3: 1700000000}])


def sealed(secret: bytes = SECRET, direction: str = "up", body: bytes = PACK) -> bytes:
    return oracles.envelope(secret, direction, (KID, 3, 14), body)


LARGEST = 1024 - len(sealed(body=bytes(300))) + 300


def under(protected: bytes, payload: Any = PACK) -> bytes:
    """An envelope with a right tag under any header."""
    key = oracles.hkdf(SECRET, b"tallystick/1/up")
    return oracles.mac0(key, protected, payload, b"up")


def cases() -> list[dict[str, Any]]:
    return [*_good(), *_bad_tags(), *_bad_shapes(), *_bad_headers()]


def _case(name: str, data: bytes, direction: str = "up", **more: Any) -> dict[str, Any]:
    found = {"name": name, "secret": SECRET.hex(), "direction": direction, "hex": data.hex()}
    return found | more


def _good() -> list[dict[str, Any]]:
    samples = [
        ("a pack on its way up", "up", 3, 14, PACK),
        ("a receipt on its way down", "down", 3, 14, oracles.cbor({1: 7})),
        ("the first of all", "up", 0, 0, PACK),
        ("the last numbers", "up", 0xFFFFFFFF, 0xFFFFFFFF, PACK),
        ("an empty payload", "up", 1, 2, b""),
        ("as large as it may be", "up", 1, 2, bytes(LARGEST)),
    ]
    return [
        _case(
            name, oracles.envelope(SECRET, direction, (KID, epoch, sequence), body), direction,
            kid=KID.hex(), epoch=epoch, sequence=sequence, payload=body.hex(),
        )
        for name, direction, epoch, sequence, body in samples
    ]  # fmt: skip


def _bad_tags() -> list[dict[str, Any]]:
    up, down = sealed(), sealed(direction="down")
    flipped = bytearray(up)
    flipped[60] ^= 1
    key = oracles.hkdf(SECRET, b"tallystick/1/up")
    wrong_aad = oracles.mac0(key, oracles.header(KID, 3, 14), PACK, b"down")
    bad = [
        _case("sealed by another device", sealed(OTHER)),
        _case("sent up, taken for down", up, "down"),
        _case("sent down, taken for up", down),
        _case("the key of one direction, the aad of the other", wrong_aad),
        _case("a bit of the payload flipped", bytes(flipped)),
        _case("the tag flipped", up[:-1] + bytes([up[-1] ^ 0x80])),
    ]
    return [case | {"error": "bad-mac"} for case in bad]


def _bad_shapes() -> list[dict[str, Any]]:
    whole = sealed()
    body = under(oracles.header(KID, 3, 14), bytes(LARGEST + 1))
    text = oracles.cbor([oracles.header(KID, 3, 14), {}, "text", bytes(32)])
    return [
        _case("nothing", b"", error="malformed"),
        _case("half of it", whole[: len(whole) // 2], error="malformed"),
        _case("without its last byte", whole[:-1], error="malformed"),
        _case("with a byte more", whole + b"\x00", error="malformed"),
        _case("one byte too large", body, error="too-large"),
        _case("a kilobyte of nothing", bytes(1025), error="too-large"),
        _case("tagged 17", b"\xd1" + whole, error="unsupported"),
        _case("a payload of text", text, error="malformed"),
        _case("the pack alone", PACK, error="malformed"),
    ]


def _bad_headers() -> list[dict[str, Any]]:
    cti = bytes(8)
    wrong: dict[str, Any] = {
        "no algorithm": {4: KID, 15: {7: cti}},
        "no kid": {1: 5, 15: {7: cti}},
        "no claims": {1: 5, 4: KID},
        "a header more": {1: 5, 3: 0, 4: KID, 15: {7: cti}},
        "another header for the kid": {1: 5, 5: KID, 15: {7: cti}},
        "another header for the claims": {1: 5, 4: KID, 16: {7: cti}},
        "a kid of 7 bytes": {1: 5, 4: KID[:7], 15: {7: cti}},
        "a kid of text": {1: 5, 4: "12345678", 15: {7: cti}},
        "claims that are bytes": {1: 5, 4: KID, 15: cti},
        "no claim": {1: 5, 4: KID, 15: {}},
        "two claims": {1: 5, 4: KID, 15: {6: 0, 7: cti}},
        "another claim": {1: 5, 4: KID, 15: {6: cti}},
        "a cti of 9 bytes": {1: 5, 4: KID, 15: {7: bytes(9)}},
        "a cti that is a number": {1: 5, 4: KID, 15: {7: 1}},
        "a header that is an array": [1, 5],
    }
    cases = [
        _case(name, under(oracles.cbor(header)), error="malformed")
        for name, header in wrong.items()
    ]
    algorithms = [("HMAC 256/64", 4), ("HMAC 384/384", 6), ("true", True), ("text", "HS256")]
    for name, algorithm in algorithms:
        header = oracles.cbor({1: algorithm, 4: KID, 15: {7: cti}})
        cases.append(_case(f"algorithm {name}", under(header), error="unsupported"))
    cases.append(_case("an empty header", under(b""), error="malformed"))
    unsorted = bytes.fromhex("a3") + b"\x04\x48" + KID + b"\x01\x05" + b"\x0f\xa1\x07\x48" + cti
    cases.append(_case("a header in the wrong order", under(unsorted), error="malformed"))
    return cases
