"""The power fails anywhere while OSCORE numbers are reserved: none is free that was used."""

from pathlib import Path
from random import Random

from gateway.coap.own_numbers import CHUNK
from gateway.store.number_file import NumberFile
from tests.storage import images
from tests.storage.images import KINDS, NOTHING, Record, recorded
from tests.storage.powercuts import put
from tests.storage.shim import Sync

CHUNKS, IMAGES = 8, 300


def campaign(folder: Path, *, lying: bool) -> list[str]:
    """What went wrong on how many disks. `lying`: syncs say that they were done, and were not."""
    (folder / "life").mkdir()
    path = folder / "life" / "numbers"
    NumberFile(path).reserve(0)
    reserved: list[tuple[int, int]] = []
    with recorded(folder / "life") as (shim, record):
        file = NumberFile(path, disk=shim.disk)
        for stop in range(CHUNK, (CHUNKS + 1) * CHUNK, CHUNK):
            file.reserve(stop)
            reserved.append((len(record.steps), stop))
    if lying:
        _forget(record)
    wrong = []
    for number in range(IMAGES):
        at, kind = number % (len(record.steps) + 1), KINDS[number % len(KINDS)]
        image = images.image(images.cut(record, at), kind, Random(number))
        put(image, folder / f"image-{number}")
        free = NumberFile(folder / f"image-{number}" / "numbers").read()
        used = max((stop for step, stop in reserved if step <= at), default=0)
        if free is None or free < used:
            wrong.append(f"IMAGE={number}: {kind} after step {at}: {free} of {used}")
    return wrong


def _forget(record: Record) -> None:
    record.steps[:] = [Sync(NOTHING) if isinstance(step, Sync) else step for step in record.steps]


def test_what_was_reserved_before_a_power_cut_is_not_free_after_it(tmp_path: Path) -> None:
    assert campaign(tmp_path, lying=False)[:5] == []


def test_a_disk_that_lies_about_a_sync_is_found_out(tmp_path: Path) -> None:
    """So the sync is needed, and the campaign would miss none of it."""
    assert campaign(tmp_path, lying=True) != []
