"""What an image may hold, and what it must: the disk model itself."""

from pathlib import Path
from random import Random

import pytest

from gateway.store.files import write_durable
from tests.storage.images import KINDS, Image, cut, image, recorded
from tests.storage.shim import Shim

_TRIES = 300


def images_of(folder: Path, kind: str, *, back: int = 0) -> list[Image]:
    """Images after all but the last `back` steps of writing `new` over `old`."""
    (folder / "file").write_bytes(b"old")
    with recorded(folder) as (shim, record):
        write_durable(folder / "file", b"new" * 1000, disk=shim.disk)
    found = cut(record, len(record.steps) - back)
    return [image(found, kind, Random(n)) for n in range(_TRIES)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_synced_is_in_every_image(tmp_path: Path, kind: str) -> None:
    images = images_of(tmp_path, kind)

    assert images == [{"file": b"new" * 1000}] * _TRIES


@pytest.mark.parametrize("kind", KINDS)
def test_a_rename_is_not_sure_before_the_directory_is_synced(tmp_path: Path, kind: str) -> None:
    images = images_of(tmp_path, kind, back=1)

    assert {one["file"] for one in images} == {b"old", b"new" * 1000}


CONTENTS = {
    "dropped": {b"", bytes(3000)},
    "subset": {b"", bytes(3000), b"new" * 1000},
}


@pytest.mark.parametrize(("kind", "contents"), CONTENTS.items())
def test_a_write_is_not_sure_before_its_sync(tmp_path: Path, kind: str, contents) -> None:
    images = images_of(tmp_path, kind, back=3)

    assert {one["file"] for one in images} == {b"old"}
    assert {one.get("file.new") for one in images} == {None, *contents}


def test_a_write_is_torn_at_a_sector(tmp_path: Path) -> None:
    images = images_of(tmp_path, "torn", back=3)

    lengths = {len(one.get("file.new", b"").rstrip(b"\0")) for one in images}
    assert lengths == {0, 512, 1024, 1536, 2048, 2560, 3000}


def test_unsynced_writes_come_in_any_order(tmp_path: Path) -> None:
    with recorded(tmp_path) as (shim, record):
        overwrite(shim, tmp_path / "file", b"one", b"two")

    images = [image(cut(record, 4), "reordered", Random(n)) for n in range(_TRIES)]

    assert {b"one", b"two"} <= {one.get("file") for one in images}


def test_junk_is_neither_old_nor_new(tmp_path: Path) -> None:
    images = images_of(tmp_path, "junk", back=3)

    contents = {one["file.new"] for one in images if "file.new" in one}
    assert b"new" * 1000 in contents
    assert len({data for data in contents if len(data) == 3000 and data[:3] != b"new"}) > 2


def overwrite(shim: Shim, path: Path, *writes: bytes) -> None:
    for data in writes:
        handle = shim.disk.open(path, 0o1101)
        shim.disk.write(handle, data)
        shim.disk.close(handle)
