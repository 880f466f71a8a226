"""OSCORE: RFC 8613 Appendix C and §6.3 as printed; the rest by cbor2 and `cryptography`."""

import hashlib
from typing import Any

import aiocoap
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from tests.protocol import oracles

MASTER = "0102030405060708090a0b0c0d0e0f10"
SALT = "9e7ca92223786340"
CONTEXT = "37cbf3210017a2d3"
C1 = {"secret": MASTER, "salt": SALT, "sender_id": "", "recipient_id": "01"}
C2 = {"secret": MASTER, "sender_id": "00", "recipient_id": "01"}
C3 = {**C1, "id_context": CONTEXT}
C1_SERVER = {**C1, "sender_id": "01", "recipient_id": ""}
# our own: the identifiers that a Tallystick device and its gateway have
OURS = {"secret": bytes(range(32)).hex(), "sender_id": "44716b818b4e8d", "recipient_id": "01"}
OURS_SERVER = {**OURS, "sender_id": "01", "recipient_id": OURS["sender_id"]}

# RFC 8613 C.1 to C.3: sender key, recipient key, common IV, sender nonce of number 0
KEYS: list[tuple[str, dict[str, str], str]] = [
    ("RFC 8613 C.1.1", C1, "f0910ed7295e6ad4b54fc793154302ff ffb14e093c94c9cac9471648b4f98710"
     " 4622d4dd6d944168eefb54987c 4622d4dd6d944168eefb54987c"),
    ("RFC 8613 C.1.2", C1_SERVER, "ffb14e093c94c9cac9471648b4f98710"
     " f0910ed7295e6ad4b54fc793154302ff 4622d4dd6d944168eefb54987c 4722d4dd6d944169eefb54987c"),
    ("RFC 8613 C.2.1", C2, "321b26943253c7ffb6003b0b64d74041 e57b5635815177cd679ab4bcec9d7dda"
     " be35ae297d2dace910c52e99f9 bf35ae297d2dace910c52e99f9"),
    ("RFC 8613 C.3.1", C3, "af2a1300a5e95788b356336eeecd2b92 e39a0c7c77b43f03b4b39ab9a268699f"
     " 2ca58fb85ff1b81c0b7181b85e 2ca58fb85ff1b81c0b7181b85e"),
]  # fmt: skip
# RFC 8613 C.4 to C.6: the request before and after, number 20
REQUESTS: list[tuple[str, dict[str, str], str, str]] = [
    ("RFC 8613 C.4", C1, "44015d1f00003974396c6f63616c686f737483747631",
     "44025d1f00003974396c6f63616c686f7374620914ff612f1092f1776f1c1668b3825e"),
    ("RFC 8613 C.5", C2, "440171c30000b932396c6f63616c686f737483747631",
     "440271c30000b932396c6f63616c686f737463091400ff4ed339a5a379b0b8bc731fffb0"),
    ("RFC 8613 C.6", C3, "44012f8eef9bbf7a396c6f63616c686f737483747631",
     "44022f8eef9bbf7a396c6f63616c686f73746b19140837cbf3210017a2d3ff"
     "72cd7273fd331ac45cffbe55c3"),
]  # fmt: skip
HELLO = "64455d1f00003974ff48656c6c6f20576f726c6421"  # the answer of C.7 and C.8
# RFC 8613 §6.3: Partial IV, kid, kid context
OPTIONS: dict[str, tuple[str | None, str | None, str | None]] = {
    "090525": ("05", "25", None),
    "0900": ("00", "", None),
    "19050544616c656b": ("05", "", "44616c656b"),
    "0107": ("07", None, None),
    "": (None, None, None),
    "08": (None, "", None),
    "1000": (None, None, ""),
    "0d0102030405aabb": ("0102030405", "aabb", None),
    "0914" + OURS["sender_id"]: ("14", OURS["sender_id"], None),
}
REFUSED = {
    "flags of nothing": ("00", "malformed"),
    "six bytes of number": ("0e010203040506", "malformed"),
    "seven bytes of number": ("0f01020304050607", "malformed"),
    "a number that ends early": ("0901"[:2], "malformed"),
    "a longer number that ends early": ("0b0102", "malformed"),
    "no length of the context": ("1114", "malformed"),
    "a context that ends early": ("19140201", "malformed"),
    "bytes after the number": ("011405", "malformed"),
    "bytes after the context": ("1114010203", "malformed"),
    "the flag of groups": ("2914", "unsupported"),
    "a flag to come": ("4914", "unsupported"),
    "the flag of more flags": ("8914", "unsupported"),
}
NUMBERS = {"00": 0, "14": 20, "ff": 255, "0100": 256, "010000": 65536, "ffffffffff": (1 << 40) - 1}


def cases() -> list[dict[str, Any]]:
    return [*_keys(), *_options(), *_requests(), *_answers(), *_windows()]


def _keys() -> list[dict[str, Any]]:
    names = ("sender", "recipient", "common_iv", "nonce")
    found = [
        {"name": name, "what": "keys", **context, **dict(zip(names, text.split(), strict=True))}
        for name, context, text in KEYS
    ]
    found.append({"name": "a device", "what": "keys", **OURS, **_derived(OURS)})
    found.append(_pairing())
    too_long = {**OURS, "sender_id": "00" * 8, "what": "keys", "error": "too-large"}
    return [*found, {"name": "an identifier of eight bytes", **too_long}]


def _pairing() -> dict[str, Any]:
    """wire-format §14: ids from the kid, the master secret from the device's."""
    kid, secret = kid_of("greenhouse-1"), bytes(range(32))
    return {
        "name": "the context of greenhouse-1",
        "what": "pairing",
        "device_secret": secret.hex(),
        "kid": kid.hex(),
        "secret": oracles.hkdf(secret, b"tallystick/1/oscore").hex(),
        "sender_id": kid[:7].hex(),
        "recipient_id": "01",
    }


def kid_of(name: str) -> bytes:
    return hashlib.sha256(oracles.cbor(["mac", name])).digest()[:8]


def _derived(context: dict[str, str]) -> dict[str, str]:
    """§3.2.1 and §5.2 by cbor2 and `cryptography`."""
    sender, recipient = (bytes.fromhex(context[n]) for n in ("sender_id", "recipient_id"))

    def expanded(identifier: bytes, what: str, size: int) -> bytes:
        info = oracles.cbor([identifier, None, 10, what, size])
        return oracles.hkdf(bytes.fromhex(context["secret"]), info, size)

    iv = expanded(b"", "IV", 13)
    found = {
        "sender": expanded(sender, "Key", 16),
        "recipient": expanded(recipient, "Key", 16),
        "common_iv": iv,
        "nonce": nonce(iv, sender, 0),
    }
    return {name: value.hex() for name, value in found.items()}


def nonce(iv: bytes, identifier: bytes, number: int) -> bytes:
    plain = bytes((len(identifier),)) + identifier.rjust(7, b"\0") + number.to_bytes(5, "big")
    return bytes(a ^ b for a, b in zip(plain, iv, strict=True))


def _options() -> list[dict[str, Any]]:
    good: list[dict[str, Any]] = [
        {"name": f"option {value or 'empty'}", "what": "option", "hex": value, "fields": fields}
        for value, fields in OPTIONS.items()
    ]
    bad = [
        {"name": name, "what": "option", "hex": value, "error": error}
        for name, (value, error) in REFUSED.items()
    ]
    numbers: list[dict[str, Any]] = [
        {"name": f"number {number}", "what": "number", "hex": iv, "number": number}
        for iv, number in NUMBERS.items()
    ]
    zeros = {"name": "leading zeros", "what": "number", "hex": "0014", "error": "malformed"}
    return [*good, *bad, *numbers, zeros]


def _requests() -> list[dict[str, Any]]:
    printed: list[dict[str, Any]] = [
        {"name": name, "what": "request", **context, "number": 20, "plain": plain, "hex": sealed}
        for name, context, plain, sealed in REQUESTS
    ]
    plains = {
        "a device's envelope": (_coap(0x02, [(11, b"r"), (12, b"\x11")], b"\x84"), 0x02),
        "a path, a host and a query": (
            _coap(0x03, [(3, b"h"), (7, b"\x16"), (11, b"b"), (11, b"a"), (15, b"q")], b"x"),
            0x02,
        ),
        "an observation": (_coap(0x01, [(6, b""), (11, b"home")]), 0x05),
        "the end of an observation": (_coap(0x01, [(6, b"\x01"), (11, b"home")]), 0x05),
        "an empty request": (_coap(0x04, []), 0x02),
    }
    own = [
        {"name": name, "what": "request", **OURS, "number": 70000, "plain": plain.hex(),
         "hex": _request(plain, code, 70000).hex()}
        for name, (plain, code) in plains.items()
    ]  # fmt: skip
    return [*printed, *own]


def _coap(code: int, options: list[tuple[int, bytes]], payload: bytes = b"") -> bytes:
    message = aiocoap.Message(code=code, payload=payload, _mtype=0, _mid=7, _token=b"t")
    for number, value in options:
        message.opt.add_option(aiocoap.optiontypes.OpaqueOption(number, value))
    return bytes(message.encode())


def _cut(data: bytes, numbers: tuple[int, ...], *, keep: bool) -> list[tuple[int, bytes]]:
    options = aiocoap.Message.decode(data).opt.option_list()
    return [(int(o.number), o.encode()) for o in options if (o.number in numbers) is keep]


def _request(plain: bytes, code: int, number: int) -> bytes:
    """§8.1 step by step: Uri-Host and Uri-Port outside, Observe on both sides."""
    kid = bytes.fromhex(OURS["sender_id"])
    iv = number.to_bytes(5, "big").lstrip(b"\0")
    inner = _coap(plain[1], _cut(plain, (3, 7), keep=False), aiocoap.Message.decode(plain).payload)
    option = bytes((0x08 | len(iv),)) + iv + kid
    outer = [*_cut(plain, (3, 6, 7), keep=True), (9, option)]
    ciphertext = _sealed(OURS, inner, kid, number, (kid, iv))
    return _coap(code, sorted(outer), ciphertext)


def _sealed(
    context: dict[str, str], inner: bytes, generator: bytes, number: int, asked: tuple[bytes, bytes]
) -> bytes:
    """The ciphertext of a message: `generator` is whose number it is."""
    keys = {name: bytes.fromhex(value) for name, value in _derived(context).items()}
    external = oracles.cbor([1, [10], *asked, b""])
    aad = oracles.cbor(["Encrypt0", b"", external])
    plaintext = inner[1:2] + inner[5:]  # the code, and what follows a token of one byte
    used = nonce(keys["common_iv"], generator, number)
    return AESCCM(keys["sender"], tag_length=8).encrypt(used, plaintext, aad)


def _answers() -> list[dict[str, Any]]:
    base = {"what": "answer", "plain": HELLO, **C1_SERVER, "request_number": 20}
    return [
        {"name": "RFC 8613 C.7", **base, "request_code": 2,
         "hex": "64445d1f0000397490ffdbaad1e9a7e7b2a813d3c31524378303cdafae119106"},
        {"name": "RFC 8613 C.8", **base, "request_code": 2, "own_number": 0,
         "hex": "64445d1f00003974920100ff4d4c13669384b67354b2b6175ff4b8658c666a6cf88e"},
        _answer("a receipt", _coap(0x44, [(12, b"\x11")], b"\x84")),
        _answer("not found", _coap(0x84, [])),
        _answer("a challenge, under a number of ours", _coap(0x81, [(252, b"echo")]), own=65536),
    ]  # fmt: skip


def _answer(name: str, plain: bytes, own: int | None = None) -> dict[str, Any]:
    kid, me = (bytes.fromhex(OURS_SERVER[n]) for n in ("recipient_id", "sender_id"))
    asked = (kid, b"\x14")
    generator, number = (kid, 20) if own is None else (me, own)
    iv = b"" if own is None else own.to_bytes(5, "big").lstrip(b"\0")
    option = bytes((len(iv),)) + iv if iv else b""
    sealed = _coap(0x44, [(9, option)], _sealed(OURS_SERVER, plain, generator, number, asked))
    more = {} if own is None else {"own_number": own}
    return {
        "name": name, "what": "answer", **OURS_SERVER, "request_number": 20, "request_code": 2,
        "plain": plain.hex(), "hex": sealed.hex(), **more,
    }  # fmt: skip


def _windows() -> list[dict[str, Any]]:
    steps: dict[str, tuple[dict[str, int], list[tuple[int, bool]]]] = {
        "in order": ({}, [(0, True), (0, False), (1, True), (2, True), (1, False)]),
        "out of order": ({}, [(5, True), (3, True), (5, False), (3, False), (4, True), (0, True)]),
        "31 behind, 32 behind": ({}, [(40, True), (9, True), (8, False), (9, False), (10, True)]),
        "a jump of 31": ({}, [(0, True), (31, True), (0, False), (1, True), (30, True)]),
        "a jump of 32": ({}, [(0, True), (32, True), (0, False), (1, True)]),
        "a jump to the last": ({}, [(0, True), ((1 << 40) - 1, True), (1, False)]),
        "opened at 100": ({"newest": 100}, [(100, False), (99, False), (69, False), (101, True),
                                            (100, False), (110, True), (105, True)]),
    }  # fmt: skip
    return [
        {"name": f"window: {name}", "what": "window", **opened, "steps": taken}
        for name, (opened, taken) in steps.items()
    ]
