"""kill -9 of `rotate-key`: the next start, or the next try, ends what was begun."""

import random

from gateway.directory import Directory
from tests.integration.commands import killed, tallystick
from tests.integration.harness import Site
from tests.load import LoadDevice
from tools.verify import verdicts_of

_WINDOW_S = 0.03  # a rotation takes about this long once its key is made


def campaign(site: Site, kills: int, seed: int) -> None:
    """Each kill is followed by a start or by another try, and all by one more rotation."""
    dice = random.Random(seed)
    directory = Directory(site.gateway_dir)
    site.start_collector()
    _take_some(site, "load-0")
    hits = 0

    for number in range(1, kills + 1):
        hits += killed(
            "rotate-key",
            site.gateway_dir,
            once=lambda: bool(list(site.gateway_dir.glob("signer.next*"))),
            after_s=dice.choice((0, dice.uniform(0, _WINDOW_S))),
        )
        if dice.random() < 0.7:
            again = tallystick("rotate-key", site.gateway_dir)
            assert again.returncode == 0, again.stderr
        else:
            _take_some(site, f"load-{number}")
        assert not directory.next_signer.exists()
        (verdict,) = verdicts_of(str(site.gateway_dir))
        assert verdict.valid, f"SEED={seed} kill {number}: {verdict.reason}"

    before = _epochs(directory)
    assert tallystick("rotate-key", site.gateway_dir).returncode == 0
    assert _epochs(directory) == before + 1
    _take_some(site, "load-last")
    print(f"\nSEED={seed}: {kills} kills, {hits} in the middle, {before} rotations")


def _take_some(site: Site, name: str) -> None:
    """The gateway starts, keeps some packs, brings them to the collector, and stops."""
    gateway = site.start_gateway()
    device = LoadDevice(site.enrol(name))
    device.start()
    site.wait_until(lambda: len(device.kept) > 2, "three packs are kept")
    device.end()
    site.wait_until_collected()
    gateway.stop()


def _epochs(directory: Directory) -> int:
    keys = directory.read_keys()
    return len(keys.epochs) if keys else 1
