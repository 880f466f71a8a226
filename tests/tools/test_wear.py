"""What a ledger writes for a reading, tried out with a scratch ledger."""

import pytest

from gateway.config import LedgerConfig
from tools.wear import Load, measure

TOGETHER = Load(devices=10, readings=1)


@pytest.fixture
def written(tmp_path_factory):
    """On a disk, whose writes are counted."""
    disk = tmp_path_factory.mktemp("disk")

    def per_reading(name: str, load: Load, **config) -> float:
        measured = measure(disk / name, LedgerConfig(**config), load, 20)
        if measured is None:
            pytest.skip(f"what is written to {disk} is not counted here")
        return measured

    return per_reading


def test_readings_in_packs_write_less_than_one_by_one(written):
    packed = written("packed", Load(devices=1, readings=10))
    single = written("single", TOGETHER)

    assert 0 < packed < single / 2


def test_waiting_for_company_writes_less(written):
    strict = written("strict", TOGETHER)
    balanced = written("balanced", TOGETHER, durability="balanced", commit_delay_ms=80)

    assert 0 < balanced < 0.9 * strict


def test_every_second_is_reported_on_the_way(tmp_path):
    seconds = []

    measure(tmp_path / "one", LedgerConfig(), Load(1, 1), 3, progress=seconds.append)

    assert seconds == [1, 2, 3]
