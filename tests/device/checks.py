"""Checks of what touches files, on whichever interpreter runs this; pytest runs it on both.

Each `check_…` gets a fresh folder. Uses only what MicroPython has.
"""

import os
import sys

from device import counter, store
from device.config import ConfigError
from device.config_file import check, load
from device.outbox import Outbox

MINIMAL = {"name": "greenhouse-3", "secret": "00" * 32, "gateway": "192.168.1.10:5683"}
ENVELOPE = bytes(range(200))
OPENED = []  # an outbox that a power cut would leave open; whoever runs the checks closes it


class Files:
    def sync(self, file):
        file.flush()

    def random_bits(self, bits):
        return 77


def damage(path, at=0):
    with open(path, "rb") as file:
        content = bytearray(file.read())
    content[at] ^= 0xFF
    with open(path, "wb") as file:
        file.write(content)


def opened(folder, capacity_bytes=16_384):
    OPENED.append(Outbox(Files(), folder + "/outbox", capacity_bytes))
    return OPENED[-1]


def drained(outbox):
    found = []
    while True:
        sealed = outbox.peek()
        if sealed is None:
            return found
        found.append(sealed)
        outbox.advance()


def numbered(count):
    return [number.to_bytes(4, "big") + ENVELOPE for number in range(count)]


def filled(folder, envelopes, capacity_bytes=16_384):
    outbox = opened(folder, capacity_bytes)
    for sealed in envelopes:
        outbox.put(sealed)
    return outbox


# store


def check_what_was_saved_is_loaded(folder):
    store.save(Files(), folder + "/file", b"data")

    assert store.load(folder + "/file") == b"data"


def check_a_damaged_file_is_nothing(folder):
    store.save(Files(), folder + "/file", b"data")
    for at in range(8):
        damage(folder + "/file", at)

        assert store.load(folder + "/file") is None

        damage(folder + "/file", at)


# counter


def check_epochs_count_up_from_the_first(folder):
    epochs = [counter.next_epoch(Files(), folder, used_before=False) for _ in range(5)]

    assert epochs == [1, 2, 3, 4, 5]


def check_an_unreadable_slot_never_brings_a_number_back(folder):
    for slot in ("/epoch.0", "/epoch.1"):
        used = [counter.next_epoch(Files(), folder, used_before=False) for _ in range(3)]
        damage(folder + slot)

        assert used[-1] < counter.next_epoch(Files(), folder, used_before=False) <= used[-1] + 2


def check_the_second_start_whose_slot_is_torn_does_not_use_its_number(folder):
    for _ in range(2):
        counter.next_epoch(Files(), folder, used_before=False)
    damage(folder + "/epoch.1")

    assert counter.next_epoch(Files(), folder, used_before=False) == 3


def check_a_lost_count_does_not_start_again(folder):
    counter.next_epoch(Files(), folder, used_before=False)
    os.remove(folder + "/epoch.0")

    jumped = counter.next_epoch(Files(), folder, used_before=True)

    assert jumped == (1 << 31) + 77
    assert counter.next_epoch(Files(), folder, used_before=True) > jumped


# outbox


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
        outbox.put(sealed)

    outbox.advance()  # the answer for the first, which overflow has taken meanwhile

    assert len(drained(outbox)) == 200 - outbox.dropped


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


def check_what_is_set_aside_blocks_nobody(folder):
    outbox = filled(folder, numbered(2))

    outbox.set_aside(outbox.peek())

    assert drained(outbox) == numbered(2)[1:]
    assert store.load(folder + "/outbox/quarantine.0") == numbered(2)[0]
    assert outbox.quarantined == 1


def check_consumed_segments_are_deleted(folder):
    outbox = filled(folder, numbered(60))
    drained(outbox)

    outbox.put(ENVELOPE)

    segments = [name for name in os.listdir(folder + "/outbox") if name[0] == "s"]
    assert len(segments) <= 2


# config


def check_what_is_left_out_has_a_default(folder):
    config = check(MINIMAL)

    assert (config.host, config.port) == ("192.168.1.10", 5683)
    assert (config.readings_per_pack, config.pack_age_ms) == (1, 30_000)
    assert [(one.driver, one.every_ms) for one in config.sensors] == [("board-temperature", 10_000)]


def check_an_ipv6_gateway_goes_in_brackets(folder):
    fields = dict(MINIMAL)
    fields["gateway"] = "[fe80::1]:5683"

    assert check(fields).host == "fe80::1"


def check_anything_wrong_is_refused_by_its_key(folder):
    wrong = [
        ("name", "a/b"),
        ("name", ""),
        ("secret", "00" * 31),
        ("secret", "zz" * 32),
        ("gateway", "10.0.0.1"),
        ("gateway", "fe80::1:5683"),
        ("gateway", "host:0"),
        ("profile", "both"),
        ("key", "00" * 31),
        ("readings_per_pack", True),
        ("readings_per_pack", 0),
        ("ack_timeout_ms", "2000"),
        ("outbox_bytes", 1),
        ("sensors", []),
        ("sensors", [{"driver": "nose"}]),
        ("sensors", [{"driver": "simulated", "every": 1}]),
        ("sensors", [{"driver": "simulated"}, {"driver": "simulated"}]),
        ("wifi", "home"),
        ("extra", 1),
    ]
    for key, value in wrong:
        fields = dict(MINIMAL)
        fields[key] = value
        said = refusal(check, fields)

        assert key in said, (key, value, said)
        assert "00" * 16 not in said


def check_a_missing_file_is_refused_with_the_fix(folder):
    assert "device add" in refusal(load, folder + "/config.json")


def refusal(read, argument):
    """What the ConfigError says; empty where there is none."""
    try:
        read(argument)
    except ConfigError as error:
        return str(error)
    return ""


def checks():
    return sorted([name for name in globals() if name.startswith("check_")])


def main(folder):
    for number, name in enumerate(checks()):
        os.mkdir(f"{folder}/{number}")
        globals()[name](f"{folder}/{number}")
        OPENED.clear()
    print(f"{len(checks())} checks hold")


if __name__ == "__main__":
    main(sys.argv[1])
