"""Remains: what can still be learnt of a ledger that must not be signed any more.

It may be damaged in any way: whatever cannot be read is left out, and nothing is changed.
"""

from collections.abc import Iterator

import structlog

from gateway import quarantine
from gateway.directory import Directory
from gateway.errors import (
    FatalError,
    GatewayError,
    GoneError,
    IntegrityError,
    NotFoundError,
)
from gateway.ledger import rotation
from gateway.ledger.batch import OWN_KIDS, Number
from gateway.ledger.contents import Contents, assembled
from gateway.ledger.start import CHECKPOINT
from gateway.store.sqlite import looking_at
from protocol.errors import ProtocolError
from protocol.rotation import Keys

_PAGE = 100  # resources that are looked up at once
_log = structlog.get_logger("remains")


def knows(directory: Directory, origin: str, note: str) -> bool:
    """Whether a key of the ledger's has signed this checkpoint."""
    return _size(note, list(_keys(directory, origin))) is not None


def largest_note(directory: Directory, origin: str, also: str | None = None) -> str | None:
    """The largest checkpoint that lies here, or is given, and that a key of `origin` signed."""
    keys = list(_keys(directory, origin))
    sizes = {note: _size(note, keys) for note in [*_notes(directory), also or ""]}
    known = {note: size for note, size in sizes.items() if size is not None}
    return max(known, key=lambda note: known[note], default=None)


def count_numbers(directory: Directory) -> int:
    """How many envelopes' numbers are taken; ConfigError or StoreFailedError if unreadable."""
    with looking_at(directory.ledger) as view:
        return sum(1 for _ in view.numbers_but(OWN_KIDS))


def numbers(directory: Directory) -> Iterator[Number]:
    """Every number that an envelope has taken. Others count what is in the old ledger only."""
    with looking_at(directory.ledger) as view:
        for number in view.numbers_but(OWN_KIDS):
            yield Number._make(number)


def resources(directory: Directory) -> Iterator[tuple[str, Contents]]:
    """Each durable resource that is whole. What is not is told in the log, and left out."""
    after = ""
    try:
        with looking_at(directory.ledger) as view:
            while lasts := view.parts.lasts(after, "", _PAGE):
                for path in (part.path for part in lasts):
                    try:
                        yield path, assembled(path, view.parts.of(path))
                    except (IntegrityError, GoneError, NotFoundError) as error:
                        _log.warning("a resource is left behind", path=path, detail=str(error))
                after = lasts[-1].path
    except (GatewayError, FatalError) as error:
        _log.warning("resources are left behind", behind=after, detail=str(error))


def _notes(directory: Directory) -> Iterator[str]:
    try:
        yield directory.checkpoint.read_text(errors="replace")
    except OSError:
        pass
    try:
        with looking_at(directory.ledger) as view:
            yield (view.state(CHECKPOINT) or b"").decode(errors="replace")
    except (GatewayError, FatalError):
        pass
    try:
        held = quarantine.load(directory.quarantine)
        yield held.note if held else ""
    except FatalError:
        pass


def _keys(directory: Directory, origin: str) -> Iterator[Keys]:
    """The keys that the ledger's entries vouch for, and those in the files beside it."""
    try:
        with looking_at(directory.ledger) as view:
            keys = rotation.keys_of(view)
        if keys:
            yield keys
    except (GatewayError, FatalError):
        pass
    try:
        yield Keys(directory.load_signer(origin).verifier_key)
    except FatalError:
        pass
    try:
        yield Keys(directory.load_verifier(origin))
    except FatalError:
        pass


def _size(note: str, candidates: list[Keys]) -> int | None:
    for keys in candidates:
        try:
            return rotation.open_note(note, keys).size
        except ProtocolError:
            continue
    return None
