"""The power fails anywhere in a gateway's life: what was answered is there when it comes back."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.storage.images import NOTHING, Record
from tests.storage.powercuts import Campaign, Lived, live_on_a_forgetful_disk, live_well
from tests.storage.shim import Sync, SyncDirectory

SEED = int(os.environ.get("SEED", "1"))
_FEW = 30
_ENOUGH = 1000  # images until a lie is found out; most are found in the first ten
_DISKS = {"good": live_well, "forgetful": live_on_a_forgetful_disk}


@pytest.mark.parametrize("live", _DISKS.values(), ids=_DISKS)
def test_what_was_answered_survives_a_power_cut(tmp_path: Path, live) -> None:
    """On a disk that fails some syncs, too: a later one does not write what these dropped."""
    judged(Campaign(tmp_path, SEED, live), range(_FEW))


@pytest.mark.slow
@pytest.mark.parametrize("live", _DISKS.values(), ids=_DISKS)
def test_what_was_answered_survives_thousands_of_power_cuts(tmp_path: Path, live) -> None:
    """IMAGES=100000 SEED=7 for more; IMAGE=1234 SEED=7 for that one alone."""
    one = os.environ.get("IMAGE")
    judged(
        Campaign(tmp_path, SEED, live),
        [int(one)] if one else range(int(os.environ.get("IMAGES", "3000"))),
    )


def judged(campaign: Campaign, numbers: Sequence[int]) -> None:
    campaign.run(numbers)

    print(f"\n{campaign.report()}")
    assert campaign.wrong[:10] == []


def forgets(name: str):
    """A disk that says it synced `name`, and did not."""

    def lie(record: Record) -> None:
        record.steps[:] = [
            Sync(NOTHING) if isinstance(step, Sync) and step.file.name == name else step
            for step in record.steps
        ]

    return lie


def forgets_names(record: Record) -> None:
    record.steps[:] = [
        Sync(NOTHING) if isinstance(step, SyncDirectory) else step for step in record.steps
    ]


# what is lied about -> the lie, a part of what is then found
LIES = {
    "wal": (forgets("ledger.sqlite-wal"), "were answered"),
    "database": (forgets("ledger.sqlite"), "malformed"),
    "checkpoint": (forgets("checkpoint"), "was published"),
    "keys": (forgets("keys.sqlite"), "keys.sqlite"),
    "journal of keys": (forgets("keys.sqlite-journal"), "keys.sqlite"),
    "names": (forgets_names, "the end was cut off"),
}


@pytest.mark.parametrize(("lie", "found"), LIES.values(), ids=LIES)
def test_a_disk_that_lies_about_a_sync_is_found_out(tmp_path: Path, lie, found: str) -> None:
    """So each sync that the gateway makes is needed, and the campaign would miss none of them."""

    def live(path: Path, seed: str) -> Lived:
        lived = live_well(path, seed)
        lie(lived.record)
        return lived

    campaign = Campaign(tmp_path, SEED, live)
    for number in range(_ENOUGH):
        campaign.run([number])
        if any(found in wrong for wrong in campaign.wrong):
            break

    assert any(found in wrong for wrong in campaign.wrong), campaign.wrong[:10]
