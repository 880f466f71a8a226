"""Checks of when an outbox uses the flash, on whichever interpreter runs this; see checks.py."""

import os
import sys

from device import store
from device.outbox import SPILL_AFTER_MS
from tests.device.checks import run
from tests.device.outbox_checks import drained, filled, numbered, numbered_one, opened


def flushed(folder):
    """What another start would find."""
    return drained(opened(folder))


def check_always_has_it_durable_at_once(folder):
    filled(folder, numbered(1), mode="always")

    assert flushed(folder) == numbered(1)


def check_a_batch_is_durable_when_ten_wait(folder):
    outbox = filled(folder, numbered(9), mode="batch")
    assert store.load(folder + "/outbox/cursor") is None
    assert [name for name in os.listdir(folder + "/outbox") if name[0] == "s"] == []

    outbox.put(numbered(10)[9], 0)

    assert flushed(folder) == numbered(10)


def check_a_batch_is_durable_when_one_has_waited_for_long(folder):
    outbox = filled(folder, numbered(2), mode="batch")
    outbox.tend(SPILL_AFTER_MS - 1)
    assert os.listdir(folder + "/outbox") == []

    outbox.tend(SPILL_AFTER_MS)

    assert flushed(folder) == numbered(2)


def check_what_is_kept_in_time_never_touches_the_flash(folder):
    outbox = opened(folder, mode="batch")
    for sealed in numbered(100):
        outbox.put(sealed, 0)
        assert outbox.peek() == sealed
        outbox.advance()

    outbox.tend(SPILL_AFTER_MS)

    assert os.listdir(folder + "/outbox") == []
    assert outbox.used_bytes == 0


def check_an_outage_has_it_durable_while_the_gateway_is_away(folder):
    outbox = filled(folder, numbered(2), mode="outage")
    outbox.tend(10 * SPILL_AFTER_MS)
    assert os.listdir(folder + "/outbox") == []

    outbox.unreachable = True
    outbox.tend(10 * SPILL_AFTER_MS)

    assert flushed(folder) == numbered(2)


def check_large_envelopes_are_durable_before_the_ring_is_full(folder):
    large = [one + bytes(800) for one in numbered(3)]

    filled(folder, large, mode="outage")

    assert flushed(folder) == large


def check_what_is_on_its_way_while_others_spill_is_not_sent_twice(folder):
    for before in range(3):
        folder_of = folder + f"/{before}"
        os.mkdir(folder_of)
        outbox = filled(folder_of, numbered(before), mode="always")
        for _ in range(before):
            outbox.peek()
            outbox.advance()
        outbox = opened(folder_of, mode="batch")
        outbox.put(numbered(4)[3], 0)
        first = outbox.peek()
        outbox.put(numbered(5)[4], 0)

        outbox.spill()
        outbox.advance()  # the answer for the first

        left = drained(outbox)
        assert first not in left
        assert left[-1] == numbered(5)[4]


def check_order_is_kept_from_flash_to_ram(folder):
    outbox = filled(folder, numbered(13), mode="batch")

    assert drained(outbox) == numbered(13)


def check_a_stop_has_all_of_it_durable(folder):
    filled(folder, numbered(3), mode="outage").close()

    assert flushed(folder) == numbered(3)


def check_the_policy_newest_drops_what_comes_when_all_is_full(folder):
    outbox = filled(folder, numbered(200), 8192, mode="batch", drop="newest")

    left = drained(outbox)

    assert left == numbered(200)[: len(left)]
    assert outbox.dropped == 200 - len(left)
    assert len(left) > 30


def check_a_flash_that_fails_leaves_it_in_ram_and_the_oldest_is_dropped(folder):
    outbox = opened(folder, mode="batch")
    os.rmdir(folder + "/outbox")
    for sealed in numbered(50):
        outbox.put(sealed, 0)

    left = drained(outbox)

    assert outbox.flash_errors > 0
    assert left == numbered(50)[-len(left) :]
    assert outbox.dropped == 50 - len(left)


# how the start before ended


def check_the_first_start_knows_of_none_before(folder):
    assert opened(folder).ended == b""


def check_a_start_knows_the_last_number_that_was_flushed(folder):
    filled(folder, numbered(11), mode="batch")

    assert opened(folder).ended[:8] == numbered(10)[9][20:28]


def check_a_start_knows_the_last_number_after_a_planned_stop(folder):
    outbox = filled(folder, numbered(9), mode="batch")
    drained(outbox)
    outbox.close()

    ended = opened(folder).ended

    assert ended[:8] == numbered(9)[8][20:28]
    assert len(ended) == 24


def check_a_later_epoch_is_the_last_one(folder):
    filled(folder, numbered(3, 1)).close()
    filled(folder, [numbered_one(2, 0)])

    assert opened(folder).ended[:8] == numbered_one(2, 0)[20:28]


if __name__ == "__main__":
    run(globals(), sys.argv[1])
