"""No space left: 5.03 with Max-Age, nothing lost, and recovery without a hand."""

import os
import resource
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol import coap
from protocol import fault as faults
from protocol.note import unb64
from tests.integration.harness import Site, packs
from tests.integration.test_bad_input import door, post
from tests.load import LoadDevice

__all__ = ["door"]  # a fixture

_SMALL_DISK = 6 * 1024 * 1024
_ENOUGH = 3000  # envelopes; far more than a full disk takes
_RESERVE = 256 * 1024
NO_LIMITS = f"\n[disk]\nreserve_bytes = {_RESERVE}\nsoft_free_bytes = 0\nhard_free_bytes = 0\n"
SOON = [bytes((seconds,)) for seconds in (5, 6, 7)]  # Max-Age with its jitter


@pytest.fixture(params=["tmpfs", "ext4"])
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A real file system that is really full after a few megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SMALL_DISK}", "tmpfs", str(folder)]
    if request.param == "ext4":
        image = tmp_path / "image"
        image.touch()
        os.truncate(image, 2 * _SMALL_DISK)  # its journal takes a part
        run("mkfs.ext4", "-q", "-F", "-m", "0", "-J", "size=4", str(image))
        mount = ["mount", "-o", "loop", str(image), str(folder)]
    run(*mount)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip(f"no {command[0]} here")
    if done.returncode:
        pytest.skip(f"only root may make a small file system: {done.stderr.strip()}")


@pytest.mark.integration
def test_writes_that_fail_are_told_with_max_age_and_the_gateway_recovers_by_itself(
    site: Site, door: socket.socket
) -> None:
    device = LoadDevice(site.enrol("load-1"))
    assert told(door, device, 0) == ("2.04", None)
    limit_file_size(site, 0)

    refused = [told(door, device, 1) for _ in range(3)]
    health = site.gateway.get("/healthz") if site.gateway else {}
    limit_file_size(site, resource.RLIM_INFINITY)
    wait_until_well(site)
    recovered = [told(door, device, sequence) for sequence in (1, 2)]

    assert all(code == "5.03" and max_age in SOON for code, max_age in refused)
    assert len(refused) == 3
    assert health["status"] == "failing"
    assert "store-failed: " in str(health["faults"])
    assert recovered == [("2.04", None)] * 2
    assert len(packs(site.gateway_dir / "ledger.sqlite")) == 3
    assert recorded(site) == [("store-failed", None), ("store-failed", 3)]


@pytest.mark.integration
def test_a_full_disk_loses_nothing_that_was_acknowledged(small_disk: Path) -> None:
    site = site_on(small_disk, NO_LIMITS)
    try:
        device, kept, refused = fill_up(site, small_disk)
        health = site.gateway.get("/healthz") if site.gateway else {}
        reserved = (site.gateway_dir / "reserve").exists()
        while_full = recorded(site)
        time.sleep(7)
        later = _told_by(site, device, kept)
        (small_disk / "filler").unlink()
        wait_until_well(site)
        reserved_again = (site.gateway_dir / "reserve").stat().st_size
        after = [_told_by(site, device, n) for n in (kept, kept + 1)]
        faults = recorded(site)
    finally:
        site.stop()

    held = packs(site.gateway_dir / "ledger.sqlite")
    print(f"\n{kept} kept before the disk was full, then {refused}; {later} 7 s later; {faults}")
    assert refused[0] == "5.03"
    assert refused[1] in SOON
    assert later[0] == "5.03"
    assert b"\x05" < (later[1] or b"") < b"\x20"
    assert health["status"] == "failing"
    assert (reserved, reserved_again) == (False, _RESERVE)
    assert while_full == [("store-full", None)]
    assert faults == [("store-full", None), ("store-full", 2)]
    assert after == [("2.04", None)] * 2
    assert sorted(sequence for _, _, sequence in held) == list(range(kept + 2))
    assert all(verdict.valid for verdict in site.verdicts())


@pytest.mark.integration
def test_below_the_hard_limit_nothing_is_taken_in_and_no_write_fails(small_disk: Path) -> None:
    hard = 2 * 1024 * 1024
    site = site_on(small_disk, NO_LIMITS.replace("_free_bytes = 0", f"_free_bytes = {hard}"))
    try:
        device, kept, refused = fill_up(site, small_disk, leave=hard + 512 * 1024)
        health = site.gateway.get("/healthz") if site.gateway else {}
        (small_disk / "filler").unlink()
        wait_until_well(site)
        after = _told_by(site, device, kept)
        faults = recorded(site)
    finally:
        site.stop()

    assert refused[0] == "5.03"
    assert refused[1] in SOON
    assert [fault.split(":")[0] for fault in health["faults"]] == ["store-full"]
    assert f"hard_free_bytes is {hard}" in health["faults"][0]
    assert after == ("2.04", None)
    assert faults == [("store-full", None), ("store-full", 1)]
    assert all(verdict.valid for verdict in site.verdicts())


@pytest.mark.integration
def test_a_gateway_that_is_killed_on_a_full_disk_starts_on_it_and_goes_on_when_there_is_room(
    small_disk: Path,
) -> None:
    site = site_on(small_disk, NO_LIMITS)
    try:
        device, kept, _ = fill_up(site, small_disk)
        assert site.gateway is not None
        site.gateway.kill()
        gateway = site.start_gateway()
        # it may have room in its log; the reserve it cannot make again
        health = gateway.get("/healthz")
        refused = _told_by(site, device, kept)
        (small_disk / "filler").unlink()
        wait_until_well(site)
        after = _told_by(site, device, kept)
    finally:
        site.stop()

    assert health["status"] == "failing"
    assert refused[0] == "5.03"
    assert after == ("2.04", None)
    assert all(verdict.valid for verdict in site.verdicts())


def site_on(disk: Path, config: str) -> Site:
    site = Site(disk)
    file = site.gateway_dir / "tallystick.toml"
    file.write_text(file.read_text() + config)
    return site


def fill_up(
    site: Site, disk: Path, leave: int = 64 * 1024
) -> tuple[LoadDevice, int, tuple[str, bytes | None]]:
    """Sends until the disk is full; how many were kept, and what the next one heard."""
    site.start_gateway()
    device = LoadDevice(site.enrol("load-1"))
    assert _told_by(site, device, 0) == ("2.04", None)
    _fill(disk, leave)
    for sequence in range(1, _ENOUGH):
        answer = _told_by(site, device, sequence)
        if answer[0] != "2.04":
            return device, sequence, answer
    raise AssertionError(f"{_ENOUGH} envelopes and the disk is not full")


def wait_until_well(site: Site) -> None:
    """Nobody submits anything meanwhile."""

    def well() -> bool:
        assert site.gateway is not None
        return bool(site.gateway.get("/healthz")["status"] == "ok")

    site.wait_until(well, "/healthz is ok again")


def recorded(site: Site) -> list[tuple[str, int | None]]:
    """What the ledger says went wrong: of each fault what it is, and how many were refused."""
    assert site.gateway is not None
    events = site.gateway.get("/events?kind=fault")["events"]
    found = [faults.decode(unb64(event["body"])) for event in events]
    return [(fault.what, fault.refused) for fault in found]


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


def _fill(disk: Path, leave: int) -> None:
    """Takes all the space there is, but for `leave` bytes."""
    free = os.statvfs(disk)
    with (disk / "filler").open("wb") as filler:
        filler.write(bytes(free.f_bavail * free.f_frsize - leave))
        os.fsync(filler.fileno())


_mids = iter(range(1, 60_000))


def _next_mid() -> int:
    return next(_mids)
