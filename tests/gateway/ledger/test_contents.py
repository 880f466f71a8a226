"""A resource put together from its parts: what is not what was committed is never served."""

import msgspec
import pytest

from gateway.errors import GoneError, IntegrityError, NotFoundError
from gateway.ledger.batch import Submission
from gateway.ledger.contents import Contents, assembled
from gateway.ledger.log import Draft
from gateway.store import Held
from protocol.merkle import leaf_hash
from tests.fakes import FakeGateway
from tests.gateway.resourceful import delete, post, put

PATH = "home/log"


@pytest.fixture
def held():
    """0: put "a"; 1: another path; 2, 3: "b" and "c" appended."""
    gateway = FakeGateway()
    gateway.commit(put(PATH, b"a", 0), put("etc/x", b"a", 0), post(PATH, b"b"), post(PATH, b"c"))
    return gateway.store.read(lambda r: r.parts.of(PATH))


def changed(held, place, **fields):
    part, entry = held[place]
    entry = msgspec.structs.replace(entry, **fields)
    return [*held[:place], Held(part, entry), *held[place + 1 :]]


def moved(held, place, **fields):
    part, entry = held[place]
    return [*held[:place], Held(part._replace(**fields), entry), *held[place + 1 :]]


def test_all_parts_make_one_content(held):
    assert assembled(PATH, held) == Contents(b"abc", 0, leaf_hash(held[2].entry.leaf))


def test_no_parts_are_no_resource():
    with pytest.raises(NotFoundError):
        assembled(PATH, [])


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_body_that_was_deleted_is_said_to_be(held, place):
    with pytest.raises(GoneError):
        assembled(PATH, changed(held, place, body=None, salt=b""))


DAMAGES = {
    "the first body": (0, lambda held: changed(held, 0, body=held[0].entry.body[:-1] + b"\0")),
    "the last body": (3, lambda held: changed(held, 2, body=b"")),
    "a salt": (2, lambda held: changed(held, 1, salt=bytes(16))),
    "a leaf": (2, lambda held: changed(held, 1, leaf=b"nonsense")),
    "another's entry": (2, lambda held: [held[0], Held(held[1].part, held[0].entry), held[2]]),
    "no entry": (0, lambda held: [Held(held[0].part, None)]),
    "one too few": (3, lambda held: [held[0], held[2]]),
    "without the first": (2, lambda held: held[1:]),
    "one twice": (2, lambda held: [held[0], held[1], held[1]]),
    "a position": (2, lambda held: moved(held, 1, position=5)),
    "a size": (3, lambda held: moved(held, 2, size_bytes=9)),
    "a format": (3, lambda held: moved(held, 2, content_format=60)),
}


@pytest.mark.parametrize(("index", "damage"), DAMAGES.values(), ids=DAMAGES)
def test_what_is_not_what_was_committed_is_named(held, index, damage):
    with pytest.raises(IntegrityError) as refusal:
        assembled(PATH, damage(held))

    assert refusal.value.index == index


def test_parts_of_two_lives_do_not_make_one():
    gateway = FakeGateway()
    gateway.commit(put(PATH), post(PATH), delete(PATH), put(PATH), post(PATH))
    entries = gateway.store.read(lambda r: r.entries(0, 5))
    first, second = gateway.store.read(lambda r: r.parts.of(PATH))

    mixed = [Held(first.part._replace(at=0, first=0), entries[0]), second]

    with pytest.raises(IntegrityError, match="does not follow entry 0"):
        assembled(PATH, mixed)


def test_a_first_part_that_was_appended_to_something_is_none():
    gateway = FakeGateway()
    gateway.commit(put(PATH, b"a"), post(PATH, b"b"))
    _, second = gateway.store.read(lambda r: r.parts.of(PATH))

    alone = [Held(second.part._replace(position=0, size_bytes=1), second.entry)]

    with pytest.raises(IntegrityError, match="has more before it"):
        assembled(PATH, alone)


def test_a_format_beside_the_first_part_that_is_another_is_named(held):
    with pytest.raises(IntegrityError, match="size or format"):
        assembled(PATH, [Held(h.part._replace(content_format=60), h.entry) for h in held])


def test_a_body_that_is_no_change_is_named():
    gateway = FakeGateway()
    gateway.commit(Submission(Draft("put", PATH, b"no change")))
    (entry,) = gateway.store.read(lambda r: r.entries(0, 1))
    gateway.commit(put("etc/x"))
    (held,) = gateway.store.read(lambda r: r.parts.of("etc/x"))

    with pytest.raises(IntegrityError, match="no change"):
        assembled(PATH, [Held(held.part._replace(at=0, path=PATH), entry)])
