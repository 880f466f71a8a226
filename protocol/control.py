"""Control: what a device asks at `/c`, and what it is told (wire-format §15).

Both are sealed under the device's `down` key, which boards of either profile have, each with an
external_aad of its own: neither can be taken for the other, or for a receipt. The answer has the
question's nonce: an old one answers nothing.
"""

from collections import namedtuple

from protocol import cbor, cbor_reader, cose, cose_reader
from protocol.envelope import KID_BYTES
from protocol.errors import BadMacError, MalformedError, TooLargeError
from protocol.limits import (
    MAX_ARGUMENT_BYTES,
    MAX_COMMAND_BYTES,
    MAX_CONFIG_BYTES,
    MAX_ENVELOPE_BYTES,
    MAX_NUMBER,
    MAX_PIECE_BYTES,
    MAX_TOLD_COMMANDS,
)
from protocol.mac import HmacKey

ASK, TELL = b"ask", b"told"  # external_aad of each
NONCE_BYTES = 8
_NONCE = 1
_KNOWN, _RUNS, _DONE, _OF, _AT = 2, 3, 4, 5, 6  # of a question, in its order
_VERSION, _SIZE, _PIECE, _COMMANDS, _WITHHELD = 2, 3, 4, 5, 6  # of an answer


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


def seal_question(key: HmacKey, kid: bytes, question: Question) -> bytes:
    return _sealed(key, kid, dict(enumerate(question, _NONCE)), ASK)


def kid_of_question(data: bytes) -> bytes:
    """Who says it is asking; nothing is checked but the shape."""
    kid, _, _, _ = _parts(data)
    return kid


def open_question(key: HmacKey, data: bytes) -> Question:
    """The question that `key` sealed. Raises BadMac-, Malformed- or UnsupportedError."""
    _, protected, payload, mac = _parts(data)
    fields = _opened(key, protected, payload, mac, ASK)
    numbers = [_whole(fields, label, MAX_NUMBER) for label in (_KNOWN, _RUNS, _DONE, _OF, _AT)]
    return Question(_nonce(fields), *numbers)


def seal_answer(key: HmacKey, kid: bytes, answer: Answer) -> bytes:
    """TooLargeError where it would not fit one datagram."""
    fields: dict[int, object] = {
        _NONCE: answer.nonce,
        _VERSION: answer.version,
        _SIZE: answer.size,
        _PIECE: answer.piece,
        _COMMANDS: answer.commands,
        _WITHHELD: answer.withheld,
    }
    return _sealed(key, kid, fields, TELL)


def open_answer(key: HmacKey, data: bytes, asked: Question, kid: bytes) -> Answer:
    """The answer to `asked`. Raises BadMacError for any other one's."""
    whose, protected, payload, mac = _parts(data)
    fields = _opened(key, protected, payload, mac, TELL)
    if whose != kid or fields.get(_NONCE) != asked.nonce:
        raise BadMacError("an answer to another question")
    version = _whole(fields, _VERSION, MAX_NUMBER)
    size = _whole(fields, _SIZE, MAX_CONFIG_BYTES)
    piece, listed, withheld = fields.get(_PIECE), fields.get(_COMMANDS), fields.get(_WITHHELD)
    if not isinstance(piece, bytes) or len(piece) > min(size, MAX_PIECE_BYTES):
        raise MalformedError("a piece is bytes of the text, and not too many")
    if not isinstance(listed, list) or len(listed) > MAX_TOLD_COMMANDS:
        raise MalformedError(f"at most {MAX_TOLD_COMMANDS} commands are told at once")
    if withheld is not True and withheld is not False:
        raise MalformedError("whether something is withheld is true or false")
    commands = [_command(one) for one in listed]
    return Answer(asked.nonce, version, size, piece, commands, withheld)


def _sealed(key: HmacKey, kid: bytes, fields: dict[int, object], aad: bytes) -> bytes:
    protected = cbor.encode({cose.ALG: cose.HMAC_256, cose.KID: kid})
    sealed = cose.mac0(key, protected, cbor.encode(fields), external_aad=aad)
    if len(sealed) > MAX_ENVELOPE_BYTES:
        raise TooLargeError(f"{len(sealed)} bytes, over {MAX_ENVELOPE_BYTES}", MAX_ENVELOPE_BYTES)
    return sealed


def _parts(data: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """(kid, protected, payload, tag), unverified."""
    if len(data) > MAX_ENVELOPE_BYTES:
        raise TooLargeError(f"{len(data)} bytes, over {MAX_ENVELOPE_BYTES}", MAX_ENVELOPE_BYTES)
    protected, payload, mac = cose_reader.parse(data)
    header = cbor_reader.decode(protected)
    if not isinstance(header, dict) or len(header) != 2 or header.get(cose.ALG) != cose.HMAC_256:
        raise MalformedError("a protected header holds alg 5 and a kid, nothing else")
    kid = header.get(cose.KID)
    if not isinstance(kid, bytes) or len(kid) != KID_BYTES:
        raise MalformedError(f"a kid is {KID_BYTES} bytes")
    return kid, protected, payload, mac


def _opened(
    key: HmacKey, protected: bytes, payload: bytes, mac: bytes, aad: bytes
) -> "dict[int, object]":
    cose_reader.check(key, protected, payload, mac, external_aad=aad)
    fields = cbor_reader.decode(payload)
    if not isinstance(fields, dict) or len(fields) != 6:
        raise MalformedError("a question and an answer have six fields")
    return fields


def _nonce(fields: "dict[int, object]") -> bytes:
    nonce = fields.get(_NONCE)
    if not isinstance(nonce, bytes) or len(nonce) != NONCE_BYTES:
        raise MalformedError(f"a nonce is {NONCE_BYTES} bytes")
    return nonce


def _whole(fields: "dict[int, object]", label: int, most: int) -> int:
    number = fields.get(label)
    if number is True or number is False or not isinstance(number, int):
        raise MalformedError(f"field {label} is not a number")
    if not 0 <= number <= most:
        raise MalformedError(f"field {label} is out of range")
    return number


def _command(item: object) -> Command:
    if not isinstance(item, list) or len(item) != 3:
        raise MalformedError("a command is [id, name, argument]")
    number, name, argument = item
    if not isinstance(name, str) or not isinstance(argument, str):
        raise MalformedError("a command's name and argument are texts")
    if not 0 < len(name.encode()) <= MAX_COMMAND_BYTES:
        raise MalformedError("a command's name is too long, or empty")
    if len(argument.encode()) > MAX_ARGUMENT_BYTES:
        raise MalformedError("a command's argument is too long")
    return Command(_whole({0: number}, 0, MAX_NUMBER), name, argument)
