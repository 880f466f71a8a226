"""Checks of texts take no letter out of one: firmware would keep each for ever, as a name."""

import re

from tests.interpreters import run_micropython

# What is checked first loads all there is to load; what is checked then has other letters.
CHECKED_TWICE = """
import micropython
from device import slots
from device.config_file import check
from protocol import manifest, senml

def look(letters, digits):
    senml.is_name(letters + "/" + digits)
    manifest.is_version(letters), manifest.is_path("device/" + letters.lower() + ".mpy")
    slots.Slots("/", "{folder}").give_up(letters)
    check({{
        "name": letters, "secret": digits * 8, "gateway": "10.0.0.2:5683",
        "sensors": [{{"driver": "simulated", "name": letters, "band": digits}}],
    }})

for letters, digits in (("same", "00000000"), ("kQZwjX7V", "31415926")):
    micropython.qstr_info()
    look(letters, digits)
micropython.qstr_info()
"""


def test_checking_a_text_leaves_no_names_of_its_letters(tmp_path):
    run = run_micropython(["-c", CHECKED_TWICE.format(folder=tmp_path)], tmp_path)

    names = re.findall(r"n_qstr=(\d+)", run.stdout)
    assert run.returncode == 0, run.stdout
    assert len(names) == 3, run.stdout
    assert names[1] == names[2]
