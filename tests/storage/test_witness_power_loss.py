"""The power fails anywhere in a witness's life: what it answered, it remembers; nothing less."""

import os
from pathlib import Path
from random import Random

import pytest

from gateway.errors import ConfigError
from gateway.witness import files
from protocol import checkpoint as checkpoints
from protocol.witnessing import COSIGN, FORKED
from tests.fakes import ORIGIN
from tests.gateway.witnesses import asking, grown, made, note_of, opened
from tests.storage import images
from tests.storage.images import KINDS, NOTHING, Record, recorded
from tests.storage.powercuts import put
from tests.storage.shim import Sync

SEED = int(os.environ.get("SEED", "1"))
SIZES = (1, 2, 3, 5, 8, 13, 13, 14, 20)
HONEST, FORK = grown(20), grown(20, other_from=0)


class Lived:
    """A witness's life on a watched disk; `answered` are (step of the disk, size) after each."""

    def __init__(self, path: Path) -> None:
        made(path)
        self.answered: list[tuple[int, int]] = []
        with recorded(path) as (_, record):
            witness = opened(path)
            last = 0
            for size in SIZES:
                assert witness.add(asking(HONEST, last, size)).reason == COSIGN
                witness.add(asking(FORK, size, size))
                self.answered.append((len(record.steps), size))
                last = size
            witness.close()
        self.record = record

    def known(self, at: int) -> int:
        """The largest size that was answered before the power failed."""
        return max((size for step, size in self.answered if step <= at), default=0)


def wrong_after(image: images.Image, place: Path, known: int) -> str:
    """What a witness that starts on this disk does that it must not; "" for nothing."""
    witness = opened(put(image, place).path)
    latest = witness.latest(ORIGIN)
    size = checkpoints.unverified(latest).size if latest else 0
    try:
        if size < known or (latest and not latest.startswith(note_of(HONEST, size))):
            return f"it remembers {size}, and {known} was answered"
        if latest and witness.add(asking(FORK, size, 20)).reason != FORKED:
            return f"it cosigns another history from {size} on"
        return "" if witness.add(asking(HONEST, size, 20)).reason == COSIGN else "it is stuck"
    finally:
        witness.close()


def campaign(folder: Path, record_of, count: int) -> list[str]:
    lived = Lived(folder / "life")
    record_of(lived.record)
    wrong = []
    for number in range(count):
        dice = Random(f"{SEED}:{number}")
        at = number * 617 % (len(lived.record.steps) + 1)
        kind = KINDS[number % len(KINDS)]
        image = images.image(images.cut(lived.record, at), kind, dice)
        found = ""
        try:
            found = wrong_after(image, folder / f"image-{number}", lived.known(at))
        except ConfigError as error:
            found = str(error)
        if found:
            wrong.append(f"SEED={SEED} IMAGE={number}: {kind} after step {at}: {found}")
    print(f"\nSEED={SEED}: {count} images of {len(lived.record.steps)} steps, wrong {len(wrong)}")
    return wrong


def honestly(record: Record) -> None:
    """The disk did what it said."""


def forgets(name: str):
    """A disk that says it synced `name`, and did not."""

    def lie(record: Record) -> None:
        record.steps[:] = [
            Sync(NOTHING) if isinstance(step, Sync) and step.file.name == name else step
            for step in record.steps
        ]

    return lie


def test_what_a_witness_answered_survives_a_power_cut(tmp_path: Path) -> None:
    assert campaign(tmp_path, honestly, 150)[:5] == []


@pytest.mark.slow
def test_what_a_witness_answered_survives_thousands_of_power_cuts(tmp_path: Path) -> None:
    assert campaign(tmp_path, honestly, int(os.environ.get("IMAGES", "3000")))[:5] == []


@pytest.mark.parametrize("name", [files.TABLE, f"{files.TABLE}-journal"])
def test_a_disk_that_lies_about_a_sync_is_found_out(tmp_path: Path, name: str) -> None:
    """So each sync is needed, and the campaign would miss none of them."""
    assert campaign(tmp_path, forgets(name), 300) != []
