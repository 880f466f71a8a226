"""Cosignatures: a witness's signature, with its time, under a checkpoint (C2SP tlog-cosignature).

It says: of this origin I have seen nothing larger by then, and all that I saw is a past of it.
"""

from collections import namedtuple

from protocol import note as notes
from protocol.errors import BadSignatureError
from protocol.note import Note, Signature, VerifierKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from protocol.note import Verify

    Sign = Callable[[bytes], bytes]

_TIME_BYTES = 8


class Cosigned(namedtuple("Cosigned", ("name", "time_s"))):
    """Who says so, and since when: Unix seconds of the witness's clock."""

    name: str
    time_s: int


def seal(key: VerifierKey, text: str, time_s: int, sign: "Sign") -> Signature:
    """`key`'s line under the checkpoint `text`; `sign(message) -> bytes`, 0 < `time_s` < 2**63."""
    signature = sign(_MESSAGES[key.algorithm](text, time_s))
    return Signature(key.name, key.key_id, time_s.to_bytes(_TIME_BYTES, "big") + signature)


def check(note: Note, key: VerifierKey, verify: "Verify") -> Cosigned | None:
    """What `key` says of the note's text; None where it says nothing.

    BadSignatureError where a line has its name and hash, and is not its cosignature: that note
    is refused as a whole (signed-note). Other keys' lines are passed over.
    """
    for line in note.signatures:
        if (line.name, line.key_id) == (key.name, key.key_id):
            return _checked(line, note.text, key, verify)
    return None


def cosigners(note: Note, keys: "Iterable[VerifierKey]", verify: "Verify") -> list[Cosigned]:
    """What those of `keys` say that say anything. Raises BadSignatureError as `check` does."""
    found = [check(note, key, verify) for key in keys]
    return [cosigned for cosigned in found if cosigned is not None]


def _checked(line: Signature, text: str, key: VerifierKey, verify: "Verify") -> Cosigned:
    message = _MESSAGES.get(key.algorithm)
    if message is None:
        raise BadSignatureError(f"{key.name} signs without a time: it is no witness's key")
    time_s = int.from_bytes(line.value[:_TIME_BYTES], "big")
    if len(line.value) <= _TIME_BYTES or not 0 < time_s < 1 << 63:
        raise BadSignatureError(f"a cosignature by {key.name} without its time")
    if not verify(key, line.value[_TIME_BYTES:], message(text, time_s)):
        raise BadSignatureError(f"the cosignature by {key.name} does not fit the text")
    return Cosigned(key.name, time_s)


def _ed25519(text: str, time_s: int) -> bytes:
    return "cosignature/v1\ntime {}\n{}".format(time_s, text).encode()


# A new algorithm is a row here, one in protocol.note and one where signatures are checked.
_MESSAGES = {notes.COSIGNATURE: _ed25519}
