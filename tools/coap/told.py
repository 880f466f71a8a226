"""An answer as people and scripts read it, with the next thing to type where it is a refusal."""

import base64
import json
from typing import NamedTuple

from gateway.coap.refusals import PROBLEM_DETAILS
from gateway.coap.requests import CONTENT_FORMAT, ETAG, MAX_AGE, OBSERVE, SIZE1
from protocol import cbor_reader
from protocol.coap import Message, code_text
from protocol.errors import ProtocolError

_ERROR = 0x80
# what to do about a code, for whoever typed the request
_FIXES = {
    "4.00": "look at the path and the options; the README has them under Errors",
    "4.01": "name a token with --token-file FILE, or $TALLYSTICK_TOKEN",
    "4.02": "leave the option out; tokens need plain_tokens = true under [coap]",
    "4.03": "use a token with a scope that may: `tallystick token add NAME --scope write`",
    "4.04": "look what there is: `tallystick get coap://HOST/.well-known/core`",
    "4.05": "use another of get, put, post and delete",
    "4.06": "leave --accept out",
    "4.08": "send it again",
    "4.09": "get it, and look who wrote it",
    "4.12": "get it again, and decide with its new ETag",
    "4.13": "send less, or in parts with `tallystick post`",
    "4.15": "give the --content-format that it has, or none",
}


class Problem(NamedTuple):
    """RFC 9290, as far as it was told."""

    title: str
    detail: str


def is_refusal(answer: Message) -> bool:
    return answer.code >= _ERROR


def problem_of(answer: Message) -> Problem:
    """The words of a refusal; a client that is not known hears none."""
    if number_of(answer, CONTENT_FORMAT) != PROBLEM_DETAILS:
        return Problem("", "")
    try:
        words = cbor_reader.decode(answer.payload)
    except ProtocolError:
        return Problem("", "")
    if not isinstance(words, dict):
        return Problem("", "")
    return Problem(str(words.get(-1, "")), str(words.get(-2, "")))


def refusal_text(answer: Message) -> str:
    """Two lines: what was wrong, and the fix."""
    code, problem = code_text(answer.code), problem_of(answer)
    said = ": ".join(part for part in (code, problem.title, problem.detail) if part)
    wait_s, limit = number_of(answer, MAX_AGE), number_of(answer, SIZE1)
    fix = _FIXES.get(code, "look at the gateway: `tallystick status`, and its log")
    if limit is not None:
        said += f" (at most {limit} bytes)"
    elif wait_s is not None:
        fix = f"wait {wait_s} s, then try again"
    return f"{said}\n  fix: {fix}"


def as_json(answer: Message) -> str:
    """One line. `text` where the payload is UTF-8, else `base64`."""
    shown: dict[str, object] = {"code": code_text(answer.code)}
    for name, number in (("content_format", CONTENT_FORMAT), ("observe", OBSERVE)):
        if answer.option(number) is not None:
            shown[name] = number_of(answer, number)
    etag = answer.option(ETAG)
    if etag is not None:
        shown["etag"] = etag.hex()
    if is_refusal(answer):
        return json.dumps(shown | problem_of(answer)._asdict())
    shown["size_bytes"] = len(answer.payload)
    try:
        shown["text"] = answer.payload.decode()
    except UnicodeDecodeError:
        shown["base64"] = base64.b64encode(answer.payload).decode()
    return json.dumps(shown)


def number_of(answer: Message, number: int) -> int | None:
    value = answer.option(number)
    return None if value is None else int.from_bytes(value, "big")
