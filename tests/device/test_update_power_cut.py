"""Power cuts at every flash operation of an update: a whole slot runs, and the outcome is told."""

import random
import shutil
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from protocol import envelope_reader, resolve
from tests.device.releases import UPDATE_KEY, release
from tests.interpreters import run_micropython

LIFE = Path(__file__).with_name("update_life.py")
FLASH_BYTES = 64 * 4096
OUTCOMES = {
    "good": ["1.1.0 ok"],
    "bad": ["1.1.0 rolled back: no receipt in 2 starts"],
    "rotten": ["fell back: device/main.mpy", "1.0.0 ok"],
}
RUNNING = {"good": "1.1.0", "bad": "1.0.0", "rotten": "1.0.0"}


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    """1.1.0 has of 1.0.0 one file that is the same, one that is not, one less and one more."""
    folder = tmp_path_factory.mktemp("releases")
    random.seed(5)
    same, changed, new = (random.randbytes(size) for size in (2600, 5300, 4096))
    old = {
        "device/main.mpy": b"old " + changed,
        "device/gone.mpy": b"gone",
        "protocol/coap.mpy": same,
    }
    release(folder, old, version="1.0.0", counter=1)
    release(folder, {"device/main.mpy": b"older"}, version="0.9.0", counter=0)
    files = {
        "device/main.mpy": b"new " + changed,
        "device/sensors/more.mpy": new,
        "protocol/coap.mpy": same,
    }
    release(folder, files, version="1.1.0", counter=2)
    return folder


class Lives:
    """Runs boards of one kind; each has an image of its own."""

    def __init__(self, releases, kind, program_bytes, folder):
        self.releases, self.kind, self.folder = releases, kind, folder
        self.program_bytes = str(program_bytes)
        self.fresh = folder / "fresh"
        self.fresh.write_bytes(b"\xff" * FLASH_BYTES)
        self.run(kind, self.fresh, "", 0)

    def run(self, kind, image, seen, cut_at):
        key = UPDATE_KEY.hex()
        told = [self.program_bytes, kind, str(image), str(seen), str(cut_at)]
        run = run_micropython(
            ["-X", "heapsize=1M", str(LIFE), str(self.releases), key, *told], self.folder
        )
        assert run.returncode == (-9 if cut_at else 0), run.stdout[-2000:]

    def live(self, cut_at):
        """What was seen of a board whose power goes at operation `cut_at`; 0 is never."""
        image, seen = self.folder / f"image-{cut_at}", self.folder / f"seen-{cut_at}"
        shutil.copy(self.fresh, image)
        if cut_at:
            self.run(self.kind, image, seen, cut_at)
        self.run(self.kind, image, seen, 0)
        found = defaultdict(list)
        for line in seen.read_text().splitlines():
            what, _, value = line.partition(" ")
            found[what].append(value)
        image.unlink()
        return found


def faults_of(found, kind):
    """What is wrong with all that was seen of one board."""
    told = {}
    for sealed in found["delivered"]:
        envelope = envelope_reader.parse(bytes.fromhex(sealed))
        for reading in resolve.decode_pack(envelope.payload):
            if reading.name.endswith(("/started", "/ended", "/uptime")):
                continue  # what the packer adds
            # delivered twice under one number is a repeat, which a gateway knows
            told[envelope.epoch, envelope.sequence] = (reading.name, reading.value)
    faults = {
        "never settled": len(found["settled"]) != 1,
        "a broken slot ran": "broken" in found["booted"],
        "the wrong slot runs": found["booted"][-1] != RUNNING[kind],
        "an epoch came twice": len(set(found["epoch"])) != len(found["epoch"]),
        "told wrong": list(told.values()) != [("d/update", one) for one in OUTCOMES[kind]],
        "tried too often": kind == "bad" and found["booted"].count("1.1.0") > 2,
    }
    return [name for name, is_so in faults.items() if is_so]


@pytest.mark.parametrize("kind", list(OUTCOMES))
@pytest.mark.parametrize(
    ("program_bytes", "every"),
    [
        pytest.param(256, 13, id="some"),
        pytest.param(32, 1, id="all-32", marks=pytest.mark.slow),
        pytest.param(256, 1, id="all-256", marks=pytest.mark.slow),
    ],
)
def test_no_power_cut_leaves_a_broken_slot_or_an_untold_outcome(
    kind, program_bytes, every, releases, tmp_path
):
    lives = Lives(releases, kind, program_bytes, tmp_path)
    whole = lives.live(0)
    assert faults_of(whole, kind) == []
    operations = int(whole["settled"][0])

    with ThreadPoolExecutor(2) as pool:
        cuts = range(1, operations + 1, every)
        found = dict(zip(cuts, pool.map(lives.live, cuts), strict=True))

    faults = {cut_at: faults_of(one, kind) for cut_at, one in found.items()}
    print(f"{len(found)} cuts in {operations} operations")
    assert {cut_at: named for cut_at, named in faults.items() if named} == {}
