"""Control: the gateway's side of what a device asks and is told at `/c` (wire-format §15)."""

from collections import namedtuple

from protocol import asking, cbor, cbor_reader, cose, cose_reader
from protocol.envelope import KID_BYTES
from protocol.errors import MalformedError, TooLargeError
from protocol.limits import MAX_ENVELOPE_BYTES, MAX_NUMBER, MAX_TOLD_BYTES
from protocol.mac import HmacKey

NONCE_BYTES = 8
_NONCE, _KNOWN, _RUNS, _DONE, _OF, _AT = 1, 2, 3, 4, 5, 6


class Question(namedtuple("Question", ("nonce", "known", "runs", "done", "of", "at"))):
    """`known` is the highest configuration version it has had whole, `runs` the one in effect.

    `done` is the highest command it is finished with. It has `at` bytes of version `of`.
    """

    nonce: bytes
    known: int
    runs: int
    done: int
    of: int
    at: int


class Command(namedtuple("Command", ("id", "name", "argument"))):
    id: int
    name: str
    argument: str


class Answer(namedtuple("Answer", ("nonce", "version", "size", "piece", "commands", "withheld"))):
    """`piece` is what follows in the text of `version`, which has `size` bytes; 0: nothing to tell.

    `withheld`: the text has secrets, and is told under OSCORE only.
    """

    nonce: bytes
    version: int
    size: int
    piece: bytes
    commands: list[Command]
    withheld: bool


def kid_of_question(data: bytes) -> bytes:
    """Who says it is asking; nothing is checked but the shape."""
    protected, _, _ = _parts(data)
    return protected[-KID_BYTES:]


def open_question(key: HmacKey, data: bytes) -> Question:
    """The question that `key` sealed. Raises BadMac-, Malformed- or TooLargeError."""
    protected, payload, mac = _parts(data)
    cose_reader.check(key, protected, payload, mac, external_aad=asking.ASK)
    fields = cbor_reader.decode(payload)
    if not isinstance(fields, dict) or len(fields) != 6:
        raise MalformedError("a question has six fields")
    nonce = fields.get(_NONCE)
    if not isinstance(nonce, bytes) or len(nonce) != NONCE_BYTES:
        raise MalformedError(f"a nonce is {NONCE_BYTES} bytes")
    return Question(nonce, *[_whole(fields, at) for at in (_KNOWN, _RUNS, _DONE, _OF, _AT)])


def seal_answer(key: HmacKey, kid: bytes, answer: Answer) -> bytes:
    """TooLargeError where it is more than a board has room for."""
    payload = cbor.encode(dict(enumerate(answer, _NONCE)))
    sealed = cose.mac0(key, asking.protected_header(kid), payload, external_aad=asking.TELL)
    return _fitting(sealed, MAX_TOLD_BYTES)


def _parts(data: bytes) -> tuple[bytes, bytes, bytes]:
    """(protected, payload, tag), unverified."""
    protected, payload, mac = cose_reader.parse(_fitting(data, MAX_ENVELOPE_BYTES))
    if protected != asking.protected_header(protected[-KID_BYTES:]):
        raise MalformedError("a protected header holds alg 5 and a kid, nothing else")
    return protected, payload, mac


def _fitting(data: bytes, most: int) -> bytes:
    if len(data) > most:
        raise TooLargeError(f"{len(data)} bytes, over {most}", most)
    return data


def _whole(fields: dict[int, object], label: int) -> int:
    number = fields.get(label)
    if number is True or number is False or not isinstance(number, int):
        raise MalformedError(f"field {label} is not a number")
    if not 0 <= number <= MAX_NUMBER:
        raise MalformedError(f"field {label} is out of range")
    return number
