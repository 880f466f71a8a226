"""Checks of the `sensors` of config.json, on whichever interpreter runs this.

Uses only what MicroPython has; pytest runs each on CPython and all of them inside MicroPython.
"""

import json
import os
import sys

from device.config import ConfigError
from device.config_sensors import read
from protocol.cbor import decimal

OWN = (
    'KEYS = {"pin": (None, 0, 9), "gain": (4, 1, 8), "unit": "V"}\n'
    "class Sensor:\n"
    "    def __init__(self, board, keys):\n"
    "        self.keys = keys\n"
)


def sensors(text):
    """As a device reads them: out of JSON."""
    return read({"sensors": json.loads(text)}, "greenhouse-3")


def refusal(text):
    """What the ConfigError says; it has to be one."""
    try:
        sensors(text)
    except ConfigError as error:
        return str(error)
    raise AssertionError("not refused: " + text)


def check_what_is_left_out_has_a_default(folder):
    [one] = read({}, "greenhouse-3")

    assert (one.driver, one.name, one.every_ms) == ("board-temperature", "temperature", 10_000)
    assert (one.at_ms, one.keys, one.limits) == (None, {}, None)


def check_a_drivers_keys_have_its_defaults(folder):
    [one] = sensors('[{"driver": "bme280", "name": "air", "sda": 4, "scl": 5}]')

    assert one.keys == {"bus": 0, "sda": 4, "scl": 5, "address": 0x76}


def check_limits_are_one_number_or_one_for_each_quantity(folder):
    [one] = sensors(
        '[{"driver": "dht22", "pin": 2, "every_ms": 2000, "at_ms": 250, "at_least_ms": 60000,'
        ' "band": "0.5", "alarm_above": {"temperature": 30, "humidity": "-90.25"}}]'
    )

    assert one.limits == {
        "band": {"*": decimal(5, -1)},
        "alarm_above": {"temperature": 30, "humidity": decimal(-9025, -2)},
    }
    assert (one.at_ms, one.at_least_ms) == (250, 60_000)


def check_what_is_wrong_is_refused_by_its_key(folder):
    for text, said in (
        ("[]", "sensors: write a list"),
        ('"nose"', "sensors: write a list"),
        ("[1]", "sensors[0]: write an object"),
        ("[{}]", "sensors[0].driver"),
        ('[{"driver": "nose"}]', "drivers/nose.py"),
        ('[{"driver": "../nose"}]', "sensors[0].driver"),
        ('[{"driver": "os.path"}]', "sensors[0].driver"),
        ('[{"driver": "simulated", "every": 1}]', "known are driver, name, every_ms"),
        ('[{"driver": "simulated", "pin": 1}]', "unknown key 'pin'"),
        ('[{"driver": "simulated"}, {"driver": "simulated"}]', "'temperature' is taken"),
        ('[{"driver": "simulated", "name": "dropped"}]', "'dropped' is taken"),
        ('[{"driver": "simulated", "name": "' + "x" * 40 + '"}]', "too long together"),
        ('[{"driver": "dht22"}]', "sensors[0].pin: write a whole number from 0 to 63"),
        ('[{"driver": "dht22", "pin": 64}]', "sensors[0].pin"),
        ('[{"driver": "dht22", "pin": true}]', "sensors[0].pin"),
        ('[{"driver": "dht22", "pin": 2, "every_ms": 1999}]', "sensors[0].every_ms"),
        ('[{"driver": "analogue", "pin": 26, "unit": 5}]', "sensors[0].unit"),
        ('[{"driver": "analogue", "pin": 26, "divide": 0}]', "sensors[0].divide"),
        ('[{"driver": "simulated", "at_ms": 10000}]', "sensors[0].at_ms"),
        ('[{"driver": "simulated", "at_ms": 0, "every_ms": 0}]', "sensors[0].at_ms"),
        ('[{"driver": "simulated", "band": 0.5}]', "sensors[0].band: write a whole number, or"),
        ('[{"driver": "simulated", "band": "0,5"}]', "sensors[0].band"),
        ('[{"driver": "simulated", "band": "1."}]', "sensors[0].band"),
        ('[{"driver": "simulated", "band": "1.\u0661"}]', "sensors[0].band"),
        ('[{"driver": "simulated", "alarm_above": {"": "x"}}]', "sensors[0].alarm_above"),
        (
            '[{"driver": "simulated", "band": {"temperature": 1}}]',
            "band: no quantity 'temperature'",
        ),
        ('[{"driver": "simulated", "band": {"temperature": 1}}]', "but one, without a name"),
        (
            '[{"driver": "dht22", "pin": 2, "alarm_below": {"*": 1, "temprature": 2}}]',
            "no quantity 'temprature' is read here, but temperature, humidity",
        ),
    ):
        assert said in refusal(text), (text, refusal(text))


def check_an_owners_driver_is_found_beside_config_json(folder):
    add_driver(folder, "own_one", OWN)

    [one] = sensors('[{"driver": "own-one", "pin": 3}]')

    assert one.keys == {"pin": 3, "gain": 4, "unit": "V"}
    assert "sensors[0].pin" in refusal('[{"driver": "own-one"}]')


def check_limits_are_held_to_what_an_owners_driver_says_it_reads(folder):
    add_driver(folder, "silent_one", OWN)
    add_driver(folder, "own_two", 'QUANTITIES = ("level", "flow")\n' + OWN)
    limited = '[{"driver": "DRIVER", "pin": 3, "band": {"height": 1}}]'

    [one] = sensors(limited.replace("DRIVER", "silent-one"))

    assert one.limits == {"band": {"height": 1}}
    assert "but level, flow" in refusal(limited.replace("DRIVER", "own-two"))


def check_an_owners_driver_that_cannot_be_loaded_is_refused_with_its_reason(folder):
    add_driver(folder, "half_done", "KEYS = {")
    add_driver(folder, "needs_more", "import a_library_that_is_missing\n")

    assert "drivers/half_done.py" in refusal('[{"driver": "half-done"}]')
    assert "a_library_that_is_missing" in refusal('[{"driver": "needs-more"}]')


def check_a_driver_that_finds_no_memory_is_no_fault_of_config_json(folder):
    add_driver(folder, "large_one", "raise MemoryError\n")

    try:
        sensors('[{"driver": "large-one"}]')
    except MemoryError:
        return
    raise AssertionError("it was taken, or refused")


def add_driver(folder, name, source):
    """Puts a file where the owner would, in a folder that `device.main` has on its path."""
    try:
        os.mkdir(folder + "/drivers")
    except OSError:
        pass
    with open(folder + "/drivers/" + name + ".py", "w") as file:
        file.write(source)
    if folder not in sys.path:
        sys.path.append(folder)


def forget(folder):
    for name in list(sys.modules):
        if name == "drivers" or name.startswith("drivers."):
            del sys.modules[name]
    if folder in sys.path:
        sys.path.remove(folder)


def checks():
    return sorted([name for name in globals() if name.startswith("check_")])


def main(folder):
    for number, name in enumerate(checks()):
        os.mkdir(f"{folder}/{number}")
        globals()[name](f"{folder}/{number}")
        forget(f"{folder}/{number}")
    print(f"{len(checks())} checks hold")


if __name__ == "__main__":
    main(sys.argv[1])
