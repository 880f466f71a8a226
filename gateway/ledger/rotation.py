"""Rotation: a ledger's keys as its own entries vouch for them, and the turn to the next one.

Decides; the caller owns the store and the files. What is stored beside the entries is only
a shorter way to them: each epoch is held to its `rotated` entry, which both keys signed.
"""

from typing import NamedTuple

from gateway.errors import ConfigError, RolledBackError
from gateway.ledger import hashes, tree
from gateway.ledger.log import Draft, Log
from gateway.ledger.signer import Signer, verify_signature
from gateway.store import Reader
from protocol import note as notes
from protocol import rotation as rotations
from protocol.checkpoint import Checkpoint
from protocol.errors import MalformedError, ProtocolError
from protocol.note import Signature
from protocol.rotation import ROTATED, Keys, Rotation
from protocol.rulings import open_in_its_time

KEYS = "keys"  # state key: `Keys.lines()`; absent where the key never changed
TERMINAL = "terminal/"  # state key, with a rotation's size: the old key's last checkpoint
_MAX_SIGNATURES = 16  # on a terminal note: the old key's and the newest ones


class Turn(NamedTuple):
    """A rotation to be put: its entry, and the states of the same transaction."""

    draft: Draft
    states: dict[str, bytes]


def keys_of(reader: Reader) -> Keys | None:
    """The ledger's keys, held to its entries; None where the key never changed.

    RolledBackError where an entry does not say so: then somebody else has written the list.
    """
    stored = reader.state(KEYS)
    if stored is None:
        return None
    try:
        listed = Keys.parse(stored.decode(errors="replace"))
        keys = Keys(listed.epochs[0][1])
        for size, key in listed.epochs[1:]:
            rotation = _rotation_at(reader, size)
            keys.rotate(rotation, size, tree.root(size, hashes.reading(reader)))
            if rotation.new != key:
                raise MalformedError(f"entry {size} rotates to another key")
    except ProtocolError as error:
        raise RolledBackError(
            f"the ledger's keys are not those that its entries speak of: {error}",
            "run `tallystick verify DIR`, restore a backup",
        ) from error
    return keys


def held_keys(reader: Reader, signer: Signer) -> Keys:
    """The ledger's keys, of which `signer` has the current one; ConfigError where it does not."""
    keys = keys_of(reader) or Keys(signer.verifier_key)
    if keys.current == signer.verifier_key:
        return keys
    if keys.trusts(signer.verifier_key):
        at, current = keys.epochs[-1]
        raise ConfigError(
            f"signer.key is a key of before the rotation at entry {at}: it signs nothing any more",
            f"put the signer.key back that belongs to {notes.format_key(current)}",
        )
    raise ConfigError(
        "signer.key is none of this ledger's keys",
        f"put the signer.key back that belongs to {notes.format_key(keys.current)}",
    )


def open_note(note: str, keys: Keys) -> Checkpoint:
    """The checkpoint of a note that the key of its size has signed; ProtocolError otherwise."""
    return open_in_its_time(note, keys, verify_signature)


def next_rotation(keys: Keys, index: int) -> int | None:
    """The size of the first rotation after entry `index`, which may not stand under its note."""
    return next((size for size, _ in keys.epochs[1:] if size > index), None)


def turn(reader: Reader, old: Signer, new: Signer) -> Turn:
    """What puts `new` in the place of `old`, whose last word is on the ledger as it stands."""
    log = Log.load(reader)
    rotation = Rotation(log.size, log.root(), old.verifier_key, new.verifier_key)
    keys = held_keys(reader, old)
    keys.rotate(rotation, log.size, rotation.root)
    body = rotations.seal(rotation, old.sign_bytes, new.sign_bytes)
    states = {KEYS: keys.lines().encode()}
    for size, _ in keys.epochs[1:]:
        key = f"{TERMINAL}{size}"
        last = reader.state(key)
        note = last.decode() if last else old.sign(log.size, rotation.root)
        states[key] = _also_signed(note, new).encode()
    return Turn(Draft(ROTATED, "", body), states)


def _rotation_at(reader: Reader, index: int) -> Rotation:
    found = reader.entries(index, index + 1)
    if not found or found[0].kind != ROTATED or found[0].body is None:
        raise MalformedError(f"entry {index} is no rotation")
    return rotations.open_sealed(found[0].body, verify_signature)


def _also_signed(note: str, signer: Signer) -> str:
    """The note with a line of `signer`'s: whoever was told a later key can open it, too.

    The key of its size stays the first; it is the only one that counts for who knows of the
    rotation.
    """
    parsed = notes.parse_note(note)
    key = signer.verifier_key
    line = Signature(key.name, key.key_id, signer.sign_bytes(parsed.text.encode()))
    later = [*parsed.signatures[1:], line][-(_MAX_SIGNATURES - 1) :]
    return notes.format_note(parsed._replace(signatures=[parsed.signatures[0], *later]))
