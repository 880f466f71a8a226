"""kill -9 of `backup` and `restore`, under load: what has the name of a copy is a whole one."""

import random
import shutil
from pathlib import Path

from tests.integration.commands import killed, tallystick
from tests.integration.harness import Site
from tests.load import LoadDevice
from tools.verify import verdicts_of

_WINDOW_S = 0.2  # each takes about this long on a small ledger


def campaign(site: Site, kills: int, seed: int) -> None:
    """Each kill is followed by another try of the same, which ends; the gateway never stops."""
    dice = random.Random(seed)
    folder = site.gateway_dir.parent
    gateway = site.start_gateway()
    device = LoadDevice(site.enrol("load-1"))
    device.start()
    site.wait_until(lambda: len(device.kept) > 20, "some are kept")
    hits = 0

    for number in range(kills):
        if dice.random() < 0.5:
            saved = folder / f"saved-{number}"
            hits += _killed(dice, saved, "backup", site.gateway_dir, saved, "--with-key")
            _again(saved, "backup", site.gateway_dir, saved, "--with-key")
        else:
            source, back = folder / f"source-{number}", folder / f"back-{number}"
            _again(source, "backup", site.gateway_dir, source, "--with-key")
            note = ("--checkpoint", source / "checkpoint")
            hits += _killed(dice, back, "restore", source, back, *note)
            _again(back, "restore", source, back, *note)
        assert list(folder.glob("*.part")) == [], f"SEED={seed} kill {number}"
    before = len(device.kept)
    site.wait_until(lambda: len(device.kept) > before, "the gateway goes on")
    device.end()

    assert gateway.running
    print(f"\nSEED={seed}: {kills} kills, {hits} in the middle, {len(device.kept)} kept meanwhile")


def _killed(dice: random.Random, target: Path, *arguments: object) -> bool:
    part = target.with_name(f"{target.name}.part")
    hit = killed(*arguments, once=part.exists, after_s=dice.choice((0, dice.uniform(0, _WINDOW_S))))
    if target.exists():
        _check(target)
        shutil.rmtree(target)
    return hit


def _again(target: Path, *arguments: object) -> None:
    done = tallystick(*arguments)
    assert done.returncode == 0, done.stderr
    _check(target)


def _check(target: Path) -> None:
    (verdict,) = verdicts_of(str(target))
    assert verdict.valid, verdict.reason
    assert (target / "keys.sqlite").exists()
