"""No space left: 5.03 with Max-Age, nothing lost, and recovery without a hand."""

import os
import resource
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol import coap
from tests.integration.harness import Site, packs
from tests.integration.test_bad_input import door, post
from tests.load import LoadDevice

__all__ = ["door"]  # a fixture

_SMALL_DISK = "6m"
_ENOUGH = 3000  # envelopes; far more than a full disk takes


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system that is really full after a few megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SMALL_DISK}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mount.returncode:
        pytest.skip(f"only root may mount a small tmpfs: {mount.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.integration
def test_writes_that_fail_are_told_with_max_age_and_the_gateway_recovers_by_itself(
    site: Site, door: socket.socket
) -> None:
    device = LoadDevice(site.enrol("load-1"))
    assert told(door, device, 0) == ("2.04", None)
    limit_file_size(site, 0)

    refused = told(door, device, 1)
    health = site.gateway.get("/healthz") if site.gateway else {}
    limit_file_size(site, resource.RLIM_INFINITY)
    recovered = [told(door, device, sequence) for sequence in (1, 2)]

    assert refused == ("5.03", b"\x05")
    assert health["status"] == "failing"
    assert recovered == [("2.04", None)] * 2
    assert len(packs(site.gateway_dir / "ledger.sqlite")) == 3


@pytest.mark.integration
def test_a_full_disk_loses_nothing_that_was_acknowledged(small_disk: Path) -> None:
    site = Site(small_disk)
    try:
        device, kept, refused = fill_up(site, small_disk)
        (small_disk / "filler").unlink()
        after = [_told_by(site, device, n) for n in (kept, kept + 1)]
    finally:
        site.stop()

    held = packs(site.gateway_dir / "ledger.sqlite")
    print(f"\n{kept} kept before the disk was full, then {refused}")
    assert refused == ("5.03", b"\x05")
    assert after == [("2.04", None)] * 2
    assert sorted(sequence for _, _, sequence in held) == list(range(kept + 2))
    assert all(verdict.valid for verdict in site.verdicts())


def fill_up(site: Site, disk: Path) -> tuple[LoadDevice, int, tuple[str, bytes | None]]:
    """Sends until the disk is full; how many were kept, and what the next one heard."""
    site.start_gateway()
    device = LoadDevice(site.enrol("load-1"))
    _fill(disk)
    for sequence in range(_ENOUGH):
        answer = _told_by(site, device, sequence)
        if answer[0] != "2.04":
            return device, sequence, answer
    raise AssertionError(f"{_ENOUGH} envelopes and the disk is not full")


def told(door: socket.socket, device: LoadDevice, sequence: int) -> tuple[str, bytes | None]:
    answer = post(door, device.seal(sequence), mid=_next_mid())
    return coap.code_text(answer.code), answer.option(coap.MAX_AGE)


def limit_file_size(site: Site, size: int) -> None:
    """Makes every write of the running gateway past `size` bytes fail (EFBIG), or not."""
    assert site.gateway is not None
    resource.prlimit(site.gateway.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _told_by(site: Site, device: LoadDevice, sequence: int) -> tuple[str, bytes | None]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.connect(("127.0.0.1", site.coap_port))
        door.settimeout(5)
        return told(door, device, sequence)


def _fill(disk: Path) -> None:
    """Takes all the space there is, less a few pages."""
    free = os.statvfs(disk)
    with (disk / "filler").open("wb") as filler:
        filler.write(bytes(free.f_bavail * free.f_frsize - 64 * 1024))


_mids = iter(range(1, 60_000))


def _next_mid() -> int:
    return next(_mids)
