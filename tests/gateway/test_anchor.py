"""What counts as anchored, which checkpoint is asked for, and how long entries have waited."""

import asyncio

import pytest

from gateway.anchor.anchoring import Anchoring
from gateway.anchor.anchors import Anchors
from gateway.anchor.quorum import policy_of
from gateway.anchor.rounds import Rounds
from gateway.config import AnchorConfig, AnchorWitness
from gateway.feed import Feed
from gateway.ledger.signer import Signer
from gateway.witness.cosigner import Cosigner
from protocol import checkpoint as checkpoints
from protocol import note as notes
from protocol.rotation import Keys, Rotation
from tests.fakes import NOW_MS, ORIGIN, FakeDevice, FakeGateway
from tests.gateway.anchored import Anchored
from tests.gateway.witnesses import asking, note_of, root_of


@pytest.fixture
def site(tmp_path):
    sites = []

    def make(**options):
        sites.append(Anchored(tmp_path, **options))
        return sites[-1]

    yield make
    for made in sites:
        made.close()


def cosigned(site, size, n=0):
    """The note of `size` entries with the cosignature of neighbour `n`."""
    witness = site.wires[n].witness
    latest = witness.latest(ORIGIN)
    old = checkpoints.unverified(latest).size if latest else 0
    return witness.add(asking(site.gateway, old, size)).note


# --- what is taken --------------------------------------------------------------------------


def test_a_checkpoint_is_anchored_once_enough_have_cosigned_it(site):
    site = site(neighbours=3, quorum=2)

    sizes = []
    for n, size in ((0, 7), (1, 9), (2, 9)):
        site.anchors.take(cosigned(site, size, n))
        sizes.append(site.anchors.size)

    assert sizes == [0, 0, 9]
    assert notes.parse_note(site.anchors.note).signatures[0].name == ORIGIN
    assert site.remembered["anchored"] == site.anchors.note.encode()


def test_a_further_cosignature_of_what_is_anchored_is_added_to_it(site):
    site = site(neighbours=2)
    site.anchors.take(cosigned(site, 7, 0))
    one = site.anchors.note

    site.anchors.take(cosigned(site, 7, 1))

    assert site.anchors.note.startswith(one)
    assert len(notes.parse_note(site.anchors.note).signatures) == 3


def test_a_cosignature_that_was_heard_before_counts_once(site):
    site = site()
    note = cosigned(site, 7)

    taken = [site.anchors.take(note) for _ in range(3)]

    assert [len(names) for names in taken] == [1, 0, 0]
    assert site.counted("cosigned") == 1


def test_an_older_cosignature_is_counted_as_stale_and_takes_nothing_back(site):
    site = site()
    older, newer = cosigned(site, 7), cosigned(site, 9)
    site.anchors.take(newer)

    site.anchors.take(older)

    assert (site.anchors.size, site.counted("stale")) == (9, 1)


def test_a_note_that_our_key_did_not_sign_is_not_taken(site):
    site = site()
    note = cosigned(site, 7)

    for other in ("", "garbage", note.replace("\n7\n", "\n8\n"), note.replace(ORIGIN, "other")):
        site.anchors.take(other)

    assert (site.anchors.size, site.counted("not-ours", "unknown")) == (0, 4)


def test_a_checkpoint_is_shown_with_whatever_cosignatures_it_has(site):
    site = site(neighbours=2, quorum=2)
    plain = note_of(site.gateway, 7)
    site.anchors.take(cosigned(site, 7, 1))

    shown = site.anchors.dressed(plain)

    assert [line.name for line in notes.parse_note(shown).signatures] == [ORIGIN, "w1"]
    assert site.anchors.dressed(note_of(site.gateway, 8)) == note_of(site.gateway, 8)


def test_an_entry_is_proved_under_the_anchored_checkpoint_where_that_covers_it(site):
    site = site()
    newest = site.gateway.writer.note
    before = site.anchors.over(3, newest)
    site.anchors.take(cosigned(site, 7))

    assert before == newest
    assert [site.anchors.over(index, newest) for index in (6, 7)] == [site.anchors.note, newest]


def test_an_anchored_checkpoint_of_a_key_that_had_its_time_is_not_proved_with(site):
    site = site()
    site.anchors.take(cosigned(site, 7))
    key, newest = site.gateway.signer.verifier_key, site.gateway.writer.note
    keys = Keys(key)
    after = Signer(ORIGIN, bytes(32)).verifier_key
    keys.rotate(Rotation(20, root_of(site.gateway, 20), key, after), 20, root_of(site.gateway, 20))

    rotated = Anchors(site.policy, keys, site.gateway.metrics, lambda name, value: None)
    rotated.restore(site.anchors.note)

    assert (rotated.size, rotated.over(3, newest)) == (7, newest)


@pytest.mark.parametrize("damage", ["", "garbage", "no quorum", "another ledger"])
def test_what_is_not_anchored_by_the_policy_of_now_is_not_restored(site, damage):
    site = site(neighbours=2, quorum=2)
    note = cosigned(site, 7, 0)
    line = notes.format_signature(notes.parse_note(cosigned(site, 7, 1)).signatures[-1])
    texts = {"no quorum": note, "another ledger": note.replace(ORIGIN, "other") + line}

    site.anchors.restore(texts.get(damage, damage))
    before = site.anchors.size
    site.anchors.restore(note + line)

    assert (before, site.anchors.size) == (0, 7)


def test_cosignatures_that_never_become_enough_do_not_fill_the_memory(site):
    site = site(neighbours=2, quorum=2)
    for n in range(100):
        site.gateway.commit(FakeDevice("more").submission(n))
        site.anchors.take(cosigned(site, 21 + n))

    assert len(site.anchors._waiting) == 64
    site.anchors.take(cosigned(site, 120, 1))
    assert (site.anchors.size, len(site.anchors._waiting)) == (120, 1)


# --- rounds ---------------------------------------------------------------------------------


def rounds_of(site, newest):
    return Rounds(lambda: note_of(site.gateway, newest[0]), Feed(20, 20), 1)


def test_the_collector_leads_while_it_gets_on(site):
    site, newest, asked = site(), [3], []
    rounds = rounds_of(site, newest)

    for led, last in ((0, 3), (5, 7), (5, 9), (9, 12), (8, 12), (12, 12)):
        newest[0] = last
        rounds.lead(note_of(site.gateway, led))
        rounds.next()
        asked.append(rounds.size)

    # nobody leads; it leads; it got stuck; it is where we are; behind; again where we are
    assert asked == [3, 5, 9, 12, 12, 12]


async def test_all_are_asked_for_the_checkpoint_that_the_collector_cosigned(site):
    """Two of two: a collector that cosigns 15 by itself, and a neighbour that is asked."""
    site = site(neighbours=2, quorum=2)
    collector = site.wires.pop(0)
    site.neighbours.pop(0)
    anchoring = Anchoring(policy_of_nobody(), site.shown, site.anchors, site.rounds, None)
    anchoring.heard("")
    anchoring.heard(collector.witness.add(asking(site.gateway, 0, 15)).note)

    await site.run_until(lambda: site.anchors.size == 15)

    assert len(notes.parse_note(site.anchors.note).signatures) == 3


def policy_of_nobody():
    """Nobody with a URL: no neighbour is asked by it."""
    witness = AnchorWitness(vkey=Cosigner("w", bytes(32)).verifier_text)
    return policy_of(AnchorConfig(witnesses=[witness]), collector=True)


async def test_nothing_is_asked_before_something_is_signed():
    rounds = Rounds(lambda: "", Feed(0, 0), 1)
    running = asyncio.create_task(rounds.run())
    await asyncio.sleep(0)

    rounds.next()

    assert (rounds.note, rounds.size) == ("", 0)
    running.cancel()


# --- how long -------------------------------------------------------------------------------


async def test_the_age_is_that_of_the_oldest_entry_that_nobody_remembers(site):
    site = site()
    standing = site.standing()
    site.clock.now_ms = NOW_MS + 30_000
    waiting = standing.age_s(), standing.unanchored()

    await site.run_until(lambda: site.anchors.size == 20)
    anchored = standing.age_s(), standing.unanchored()
    site.gateway.surroundings.now_ms = NOW_MS + 40_000
    site.grow(2)
    site.clock.now_ms = NOW_MS + 45_500

    assert (waiting, anchored) == ((30.0, 20), (0.0, 0))
    assert (standing.age_s(), standing.unanchored()) == (5.5, 2)


async def test_the_age_grows_while_all_witnesses_are_away_and_ends_when_one_is_back(site):
    site = site(neighbours=2)
    standing, ages = site.standing(), []
    for wire in site.wires:
        wire.down = True

    for _ in range(3):
        site.clock.now_ms += 60_000
        failed = site.counted("unreachable")
        await site.run_until(lambda failed=failed: site.counted("unreachable") > failed)
        ages.append(standing.age_s())
    site.wires[1].down = False
    await site.run_until(lambda: site.anchors.size == 20)

    assert ages == [60.0, 120.0, 180.0]
    assert standing.age_s() == 0


def test_a_clock_that_went_back_makes_no_negative_age(site):
    site = site()
    site.clock.now_ms = 0

    assert site.standing().age_s() == 0


def test_an_empty_ledger_waits_for_nobody(site):
    site = site(gateway=FakeGateway())

    assert site.standing().section() == {
        "size": 0,
        "age_seconds": 0.0,
        "unanchored": 0,
        "witnesses": [
            {"name": "w0", "size": 0, "last_cosigned_s": None, "last_failure": None},
        ],
    }


async def test_the_figures_are_metrics_too(site):
    site = site()
    site.standing()
    site.clock.now_ms = NOW_MS + 30_000

    text = site.gateway.metrics.text().decode()

    assert "tallystick_anchor_age_seconds 30.0" in text
    assert "tallystick_unanchored_entries 20.0" in text
