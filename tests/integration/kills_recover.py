"""kill -9 of `recover`: the next start, or the next try, ends it; the devices go on."""

import random
import tomllib

from gateway.directory import Directory
from tests.integration.commands import killed, tallystick
from tests.integration.harness import Site
from tests.load import LoadDevice
from tools.trust import remember_trust
from tools.verify import verdicts_of

_WINDOW_S = 0.15  # a recovery of a small ledger takes about this long


def campaign(site: Site, kills: int, seed: int) -> None:
    """Each kill is followed by a start or another try, and the new ledger reaches the collector."""
    dice = random.Random(seed)
    directory = Directory(site.gateway_dir)
    take_some(site, "load-0")
    hits = completed = 0

    for number in range(1, kills + 1):
        before, name = origin_of(directory), f"test.invalid/site-{number}"
        arguments = ("recover", site.gateway_dir, "--new-origin", name, "--although-sound")
        hits += killed(
            *arguments,
            once=lambda: bool(list(site.gateway_dir.glob("recover.*"))),
            after_s=dice.choice((0, dice.uniform(0, _WINDOW_S))),
        )
        if dice.random() < 0.5:
            again = tallystick(*arguments)
            assert again.returncode == 0, again.stderr
            assert origin_of(directory) == name
        else:
            take_some(site, f"load-{number}")
        assert origin_of(directory) in (before, name)
        assert not list(site.gateway_dir.glob("recover.*"))
        (verdict,) = verdicts_of(str(site.gateway_dir))
        assert verdict.valid, f"SEED={seed} kill {number}: {verdict.reason}"
        completed += origin_of(directory) == name

    last = ("recover", site.gateway_dir, "--new-origin", "test.invalid/last", "--although-sound")
    assert tallystick(*last).returncode == 0
    take_some(site, "load-last")
    print(f"\nSEED={seed}: {kills} kills, {hits} in the middle, {completed + 1} new ledgers")
    assert len(list(site.gateway_dir.glob("retired-*"))) == completed + 1


def take_some(site: Site, name: str) -> None:
    """The gateway starts, keeps some packs, and stops."""
    gateway = site.start_gateway()
    device = LoadDevice(site.enrol(name))
    device.start()
    site.wait_until(lambda: len(device.kept) > 2, "three packs are kept")
    device.end()
    gateway.stop()


def origin_of(directory: Directory) -> str:
    return str(tomllib.loads(directory.config.read_text())["origin"])


def trust(site: Site, key: str) -> None:
    """What an operator does at the collector, which is stopped."""
    remember_trust(site.collector_dir, [key])
