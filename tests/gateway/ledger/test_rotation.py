"""A ledger's keys: what its entries vouch for, and what a list beside them cannot claim."""

import msgspec
import pytest

from gateway.errors import ConfigError, RolledBackError
from gateway.ledger import rotation
from gateway.ledger.rotation import KEYS, TERMINAL
from gateway.ledger.signer import Signer, verify_signature
from protocol import checkpoint as notes
from protocol.errors import BadSignatureError
from protocol.rotation import ROTATED, Keys
from tests.fakes import ORIGIN, SEED, FakeGateway

SEEDS = [SEED, *(bytes((n,)) * 32 for n in range(1, 40))]
SIGNERS = [Signer(ORIGIN, seed) for seed in SEEDS]


def rotated(*sizes: int) -> FakeGateway:
    """A ledger whose key is exchanged at each of `sizes`, and three entries more."""
    gateway = FakeGateway()
    for number, size in enumerate(sizes, 1):
        if size > gateway.writer.size:
            gateway.fill(size - gateway.writer.size)
        gateway.rotate(SEEDS[number])
    gateway.fill(3)
    return gateway


def keys_of(gateway: FakeGateway) -> Keys | None:
    return gateway.store.read(rotation.keys_of)


def state(gateway: FakeGateway, key: str) -> bytes:
    found = gateway.store.read(lambda reader: reader.state(key))
    assert found is not None
    return found


def put_state(gateway: FakeGateway, key: str, value: bytes) -> None:
    gateway.store.transact(lambda transaction: transaction.put_state(key, value))


def test_a_ledger_whose_key_never_changed_has_one_and_lists_none():
    gateway = rotated()

    held = gateway.store.read(lambda reader: rotation.held_keys(reader, gateway.signer))

    assert keys_of(gateway) is None
    assert held.epochs == [(0, gateway.signer.verifier_key)]


@pytest.mark.parametrize("sizes", [(0,), (1,), (5,), (5, 6), (5, 300)])
def test_each_rotation_is_an_entry_and_from_there_on_the_next_key_signs(sizes):
    gateway = rotated(*sizes)

    keys = keys_of(gateway)

    kinds = {size: gateway.store.read(lambda r, n=size: r.entries(n, n + 1)) for size in sizes}
    assert {size: found[0].kind for size, found in kinds.items()} == dict.fromkeys(sizes, ROTATED)
    for size in (*sizes, *(size + 1 for size in sizes)):
        epoch = sum(at < size for at in sizes)
        assert keys.at(size) == SIGNERS[epoch].verifier_key
    assert rotation.open_note(gateway.sign(), keys).size == gateway.writer.size


def test_a_checkpoint_past_a_rotation_does_not_open_under_the_old_key():
    gateway = rotated(5)
    keys, root = keys_of(gateway), bytes(32)

    for signer, size in ((SIGNERS[0], 6), (SIGNERS[0], 1 << 40), (SIGNERS[1], 5), (SIGNERS[1], 0)):
        with pytest.raises(BadSignatureError):
            rotation.open_note(signer.sign(size, root), keys)
    for signer, size in ((SIGNERS[0], 0), (SIGNERS[0], 5), (SIGNERS[1], 6)):
        assert rotation.open_note(signer.sign(size, root), keys).size == size


def test_the_old_keys_last_word_is_kept_with_a_line_of_every_later_key():
    gateway = rotated(5, 9)
    keys = keys_of(gateway)

    first, second = (state(gateway, f"{TERMINAL}{size}").decode() for size in (5, 9))

    assert (rotation.open_note(first, keys).size, rotation.open_note(second, keys).size) == (5, 9)
    for note, signers in ((first, SIGNERS[:3]), (second, SIGNERS[1:3])):
        for signer in signers:
            assert notes.open_note(note, signer.verifier_key, verify_signature)
    with pytest.raises(BadSignatureError):
        notes.open_note(second, SIGNERS[0].verifier_key, verify_signature)


def test_a_terminal_note_does_not_grow_for_ever():
    gateway = rotated(*range(5, 35))

    first = state(gateway, f"{TERMINAL}5").decode()

    assert len(first.splitlines()) == 3 + 1 + 16
    for signer in (SIGNERS[0], SIGNERS[30]):
        assert notes.open_note(first, signer.verifier_key, verify_signature).size == 5


@pytest.mark.parametrize(("index", "end"), [(0, 5), (4, 5), (5, 9), (8, 9), (9, None), (99, None)])
def test_what_comes_before_a_rotation_ends_there(index, end):
    assert rotation.next_rotation(keys_of(rotated(5, 9)), index) == end


def of_another_key(gateway: FakeGateway) -> bytes:
    return state(gateway, KEYS).replace(
        SIGNERS[1].verifier_text.encode(), SIGNERS[2].verifier_text.encode()
    )


def with_a_first_key_of_their_own(gateway: FakeGateway) -> bytes:
    """So that a forged checkpoint of up to 5 would open."""
    return state(gateway, KEYS).replace(
        SIGNERS[0].verifier_text.encode(), SIGNERS[2].verifier_text.encode()
    )


def with_one_more(gateway: FakeGateway) -> bytes:
    return state(gateway, KEYS) + f"6 {SIGNERS[2].verifier_text}\n".encode()


LISTS = {
    "another key": (of_another_key, "entry 5 rotates to another key"),
    "another first key": (with_a_first_key_of_their_own, "not the current one"),
    "one more": (with_one_more, "entry 6 is no rotation"),
    "past the end": (lambda g: state(g, KEYS) + b"99" + state(g, KEYS)[1:], "99 is no rotation"),
    "nothing": (lambda g: b"", "lines of a size and a key"),
    "no text": (lambda g: b"\xff\xfe\n", "is no size"),
}


@pytest.mark.parametrize(("listed", "message"), LISTS.values(), ids=LISTS)
def test_a_list_of_keys_that_no_entry_vouches_for_is_refused(listed, message):
    gateway = rotated(5)
    put_state(gateway, KEYS, listed(gateway))

    with pytest.raises(RolledBackError, match=message) as refusal:
        keys_of(gateway)

    assert "restore a backup" in refusal.value.fix


def grafted(*, with_body: bool) -> FakeGateway:
    """Five entries of its own, then another ledger's rotation and list of keys."""
    true, gateway = rotated(5), FakeGateway()
    gateway.fill(2)
    gateway.fill(3)
    entry = true.store.read(lambda reader: reader.entries(5, 6))[0]
    if not with_body:
        entry = msgspec.structs.replace(entry, salt=b"", body=None)
    gateway.store.transact(lambda transaction: transaction.append([entry]))
    put_state(gateway, KEYS, state(true, KEYS))
    return gateway


@pytest.mark.parametrize(
    ("with_body", "message"),
    [(True, "another place of the ledger"), (False, "entry 5 is no rotation")],
)
def test_a_rotation_of_another_ledger_is_refused(with_body, message):
    with pytest.raises(RolledBackError, match=message):
        keys_of(grafted(with_body=with_body))


def test_the_key_of_before_a_rotation_signs_no_more():
    gateway = rotated(5, 9)

    for old in SIGNERS[:2]:
        with pytest.raises(ConfigError, match="before the rotation at entry 9") as refusal:
            gateway.store.read(lambda reader, s=old: rotation.held_keys(reader, s))
        assert SIGNERS[2].verifier_text in refusal.value.fix


def test_a_key_that_is_none_of_the_ledgers_signs_nothing():
    with pytest.raises(ConfigError, match="none of this ledger's keys") as refusal:
        rotated(5).store.read(lambda reader: rotation.held_keys(reader, SIGNERS[7]))

    assert SIGNERS[1].verifier_text in refusal.value.fix


def test_a_key_that_had_its_time_does_not_come_back():
    gateway = rotated(5)

    with pytest.raises(BadSignatureError, match="had its time"):
        gateway.rotate(SEEDS[0])
