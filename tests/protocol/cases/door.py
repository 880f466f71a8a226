"""How cases of the CoAP door are written: datagrams in, and what has to come back.

Datagrams are hex with `{names}` where bytes are known only when they are sent: an envelope, a
token, an ETag that was seen before. Their encoder is written here from RFC 7252 §3, so that
what is wrong can be written, too.
"""

from collections.abc import Sequence
from typing import Any

CON, NON, ACK, RST = 0, 1, 2, 3
EMPTY, GET, POST, PUT, DELETE, FETCH, PATCH, IPATCH = range(8)
CREATED, DELETED, VALID, CHANGED, CONTENT, CONTINUE = 0x41, 0x42, 0x43, 0x44, 0x45, 0x5F
BAD_REQUEST, UNAUTHORIZED, BAD_OPTION, FORBIDDEN = 0x80, 0x81, 0x82, 0x83
NOT_FOUND, NOT_ALLOWED, NOT_ACCEPTABLE, INCOMPLETE = 0x84, 0x85, 0x86, 0x88
PRECONDITION, TOO_LARGE, UNSUPPORTED_FORMAT, NO_PROXYING = 0x8C, 0x8D, 0x8F, 0xA5

IF_MATCH, URI_HOST, ETAG, IF_NONE_MATCH, OBSERVE, URI_PORT = 1, 3, 4, 5, 6, 7
URI_PATH, CONTENT_FORMAT, MAX_AGE, URI_QUERY, ACCEPT = 11, 12, 14, 15, 17
BLOCK2, BLOCK1, SIZE2, PROXY_URI, PROXY_SCHEME, SIZE1 = 23, 27, 28, 35, 39, 60
ECHO, NO_RESPONSE, REQUEST_TAG, TOKEN = 252, 258, 292, 65001

# Bytes of the options that are filled in when they are sent: see tests/integration/door.py.
FILLED = {"write": 43, "admin": 43, "unknown": 43, "etag": 8, "old": 8, "echo": 8}
Options = Sequence[tuple[int, bytes | str]]


def case(name: str, clause: str, *steps: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "clause": clause, "steps": list(steps)}


# --- what is sent ---------------------------------------------------------------------------


def send(data: str, *, whole: bool = True) -> dict[str, Any]:
    """`whole`: it has the form of RFC 7252 §3, whatever is in it."""
    return {"send": data} if whole else {"send": data, "malformed": True}


def message(
    kind: int,
    code: int,
    message_id: int,
    token: bytes = b"",
    options: Options = (),
    payload: bytes | str = b"",
) -> str:
    """`options` ascending; a value as text is a name of FILLED, a payload any name."""
    head = bytes((0x40 | kind << 4 | len(token), code)) + message_id.to_bytes(2, "big") + token
    text = head.hex()
    previous = 0
    for number, value in options:
        text += _option(number - previous, value)
        previous = number
    return text + ("ff" + _shown(payload) if payload else "")


def ask(
    code: int,
    message_id: int,
    where: str,
    *options: tuple[int, bytes | str],
    payload: bytes = b"",
    kind: int = CON,
    who: str = "admin",
) -> dict[str, Any]:
    """What `who` asks of the resource `where` ("" for nobody); options in any order."""
    by_token = [(TOKEN, who)] if who else []
    every = sorted([*path(*where.split("/")), *options, *by_token], key=lambda option: option[0])
    return send(message(kind, code, message_id, b"\x07", every, payload))


def fresh(message_id: int, where: str) -> list[dict[str, Any]]:
    """There is no such resource, whatever was there before."""
    return [ask(DELETE, message_id, where), ack(DELETED, message_id)]


def path(*segments: str) -> list[tuple[int, bytes | str]]:
    return [(URI_PATH, segment.encode()) for segment in segments]


def get(message_id: int, *segments: str, options: Options = ()) -> str:
    """A CON GET with a token of one byte, other options after the path."""
    return message(CON, GET, message_id, b"\x07", [*path(*segments), *options])


def uint(number: int) -> bytes:
    """RFC 7252 §3.2: without leading zeros."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def block(number: int, *, more: bool, szx: int) -> bytes:
    """RFC 7959 §2.2."""
    return uint(number << 4 | more << 3 | szx)


def _option(delta: int, value: bytes | str) -> str:
    size = len(value) if isinstance(value, bytes) else FILLED[value]
    (delta_nibble, delta_more), (size_nibble, size_more) = _split(delta), _split(size)
    return f"{delta_nibble << 4 | size_nibble:02x}{delta_more}{size_more}{_shown(value)}"


def _split(number: int) -> tuple[int, str]:
    if number < 13:
        return number, ""
    if number < 269:
        return 13, f"{number - 13:02x}"
    return 14, f"{number - 269:04x}"


def _shown(value: bytes | str) -> str:
    return value.hex() if isinstance(value, bytes) else "{" + value + "}"


# --- what comes back ------------------------------------------------------------------------


def answer(
    kind: int, code: int, message_id: int | None, token: bytes = b"", **content: Any
) -> dict[str, Any]:
    """The next datagram. `message_id` is None where the gateway chooses it.

    `options`: (number, value) that it has, None for any value, a name to remember it by.
    `without`: numbers that it does not have. `payload`: its bytes; `size`: how many; `has`,
    `lacks`: texts in it. `remember`: a name for the datagram; `same`: it is that one again.
    """
    shown = "????" if message_id is None else f"{message_id:04x}"
    head = f"{0x40 | kind << 4 | len(token):02x}{code:02x}{shown}{token.hex()}"
    if "options" in content:
        content["options"] = [
            [number, value.hex() if isinstance(value, bytes) else value and "{" + value + "}"]
            for number, value in content["options"]
        ]
    if "payload" in content:
        content["payload"] = content["payload"].hex()
    return {"answer": head, **content}


def ack(code: int, message_id: int, token: bytes = b"\x07", **content: Any) -> dict[str, Any]:
    """A piggybacked response (RFC 7252 §5.2.1)."""
    return answer(ACK, code, message_id, token, **content)


def reset(message_id: int) -> dict[str, Any]:
    """Exactly four bytes (RFC 7252 §4.3)."""
    return {"answer": f"7000{message_id:04x}", "bytes": 4}


def in_any_order(*answers: dict[str, Any]) -> dict[str, Any]:
    """All of them, one after another; which is first is the gateway's choice."""
    return {"answers": list(answers)}


def acknowledge() -> dict[str, Any]:
    """An empty ACK of what came last."""
    return {"send": "6000{mid}"}


def silence() -> dict[str, Any]:
    """Nothing comes, and what is asked next is answered."""
    return {"silence": True}
