"""Checks of what touches files, on whichever interpreter runs this; pytest runs it on both.

Each `check_…` gets a fresh folder. Uses only what MicroPython has.
"""

import os
import sys

from device import counter, store
from device.config import ConfigError
from device.config_file import check, load

MINIMAL = {"name": "greenhouse-3", "secret": "00" * 32, "gateway": "192.168.1.10:5683"}


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
        ("secret", "00" * 31 + "0\u00e4"),
        ("secret", "00" * 31 + " 0"),
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


def names_in(space):
    return sorted([name for name in space if name.startswith("check_")])


def run(space, folder):
    """Runs every check in `space`, each in a folder of its own."""
    for number, name in enumerate(names_in(space)):
        os.mkdir(f"{folder}/{number}")
        space[name](f"{folder}/{number}")
    print(f"{len(names_in(space))} checks hold")


if __name__ == "__main__":
    run(globals(), sys.argv[1])
