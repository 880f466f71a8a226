"""Rulings beyond their vectors: read in parts, asked again, and what they remember."""

import pytest

from gateway.ledger.signer import verify_signature
from protocol import note
from protocol.errors import TamperedError
from protocol.prune import NEVER
from protocol.rulings import RULING, Ruling, Rulings
from tests.protocol.cases import rulings as cases
from tests.protocol.cases.rotation import FIRST

GONE, THERE = cases.GONE, cases.THERE


def rulings_of(*entries, is_copy=False):
    """Rulings over a ledger that the test goes on to change."""
    ledger = cases._ledger(*entries)

    def read(start, stop):
        for index, (kind, _, *parts) in list(enumerate(ledger))[start:stop]:
            if kind in RULING:
                yield Ruling(index, kind, *(part and bytes.fromhex(part) for part in parts))

    return Rulings(read, verify_signature, is_copy=is_copy), ledger


def pruned(*fields):
    return cases.prune(*fields)


def test_what_was_read_before_is_not_taken_in_again():
    rulings, ledger = rulings_of(GONE, pruned(0, 1, None, None))
    rulings.read_ahead(2)
    ledger.append(cases.entry(2, *pruned(1, 2, None, None)))

    rulings.read_ahead(1)
    rulings.read_ahead(3)

    assert rulings.prune_count == 2
    assert [index for index, _ in rulings.recent] == [1, 2]


def test_a_body_is_explained_by_what_is_read_later():
    rulings, _ = rulings_of(GONE, THERE, pruned(0, 1, None, None))
    rulings.read_ahead(2)

    with pytest.raises(TamperedError, match="no entry says who deleted it"):
        rulings.check_body(0, "pack", "shed", is_there=False)
    rulings.read_ahead(3)
    rulings.check_body(0, "pack", "shed", is_there=False)


def test_the_newest_prunes_are_remembered_one_by_one():
    rulings, _ = rulings_of(GONE, *(pruned(0, 1, None, None) for _ in range(9)))

    rulings.read_ahead(10)

    assert rulings.prune_count == 9
    assert [index for index, _ in rulings.recent] == [5, 6, 7, 8, 9]


def test_a_copy_is_held_to_the_reason_that_binds_it():
    redacted = cases.prune(1, 3, None, None, "redaction")
    rulings, _ = rulings_of(
        GONE, GONE, GONE, THERE, pruned(0, 4, None, None), redacted, is_copy=True
    )
    rulings.read_ahead(6)

    said = [rulings.standing(index, "pack", "shed") for index in range(4)]

    assert said == [(True, False, 1), (True, True, 3), (True, True, 3), (True, False, 4)]
    assert rulings.standing(0, "rotated", "") == (False, False, NEVER)


def test_a_prune_that_cannot_be_read_is_not_named_as_who_deleted():
    rulings, _ = rulings_of(THERE, ("pruned", "", b"nonsense"), pruned(0, 1, None, None))
    rulings.read_ahead(3)

    with pytest.raises(TamperedError, match="although entry 2 says"):
        rulings.check_body(0, "pack", "shed", is_there=True)


def test_a_ledger_that_was_never_rotated_has_the_key_one_trusts():
    rulings, _ = rulings_of(THERE)
    rulings.read_ahead(1)

    assert rulings.keys(note.parse_key(FIRST)).current == note.parse_key(FIRST)
