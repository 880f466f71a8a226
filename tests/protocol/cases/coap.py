"""CoAP messages: option heads at their limits, and every format error of RFC 7252 §3."""

from typing import Any

import aiocoap
from aiocoap.optiontypes import OpaqueOption

CON, NON, ACK, RST = aiocoap.CON, aiocoap.NON, aiocoap.ACK, aiocoap.RST

# name, type, code, message id, token, options, payload
MESSAGES: list[tuple[str, int, int, int, bytes, list[tuple[int, bytes]], bytes]] = [
    ("RFC 7252 figure 16, GET /temperature", CON, 0x01, 0x7D34, b"", [(11, b"temperature")], b""),
    ("RFC 7252 figure 16, its answer", ACK, 0x45, 0x7D34, b"", [], b"22.3 C"),
    ("RFC 7252 figure 17, with a token", CON, 0x01, 0x7D35, b"\x20", [(11, b"temperature")], b""),
    ("RFC 7252 figure 17, its answer", ACK, 0x45, 0x7D35, b"\x20", [], b"22.3 C"),
    ("an empty ACK", ACK, 0, 0xFFFF, b"", [], b""),
    ("a reset", RST, 0, 0, b"", [], b""),
    ("a ping", CON, 0, 1, b"", [], b""),
    ("a token of eight bytes", NON, 0x02, 1, bytes(range(8)), [], b""),
    ("an envelope's request", CON, 0x02, 7, b"ab", [(11, b"r"), (12, b"\x11")], b"\x84"),
    ("its answer, with Max-Age", ACK, 0xA3, 7, b"ab", [(14, b"\x3c")], b""),
    ("an option repeated", CON, 0x01, 1, b"", [(11, b"a"), (11, b""), (11, b"b"), (15, b"x")], b""),
    ("class 7 is not ours to know", CON, 0x5F, 1, b"", [], b"\xff"),
    *((f"an option of {size} bytes", CON, 1, 1, b"", [(1, b"v" * size)], b"p")
      for size in (0, 12, 13, 14, 268, 269, 270, 1034)),
    *((f"option number {number}", CON, 1, 1, b"", [(number, b"")], b"")
      for number in (0, 12, 13, 14, 268, 269, 270, 524, 525, 65535)),
    ("far apart", CON, 1, 1, b"t", [(12, b"a" * 13), (281, b"b" * 269), (65535, b"c")], b"\xff"),
]  # fmt: skip

REFUSED = {
    "nothing": "",
    "three bytes": "400100",
    "version 0": "00010001",
    "version 2": "80010001",
    "version 3": "c0010001",
    "a token of nine bytes": "49010001" + "00" * 9,
    "a token length of 15": "4f010001" + "00" * 15,
    "a token that ends early": "42010001aa",
    "empty with a token": "41000001aa",
    "empty with an option": "4000000100",
    "empty with a payload": "40000001ffaa",
    "code 1.00": "40200001",
    "code 6.00": "40c00001",
    "code 7.01": "40e10001",
    "a marker and no payload": "40010001ff",
    "an option and a marker and no payload": "40010001b161ff",
    "an option that ends early": "40010001b46162",
    "a delta of 13 that ends": "40010001d0",
    "a delta of 14 that ends": "40010001e000",
    "a length of 13 that ends": "400100010d",
    "a length of 14 that ends": "400100010e00",
    "a delta of 15": "40010001f0",
    "a length of 15": "400100010f",
    "a delta of 15 with a value": "40010001f161",
    "a length of 269 with 268 bytes": "400100010e0000" + "00" * 268,
    "option number 65536": "40010001e0fef3",
    "option number 65804, the longest head": "40010001e0ffff",
    "option numbers that grow too large": "40010001e0fef210",
    "a length of 65804 that ends": "400100010effff00",
}


def cases() -> list[dict[str, Any]]:
    refused = [{"name": n, "hex": data, "error": "malformed"} for n, data in REFUSED.items()]
    return [_case(*fields) for fields in MESSAGES] + [_longest()] + refused


def _case(
    name: str, kind: int, code: int, message_id: int, token: bytes, *rest: Any
) -> dict[str, Any]:
    options, payload = rest
    data = by_aiocoap(kind, code, message_id, token, options, payload)
    return {
        "name": name, "type": int(kind), "code": code, "message_id": message_id,
        "token": token.hex(), "options": [[number, value.hex()] for number, value in options],
        "payload": payload.hex(), "hex": data.hex(),
    }  # fmt: skip


def by_aiocoap(
    kind: int,
    code: int,
    message_id: int,
    token: bytes,
    options: list[tuple[int, bytes]],
    *rest: Any,
) -> bytes:
    message = aiocoap.Message(
        _mtype=aiocoap.Type(kind), code=aiocoap.Code(code), _mid=message_id, _token=token,
        payload=rest[0],
    )  # fmt: skip
    for number, value in options:
        message.opt.add_option(OpaqueOption(aiocoap.OptionNumber(number), value))
    encoded: bytes = message.encode()
    return encoded


def _longest() -> dict[str, Any]:
    """The longest option there is (RFC 7252 §3.1), far over any datagram: read, never written."""
    return {"name": "an option of 65804 bytes", "hex": "400100011effff", "zeros": 65804,
            "options": [[1, 65804]], "unwritable": "too-large"}  # fmt: skip
