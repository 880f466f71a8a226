"""What is not what was committed: told once, recorded once, shown for as long as it is so."""

import asyncio

import pytest

from gateway.errors import BusyError, IntegrityError, StoreFullError
from gateway.integrity import MAX_KNOWN
from gateway.ledger import pruning
from gateway.store import Selection
from protocol import fault as faults
from protocol.fault import INTEGRITY
from protocol.prune import REDACTION
from tests.gateway.web import Web

BODY = "the stored body is not the committed one"


@pytest.fixture
def web():
    return Web()


def recorded(web) -> list[str]:
    entries = web.gateway.store.read(lambda r: r.entries(10, 10**6))
    found = [faults.decode(entry.body) for entry in entries]
    assert {(fault.what, fault.refused) for fault in found} <= {(INTEGRITY, None)}
    return [fault.detail for fault in found]


def damaged(web) -> float:
    return web.gateway.metrics.registry.get_sample_value("tallystick_damaged_entries")


async def health(web):
    response = await web.get("/healthz")
    return response.status_code, response.json()["faults"]


async def test_an_entry_that_was_tampered_with_is_shown_and_recorded_once(web):
    web.tamper(4, body=b"evil")
    before = await health(web)

    for path in ("/events/4", "/events", "/events/4/proof", "/events/4"):
        await web.get(path)

    assert before == (200, [])
    assert await health(web) == (503, [f"entry 4: {BODY}"])
    assert recorded(web) == ["entry 4 is not what was committed"]
    assert damaged(web) == 1


async def test_an_entry_that_is_right_again_is_shown_no_more(web):
    right = web.gateway.store.read(lambda r: r.entries(4, 5))[0].body
    web.tamper(4, body=b"evil")
    await web.get("/events/4")

    web.tamper(4, body=right)
    served = await web.get("/events/4")

    assert served.status_code == 200
    assert await health(web) == (200, [])
    assert damaged(web) == 0


async def test_it_is_recorded_once_for_ever_not_once_a_start(web):
    web.tamper(4, body=b"evil")
    await web.get("/events/4")

    again = Web()
    again.gateway.store = web.gateway.store
    again.integrity._submit = web._submit  # another start on the same ledger
    again.integrity.found(IntegrityError(4, BODY))

    assert recorded(web) == ["entry 4 is not what was committed"]


async def test_a_tree_that_was_changed_is_one_fault_whatever_is_asked_for(web):
    web.tamper(4, leaf=b"\x80", body=None)

    for index in (5, 6, 7):
        await web.get(f"/events/{index}/proof")

    assert recorded(web) == ["the tree is not what was committed"]
    assert len((await health(web))[1]) == 1
    assert web.integrity.status() == {
        "damaged": [],
        "known": 1,
        "found_beyond": 0,
        "forwarding_waits_at": None,
    }


async def test_of_many_the_first_are_named_and_no_more_are_remembered_than_there_is_room_for(web):
    for index in range(1000, 1000 + 2 * MAX_KNOWN):
        web.integrity.found(IntegrityError(index, BODY))

    _, told = await health(web)
    assert told[:2] == [f"entry 1000: {BODY}", f"entry 1001: {BODY}"]
    assert told[-2:] == [
        f"and {MAX_KNOWN - 10} more entries",
        f"and others, found {MAX_KNOWN} times",
    ]
    assert len(recorded(web)) == MAX_KNOWN
    assert web.integrity.status()["damaged"] == list(range(1000, 1010))


async def test_once_the_first_are_right_again_others_are_told(web):
    for index in range(1000, 1001 + MAX_KNOWN):
        web.integrity.found(IntegrityError(index, BODY))
    for index in range(1000, 1000 + MAX_KNOWN):
        web.integrity.sound(index)
    between = await health(web)

    web.integrity.found(IntegrityError(1000 + MAX_KNOWN, BODY))

    assert between == (200, [])
    assert await health(web) == (503, [f"entry {1000 + MAX_KNOWN}: {BODY}"])
    assert recorded(web)[-1] == f"entry {1000 + MAX_KNOWN} is not what was committed"


async def test_an_entry_that_is_damaged_again_is_shown_again_and_recorded_no_more(web):
    for tell in (web.integrity.found, lambda error: web.integrity.sound(4), web.integrity.found):
        tell(IntegrityError(4, BODY))

    assert await health(web) == (503, [f"entry 4: {BODY}"])
    assert recorded(web) == ["entry 4 is not what was committed"]


async def test_damage_that_was_told_and_redacted_leaves_a_ledger_that_is_sound(web):
    web.tamper(4, body=b"evil")
    await web.get("/events/4")

    pruning.commit(web.gateway.writer, Selection(4, 5), REDACTION)

    verified = await web.get("/verify")
    assert (verified.status_code, verified.json()["reason"]) == (200, None)


async def test_what_could_not_be_recorded_is_recorded_when_somebody_asks_again(web):
    submit, web.integrity._submit = web.integrity._submit, refuse
    web.integrity.found(IntegrityError(4, BODY))
    before = recorded(web)

    web.integrity._submit = submit
    web.integrity.found(IntegrityError(4, BODY))

    assert (before, recorded(web)) == ([], ["entry 4 is not what was committed"])


def refuse(submission):
    raise BusyError("4096 are waiting")


async def test_what_failed_after_it_was_taken_in_is_recorded_later_too(web):
    error = StoreFullError("full")
    web.gateway.store.fail_with = error

    def fail(submission):
        kept = web.kept()
        kept.set_exception(error)
        return kept

    submit, web.integrity._submit = web.integrity._submit, fail
    web.integrity.found(IntegrityError(4, BODY))
    await asyncio.sleep(0)  # whoever waits for it is told
    web.gateway.store.fail_with, web.integrity._submit = None, submit
    web.integrity.found(IntegrityError(4, BODY))

    assert recorded(web) == ["entry 4 is not what was committed"]


async def test_where_forwarding_waits_is_told_until_it_goes_on(web):
    web.integrity.waiting(IntegrityError(4, "the chain breaks"))
    waiting = (await health(web))[1], web.integrity.status()["forwarding_waits_at"]

    web.integrity.waiting(None)

    assert waiting == (
        ["entry 4: the chain breaks", "forwarding waits at entry 4: the chain breaks"],
        4,
    )
    assert await health(web) == (200, [])
    web.integrity.waiting(None)
    assert recorded(web) == ["entry 4 is not what was committed"]
