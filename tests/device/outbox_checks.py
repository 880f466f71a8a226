"""Checks of the outbox, on whichever interpreter runs this; see checks.py."""

import os
import sys

from device import store
from device.outbox import Outbox
from tests.device.checks import Files, damage, run

ENVELOPE = b"\x84\x58\x19" + bytes(range(197))  # of the profile mac, as its head says
OPENED = []  # an outbox that a power cut would leave open; whoever runs the checks closes it


def opened(folder, capacity_bytes=16_384, mode="always", drop="oldest"):
    OPENED.append(Outbox(Files(), folder + "/outbox", capacity_bytes, mode=mode, drop=drop))
    return OPENED[-1]


def drained(outbox):
    found = []
    while True:
        sealed = outbox.peek()
        if sealed is None:
            return found
        found.append(sealed)
        outbox.advance()


def numbered(count, epoch=1):
    """Envelopes with epoch and sequence where those of the profile mac have them."""
    return [numbered_one(epoch, sequence) for sequence in range(count)]


def numbered_one(epoch, sequence):
    return ENVELOPE[:20] + epoch.to_bytes(4, "big") + sequence.to_bytes(4, "big") + ENVELOPE[24:]


def filled(folder, envelopes, capacity_bytes=16_384, **more):
    outbox = opened(folder, capacity_bytes, **more)
    for sealed in envelopes:
        outbox.put(sealed, 0)
    return outbox


def check_envelopes_come_back_in_order(folder):
    outbox = filled(folder, numbered(50))

    assert drained(outbox) == numbered(50)
    assert outbox.peek() is None
    assert outbox.used_bytes == 0


def check_what_was_put_is_there_after_a_restart(folder):
    filled(folder, numbered(30))

    assert drained(opened(folder)) == numbered(30)


def check_a_restart_repeats_a_few_at_most(folder):
    outbox = filled(folder, numbered(30))
    for _ in range(20):
        outbox.peek()
        outbox.advance()

    again = drained(opened(folder))

    assert again == numbered(30)[-len(again) :]
    assert 10 <= len(again) < 10 + 8


def check_a_planned_stop_repeats_nothing(folder):
    outbox = filled(folder, numbered(9))
    outbox.peek()
    outbox.advance()
    outbox.close()

    assert drained(opened(folder)) == numbered(9)[1:]


def check_overflow_drops_the_oldest_and_counts_them(folder):
    outbox = filled(folder, numbered(200), 8192)

    left = drained(outbox)

    assert left == numbered(200)[-len(left) :]
    assert outbox.dropped == 200 - len(left)
    assert 0 < len(left) * 212 <= 8192


def check_dropping_what_is_on_its_way_skips_nothing_else(folder):
    outbox = filled(folder, numbered(1), 8192)
    outbox.peek()
    for sealed in numbered(200)[1:]:
        outbox.put(sealed, 0)

    outbox.advance()  # the answer for the first, which overflow has taken meanwhile

    assert len(drained(outbox)) == 200 - outbox.dropped - 1


def check_what_was_on_its_way_and_not_kept_is_dropped_as_well(folder):
    outbox = filled(folder, numbered(1), 8192)
    outbox.peek()
    for sealed in numbered(200)[1:]:
        outbox.put(sealed, 0)

    left = drained(outbox)

    assert len(left) == 200 - outbox.dropped


def check_many_restarts_with_little_to_say_drop_nothing(folder):
    for sealed in numbered(14):
        filled(folder, [sealed], 16_384)

    assert drained(opened(folder)) == numbered(14)


def check_a_torn_tail_costs_only_itself(folder):
    filled(folder, numbered(3))
    path = folder + "/outbox/s00000001"
    with open(path, "rb") as file:
        whole = file.read()
    with open(path, "wb") as file:
        file.write(whole[:-1])

    outbox = filled(folder, [ENVELOPE])

    assert drained(outbox) == numbered(3)[:2] + [ENVELOPE]  # noqa: RUF005 (firmware)


def check_a_damaged_envelope_is_never_delivered(folder):
    filled(folder, numbered(3))
    damage(folder + "/outbox/s00000001", 212 + 50)

    outbox = opened(folder)

    assert drained(outbox) == [numbered(3)[0], numbered(3)[2]]
    assert outbox.corrupt == 1


def check_an_envelope_of_no_bytes_is_damage(folder):
    filled(folder, numbered(1))
    with open(folder + "/outbox/s00000001", "wb") as file:
        file.write(b"\xa5" + bytes(50))  # the CRC-32 of nothing is 0

    outbox = opened(folder)

    assert drained(outbox) == []
    assert outbox.corrupt == 1


def check_what_is_set_aside_blocks_nobody(folder):
    outbox = filled(folder, numbered(2))

    outbox.set_aside(outbox.peek())

    assert drained(outbox) == numbered(2)[1:]
    assert store.load(folder + "/outbox/quarantine.0") == numbered(2)[0]
    assert outbox.quarantined == 1


def check_consumed_segments_are_deleted(folder):
    outbox = filled(folder, numbered(60))
    drained(outbox)

    outbox.put(ENVELOPE, 0)

    segments = [name for name in os.listdir(folder + "/outbox") if name[0] == "s"]
    assert len(segments) <= 2


if __name__ == "__main__":
    run(globals(), sys.argv[1])
