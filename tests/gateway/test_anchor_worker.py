"""Neighbours that cosign, are away, lie, or know more than we do."""

import asyncio

import pytest

from gateway.anchor.client import Reply, WitnessError
from gateway.errors import RolledBackError
from protocol import checkpoint as checkpoints
from protocol.witnessing import CONFLICT, COSIGN, FORKED
from tests.fakes import ORIGIN, FakeDevice
from tests.gateway.anchored import LIMIT_S, Anchored
from tests.gateway.witnesses import asking, grown


@pytest.fixture
def site(tmp_path):
    sites = []

    def make(**options):
        sites.append(Anchored(tmp_path, **options))
        return sites[-1]

    yield make
    for made in sites:
        made.close()


async def test_a_neighbour_cosigns_the_newest_checkpoint(site):
    site = site()

    await site.run_until(lambda: site.anchors.size == 20)

    note = site.gateway.writer.note
    assert site.anchors.note == site.wires[0].witness.latest(ORIGIN)
    assert site.anchors.note.startswith(note)
    assert site.anchors.dressed(note) == site.anchors.note
    assert site.remembered == {"anchored": site.anchors.note.encode()}
    assert site.counted("cosigned") == 1


async def test_each_round_goes_on_from_the_size_the_neighbour_has(site):
    site = site()
    await site.run_until(lambda: site.anchors.size == 20)
    site.grow(3)

    await site.run_until(lambda: site.anchors.size == 23)

    assert [request.old_size for request in site.wires[0].asked] == [0, 20]


async def test_a_gateway_that_forgot_what_its_neighbour_knows_is_told_once(site):
    site = site()
    site.wires[0].witness.add(asking(site.gateway, 0, 13))

    await site.run_until(lambda: site.anchors.size == 20)

    assert [request.old_size for request in site.wires[0].asked] == [0, 13]


async def test_what_was_anchored_is_known_again_after_a_restart(site):
    site = site()
    await site.run_until(lambda: site.anchors.size == 20)
    note = site.anchors.note

    site.start()
    site.anchors.restore(site.remembered["anchored"].decode())

    assert (site.anchors.note, site.anchors.size) == (note, 20)
    assert site.anchors.seen[site.policy.witnesses[0].name].shown() == {
        "name": "w0",
        "size": 20,
        "last_cosigned_s": site.clock() // 1000,
        "last_failure": None,
    }


async def test_a_start_without_it_hears_it_from_the_neighbour(site):
    site = site()
    await site.run_until(lambda: site.anchors.size == 20)

    site.start()
    await site.neighbours[0].greet(LIMIT_S)

    assert site.anchors.size == 20
    site.grow(1)
    await site.run_until(lambda: site.anchors.size == 21)
    assert site.wires[0].asked[-1].old_size == 20


async def test_two_of_two_cosign_the_same_checkpoint(site):
    site = site(neighbours=2, quorum=2)

    await site.run_until(lambda: site.anchors.size == 20)

    assert site.anchors.note.count("\n\u2014 ") == 3


async def test_one_of_two_is_enough_while_the_other_is_away(site):
    site = site(neighbours=2, quorum=1)
    site.wires[0].down = True

    await site.run_until(lambda: site.anchors.size == 20 and site.counted("unreachable") > 0)
    site.wires[0].down = False
    await site.run_until(lambda: site.anchors.note.count("\n\u2014 ") == 3)

    assert site.anchors.size == 20


async def test_two_of_two_wait_for_the_one_that_is_away(site):
    site = site(neighbours=2, quorum=2)
    site.wires[0].down = True

    await site.run_until(lambda: site.counted("unreachable") > 2)
    before = site.anchors.size
    site.wires[0].down = False
    await site.run_until(lambda: site.anchors.size == 20)

    assert before == 0


FAULTS = {
    "a line of nobody": (Reply(COSIGN, lines="\u2014 x AAAAAAA=\n"), "no-cosignature"),
    "no line": (Reply(COSIGN, lines=""), "no-cosignature"),
    "a page": (Reply(COSIGN, lines="<h1>Welcome</h1>"), "no-cosignature"),
    "a refusal": (WitnessError("bad-signature"), "bad-signature"),
    "an unknown origin": (WitnessError("unknown-origin"), "unknown-origin"),
    "nobody": (WitnessError("unreachable"), "unreachable"),
    "a fork it does not show": (Reply(FORKED), "forked"),
    "a size we do not have": (Reply(CONFLICT, size=10**6), "conflict"),
}


@pytest.mark.parametrize(("fault", "reason"), FAULTS.values(), ids=FAULTS)
async def test_what_is_no_cosignature_is_counted_and_asked_again(site, fault, reason):
    site = site()
    site.wires[0].faults = [fault, fault]

    await site.run_until(lambda: site.anchors.size == 20)

    assert site.counted(reason) == 2
    assert site.counted("cosigned") == 1


async def test_a_cosignature_of_another_key_of_the_same_name_is_not_believed(site):
    site = site(neighbours=2)
    stranger = site.wires[1].witness.add(asking(site.gateway, 0, 20))
    site.wires[0].faults = [Reply(COSIGN, lines=stranger.line.replace("w1", "w0"))]

    await site.run_until(lambda: site.counted("no-cosignature") == 1)

    assert site.counted("unknown-key", "unknown") == 1


async def test_a_forged_cosignature_is_counted_and_not_believed(site):
    site = site()
    other = grown(20, other_from=4)
    forged = site.wires[0].witness.add(asking(other, 0, 20)).line
    site.wires[0].faults = [Reply(COSIGN, lines=forged)]
    site.wires[0].shows = False

    await site.run_until(lambda: site.counted("no-cosignature") == 1)

    assert (site.counted("forged"), site.anchors.size) == (1, 0)


async def test_a_neighbour_that_knows_a_later_checkpoint_of_ours_is_not_asked_for_an_earlier(site):
    site = site()
    later = site.gateway.writer.note
    site.gateway.commit(FakeDevice("late").submission(0))
    site.gateway.sign()  # the neighbour hears of 21 from elsewhere; our round is about 20
    site.wires[0].witness.add(asking(site.gateway, 0, 21))
    site.rounds._newest = lambda: later

    await site.run_until(lambda: site.anchors.size == 21)

    assert len(site.wires[0].asked) == 1
    assert site.counted("conflict") == 0


# --- rollbacks ------------------------------------------------------------------------------


async def test_a_ledger_that_was_set_back_stops_at_its_neighbour_s_word(site):
    whole = site()
    await whole.run_until(lambda: whole.anchors.size == 20)
    whole.close()

    set_back = site(gateway=grown(12))
    with pytest.raises(RolledBackError, match=r"the witness w0 has seen 20 entries") as refusal:
        await set_back.run_until(lambda: set_back.anchors.size == 12)

    assert refusal.value.note == whole.anchors.note


async def test_it_stops_before_it_signs_anything_if_the_neighbour_is_there(site):
    whole = site()
    await whole.run_until(lambda: whole.anchors.size == 20)
    whole.close()

    with pytest.raises(RolledBackError, match="has seen 20 entries"):
        await site(gateway=grown(12)).neighbours[0].greet(LIMIT_S)


@pytest.mark.parametrize("size", [20, 25])
async def test_a_ledger_that_went_on_differently_stops_too(site, size):
    whole = site()
    await whole.run_until(lambda: whole.anchors.size == 20)
    whole.close()

    other = site(gateway=grown(size, other_from=12))
    with pytest.raises(RolledBackError, match="are not what they continue as"):
        await other.run_until(lambda: other.anchors.size == size)


async def test_a_neighbour_that_is_away_does_not_hold_up_the_start(site):
    site = site()
    site.wires[0].down = True
    await site.neighbours[0].greet(LIMIT_S)

    async def never(origin):
        await asyncio.Event().wait()

    site.wires[0].latest = never
    await site.neighbours[0].greet(0)

    assert site.anchors.size == 0


@pytest.mark.parametrize("shown", ["garbage", "x\n1\n\n", "\ufffd"])
async def test_a_word_that_our_key_did_not_sign_cannot_stop_us(site, shown):
    site = site()

    async def latest(origin):
        return shown

    site.wires[0].latest = latest
    site.wires[0].faults = [Reply(FORKED), Reply(CONFLICT, size=10**9)]
    await site.neighbours[0].greet(LIMIT_S)
    await site.run_until(lambda: site.anchors.size == 20)

    assert checkpoints.unverified(site.anchors.note).size == 20
