"""Who asks, and what that is worth: forged addresses, Echo, observers, words."""

import pytest

from gateway.coap import blocks
from gateway.coap.blocks import Block
from gateway.coap.echo import MAX_UNVERIFIED_BYTES
from gateway.coap.requests import (
    ACCEPT,
    BLOCK2,
    CONTENT,
    ECHO,
    GET,
    OBSERVE,
    SIZE2,
    size_of,
)
from gateway.errors import ForbiddenError
from tests.gateway.asking import observing
from tests.gateway.coap_door import BODY, PEER, Door


@pytest.fixture
def door():
    return Door()


async def test_an_address_that_may_be_forged_gets_small_blocks_and_an_echo(door):
    answer = await door.ask(GET)

    assert blocks.decode(answer.first(BLOCK2)) == Block(0, True, 2)
    assert answer.number(SIZE2) == len(BODY)
    assert answer.first(ECHO) == door.echoes.value(PEER, 0)
    assert size_of(answer) <= MAX_UNVERIFIED_BYTES


async def test_a_client_that_knows_no_echo_gets_all_of_it_in_small_blocks(door):
    parts = []
    for n in range(len(BODY) // 64):
        answer = await door.ask(GET, options=[(BLOCK2, blocks.encode(Block(n, False, 2)))])
        assert size_of(answer) <= MAX_UNVERIFIED_BYTES
        parts.append(answer.payload)

    assert b"".join(parts) == BODY


async def test_an_echo_brought_back_brings_large_blocks_from_then_on(door):
    echo = (await door.ask(GET)).first(ECHO)

    first = await door.ask(GET, options=[(ECHO, echo)])
    second = await door.ask(GET, options=[(BLOCK2, b"\x16")])
    other = await door.ask(GET, options=[(ECHO, echo)], peer="another")

    assert [len(answer.payload) for answer in (first, second, other)] == [1024, 1024, 64]
    assert first.first(ECHO) is None


async def test_a_large_later_block_of_a_forgettable_address_asks_for_an_echo(door):
    answer = await door.ask(GET, options=[(BLOCK2, b"\x16")])

    assert (answer.code, answer.payload) == (0x81, b"")
    assert answer.first(ECHO) == door.echoes.value(PEER, 0)


async def test_whoever_observes_is_told_with_a_number_that_grows(door):
    first = await door.observe(local=True)
    again = await door.observe(local=True)

    assert again.number(OBSERVE) > first.number(OBSERVE)
    assert len(first.payload) == 1024
    assert len(door.observers) == len(door.changed) == 1


async def test_an_address_that_may_be_forged_observes_nothing_but_is_answered(door):
    answer = await door.observe()

    assert (answer.code, answer.first(OBSERVE)) == (CONTENT, None)
    assert answer.first(ECHO) == door.echoes.value(PEER, 0)
    assert len(door.observers) == 0


async def test_somebody_with_a_name_observes_from_anywhere(door):
    answer = await door.observe(who="board")

    assert answer.first(OBSERVE) is not None


async def test_observe_1_ends_it_and_is_answered(door):
    await door.observe(local=True)

    answer = await door.observe(register=False, local=True)

    assert (answer.code, answer.first(OBSERVE)) == (CONTENT, None)
    assert (len(door.observers), door.changed) == (0, [])


@pytest.mark.parametrize("spoilt", ["gone", "forbidden", "another format", "past the end"])
async def test_an_observation_that_begins_with_a_refusal_is_none(door, spoilt):
    options = {"another format": [(ACCEPT, b"")], "past the end": [(BLOCK2, b"\x07")]}
    door.body = None if spoilt == "gone" else BODY
    door.refuses = ForbiddenError("not for you") if spoilt == "forbidden" else None

    answer = await door.observe(local=True, options=options.get(spoilt, ()))

    assert answer.refused
    assert answer.first(OBSERVE) is None
    assert (len(door.observers), door.changed) == (0, [])


async def test_later_blocks_of_what_is_observed_change_nothing_about_it(door):
    await door.observe(local=True)

    answer = await door.observe(local=True, options=[(BLOCK2, b"\x16")])

    assert (answer.payload, answer.first(OBSERVE)) == (BODY[1024:], None)
    assert len(door.observers) == 1


async def test_what_is_not_observed_by_anyone_is_served_all_the_same(door):
    answer = await door.answering.answer(observing(GET, "plain", local=True))

    assert (answer.code, answer.first(OBSERVE)) == (CONTENT, None)


async def test_observers_of_equal_requests_share_one_reading(door):
    for n in range(5):
        await door.observe(peer=n, local=True)
    await door.observe(peer=5, local=True, options=[(BLOCK2, b"\x02")])

    assert len(door.observers) == 6
    assert len(door.changed) == 2


async def test_a_notification_is_a_first_block_and_ends_when_access_does(door):
    request = observing(GET, "thing", who="board")

    notified = await door.answering.render(request)
    door.refuses = ForbiddenError("not for you")
    refused = await door.answering.render(request)

    assert blocks.decode(notified.first(BLOCK2)) == Block(0, True, 6)
    assert notified.number(SIZE2) == len(BODY)
    assert refused.code == 0x83
