"""fsck: recompute all of a ledger and say the first thing that is wrong.

Reads in short steps, so the writer is never kept waiting, and in constant memory.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from gateway.errors import GatewayError, IntegrityError, RolledBackError
from gateway.ledger import hashes, rotation, tree
from gateway.ledger.fsck_entries import EntryCheck
from gateway.ledger.fsck_facts import Facts, StateError, facts_of, keys_before, rulings_among
from gateway.ledger.fsck_numbers import NumberCheck
from gateway.ledger.fsck_parts import PartCheck
from gateway.ledger.signer import verify_signature
from gateway.store import Query, ReadableStore, Reader, Taken
from protocol import checkpoint as notes
from protocol.audit import Audit
from protocol.checkpoint import Checkpoint
from protocol.errors import ProtocolError, TamperedError
from protocol.merkle import EMPTY_ROOT
from protocol.note import VerifierKey
from protocol.rotation import Keys
from protocol.rulings import Ruling, Rulings

_PAGE = 256  # entries in one view
_SCAN = 16_384  # entries looked at for rulings in one view


class Options(NamedTuple):
    """`key` is one of the ledger's, for notes to be signed by; without it they are believed.

    `since` is a note whose entries were verified before: they are taken on trust once its root
    is that of the stored hashes. `pause` is called between two views, and `progress` with how
    many entries are done, and of how many. `is_copy` for a collector's: less is asked of it, so
    whoever calls says so, and never the ledger itself.
    """

    key: VerifierKey | None = None
    since: str = ""
    pause: Callable[[], None] = lambda: None
    progress: Callable[[int, int], None] = lambda done, total: None
    is_copy: bool = False


class Report(msgspec.Struct, frozen=True):
    """`first_bad` is the index of the first wrong entry; `root` covers `entries` leaves.

    It is None with a `reason` where what is wrong is no entry's. Entries before `checked_from`
    were taken on trust.
    """

    valid: bool
    entries: int
    root: str
    chain: str
    first_bad: int | None = None
    reason: str | None = None
    checked_from: int = 0
    missing_bodies: int = 0

    def as_json(self) -> Any:
        return msgspec.to_builtins(self)


def check(
    store: ReadableStore, origin: str, note: str = "", options: Options | None = None
) -> Report:
    """Checks all that is committed when it starts; `note` is a checkpoint to hold it to."""
    return _Check(store, origin, options or Options()).run(note)


class _Check:
    def __init__(self, store: ReadableStore, origin: str, options: Options) -> None:
        self._store = store
        self._origin = origin
        self._options = options
        self._size = 0
        self._checked_from = 0
        self._is_copy = options.is_copy
        self._rulings = Rulings(self._read_rulings, verify_signature)
        self._entries = EntryCheck(self._rulings, Audit(), [[]])
        self._numbers = NumberCheck()
        self._parts = PartCheck()
        self._numbers_done = 0

    def run(self, note: str) -> Report:
        try:
            facts = self._begin()
            self._hold_to(facts, note)
            self._walk()
            self._check_keys()
            self._check_strays()
            if not self._is_copy and not self._checked_from:
                self._check_numbers()
                self._parts.finish(self._store, self._size, self._options.pause)
        except TamperedError as error:
            return self._report(error.index, error.what)
        except IntegrityError as error:
            bad = self._entries.audit.size if error.index < 0 else error.index
            return self._report(bad, str(error))
        except StateError as error:
            return self._report(None, str(error))
        except (ProtocolError, GatewayError, RolledBackError) as error:
            return self._report(self._entries.audit.size, str(error))
        return self._report(None, None)

    # --- what the entries are held to -------------------------------------------------------

    def _begin(self) -> Facts:
        facts = self._store.read(facts_of)
        if facts.origin != self._origin:
            raise StateError(f"the ledger is of {facts.origin!r}, not of {self._origin!r}")
        if facts.role is not None and not self._is_copy:
            raise StateError("it says that it is a collector's copy, and it is a gateway's ledger")
        self._size = facts.size
        since = self._store.read(self._since)
        rotated = self._store.read(rotation.keys_of) if since.size else None
        self._rulings = Rulings(
            self._read_rulings,
            verify_signature,
            is_copy=self._is_copy,
            start=since.size,
            rotated=keys_before(rotated, since.size),
        )
        self._entries = self._store.read(lambda r: EntryCheck.after(since.size, self._rulings, r))
        self._checked_from = since.size
        self._rulings.read_ahead(self._size)
        return facts

    def _since(self, reader: Reader) -> Checkpoint:
        """What is taken on trust: nothing, if no note says otherwise."""
        if not self._options.since:
            return Checkpoint(self._origin, 0, EMPTY_ROOT)
        key = self._options.key
        if key is None:
            signed = notes.unverified(self._options.since)
        else:
            signed = rotation.open_note(self._options.since, rotation.keys_of(reader) or Keys(key))
        self._check_fits(signed)
        if tree.root(signed.size, hashes.reading(reader)) != signed.root:
            what = f"the first {signed.size} entries are not those that were signed"
            raise TamperedError(max(signed.size - 1, 0), what)
        return signed

    def _hold_to(self, facts: Facts, note: str) -> None:
        terminals = self._store.read(self._terminals)
        for text in filter(None, (note, *facts.others, *terminals)):
            self._expect(self._opened(text))
        stored = self._opened(facts.note) if facts.note else None
        # a copy may have it before the entries that it covers
        if stored and not (self._is_copy and stored.size > self._size):
            self._expect(stored)

    def _terminals(self, reader: Reader) -> list[str]:
        """The last words of keys that were rotated away; a gateway sends its past under them."""
        if self._is_copy or self._rulings.rotated is None:
            return []
        held = []
        for size, _ in self._rulings.rotated.epochs[1:]:
            note = reader.state(f"{rotation.TERMINAL}{size}")
            if note is None or notes.unverified(note.decode(errors="replace")).size != size:
                raise StateError(f"the last checkpoint before the rotation in entry {size} is lost")
            held.append(note.decode(errors="replace"))
        return held

    def _opened(self, note: str) -> Checkpoint:
        if self._options.key is None:
            return notes.unverified(note)
        return self._rulings.open_note(note, self._options.key)[0]

    def _expect(self, signed: Checkpoint) -> None:
        self._check_fits(signed)
        if signed.size >= self._checked_from:
            self._entries.audit.expect(signed)

    def _check_fits(self, signed: Checkpoint) -> None:
        if signed.origin != self._origin:
            raise StateError(f"a checkpoint of {signed.origin!r}, not of {self._origin!r}")
        if signed.size > self._size:
            raise TamperedError(self._size, f"missing: a checkpoint of {signed.size} is signed")

    # --- the entries ------------------------------------------------------------------------

    def _walk(self) -> None:
        while self._entries.audit.size < self._size:
            try:
                self._store.read(self._check_page)
            except TamperedError as error:
                # whoever deletes bodies while we look says so in an entry behind our last
                if not error.untold or not self._is_told_more():
                    raise
            self._tell()

    def _check_page(self, reader: Reader) -> None:
        first = self._entries.audit.size
        count = min(_PAGE, self._size - first)
        found = reader.select(Query(after=first - 1, limit=count, scan=count)).entries
        for entry in found:
            self._entries.add(entry)
            if not self._is_copy:
                self._numbers.check_entry(reader, entry)
                if not self._checked_from:
                    self._parts.check_entry(reader, entry)
        if not found:
            raise TamperedError(self._entries.audit.size, "the entry is missing")
        self._entries.check_nodes(reader)

    def _is_told_more(self) -> bool:
        known = self._rulings.prune_count
        self._size = self._store.read(facts_of).size
        self._rulings.read_ahead(self._size)
        self._entries.rule_anew()
        return self._rulings.prune_count > known

    def _read_rulings(self, first: int, stop: int) -> Iterator[Ruling]:
        for start in range(first, stop, _SCAN):
            yield from self._rulings_among(start, min(start + _SCAN, stop))
            self._options.pause()

    def _rulings_among(self, start: int, stop: int) -> list[Ruling]:
        return self._store.read(lambda reader: rulings_among(reader, start, stop))

    # --- what is beside them ----------------------------------------------------------------

    def _check_keys(self) -> None:
        facts = self._store.read(facts_of)
        self._rulings.read_ahead(facts.size)  # what has come since may have told of another key
        rotated = self._rulings.rotated
        if facts.keys != (rotated and rotated.lines().encode()):
            raise StateError("the ledger's list of its keys is not what its rotations say")

    def _check_strays(self) -> None:
        for what, at in self._store.read(lambda reader: reader.strays()):
            raise TamperedError(at, f"{what} that belongs to no entry")

    def _check_numbers(self) -> None:
        rows = self._numbers_after(None)
        while rows:
            self._numbers.check_taken(rows, self._size)
            self._numbers_done += len(rows)
            self._tell()
            rows = self._numbers_after(rows[-1][:3])
        self._numbers.check_end()

    def _numbers_after(self, last: tuple[bytes, int, int] | None) -> list[Taken]:
        return self._store.read(lambda reader: reader.numbers(last, _PAGE))

    def _tell(self) -> None:
        done = self._entries.audit.size + self._numbers_done
        # about as many numbers as entries, where they are looked at
        total = self._size if self._is_copy or self._checked_from else 2 * self._size
        self._options.progress(done, max(done, total))
        self._options.pause()

    def _report(self, first_bad: int | None, reason: str | None) -> Report:
        audit = self._entries.audit
        return Report(
            valid=reason is None,
            entries=audit.size,
            root=audit.root().hex(),
            chain=audit.chain.hex(),
            first_bad=first_bad,
            reason=reason,
            checked_from=self._checked_from,
            missing_bodies=self._entries.missing,
        )
