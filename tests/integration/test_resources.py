"""Resources over a real ledger in a directory: kill -9 at any moment, and damage."""

import asyncio
import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway import directory as directories
from gateway.config import GatewayConfig
from gateway.directory import Directory
from gateway.errors import IntegrityError
from gateway.wiring import Gateway
from protocol import resource
from protocol.resource import CHANGES, DELETE, POST
from tests.gateway.ledger_files import CONFIG, Made
from tests.integration.commands import tallystick
from tests.interpreters import ROOT
from tools.verify import verdicts_of

ORIGIN = "test.invalid/ledger"
START_LIMIT_S = 20


@pytest.fixture
def directory(tmp_path):
    signer = directories.create(tmp_path / "garden", ORIGIN, CONFIG)
    directory = Directory(tmp_path / "garden")
    directory.keep_verifier(signer)
    return directory


@pytest.mark.integration
def test_acknowledged_changes_are_there_after_kills(directory):
    campaign(directory, kills=3, seed=int(os.environ.get("SEED", "1")))


@pytest.mark.integration
@pytest.mark.slow
def test_acknowledged_changes_are_there_after_many_kills(directory):
    seed, kills = int(os.environ.get("SEED", "2")), int(os.environ.get("KILLS", "100"))
    campaign(directory, kills=kills, seed=seed)


def campaign(directory: Directory, *, kills: int, seed: int) -> None:
    """After each kill a path is as the last acknowledged change left it, or the one after it."""
    print(f"\nreplay with SEED={seed} KILLS={kills}")
    dice, told = random.Random(seed), Told()
    for number in range(kills + 1):
        said = directory.path.parent / f"said-{number}"
        with started(directory, f"{seed * 1000 + number}", said) as worker:
            until_ready(worker, said)
            # to a moment nobody chose: the kill is to come in the middle of anything
            time.sleep(dice.uniform(0.02, 0.4) if number < kills else 0)
            worker.kill()
        told.hear(said.read_text())

    print(f"{kills} kills, {told.acknowledged} changes acknowledged, {told.open} cut short")
    assert told.acknowledged > 10 * kills
    (verdict,) = verdicts_of(str(directory.path))
    assert verdict.valid, verdict.reason
    checked = tallystick("fsck", directory.path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert replayed(directory) in told.possible()


class Told:
    """What the workers have said: what each path holds, and the change under way, if any is."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.under_way: dict[str, tuple[str, bytes]] = {}
        self.acknowledged = self.open = 0

    def hear(self, said: str) -> None:
        start, _, rest = said.partition("ready\n")
        self._hear_start(start.splitlines())
        for line in rest.splitlines(keepends=True):
            if line.endswith("\n"):  # else it is cut short, and what it was to say not begun
                self._hear_change(*line.split())
        self.open += len(self.under_way)

    def _hear_start(self, lines: list[str]) -> None:
        """Each path is as the last acknowledged change left it, or the one under way."""
        words = [line.split() for line in lines]
        found = {path: bytes.fromhex("".join(content)) for _, path, *content in words}
        for path in {*found, *self.held, *self.under_way}:
            assert found.get(path) in self.may_hold(path), path
        self.held, self.under_way = found, {}

    def _hear_change(self, mark: str, path: str, kind: str = "", content: str = "") -> None:
        if mark == "?":
            self.under_way[path] = (kind, bytes.fromhex(content.replace("-", "")))
        else:
            self._set(path, self._after(path))
            del self.under_way[path]
            self.acknowledged += 1

    def may_hold(self, path: str) -> list[bytes | None]:
        return [self.held.get(path), self._after(path)]

    def possible(self) -> list[dict[str, bytes]]:
        """What all paths together may hold, a last worker having changed little."""
        results: list[dict[str, bytes]] = [{}]
        for path in {*self.held, *self.under_way}:
            results = [
                result if content is None else result | {path: content}
                for result in results
                for content in self.may_hold(path)
            ]
        return results

    def _after(self, path: str) -> bytes | None:
        kind, content = self.under_way.get(path, (None, b""))
        before = self.held.get(path)
        if kind is None:
            return before
        if kind == DELETE:
            return None
        return (before or b"") + content if kind == POST else content

    def _set(self, path: str, content: bytes | None) -> None:
        self.held.pop(path, None)
        if content is not None:
            self.held[path] = content


def started(directory: Directory, seed: str, said: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.integration.resource_worker", str(directory.path), seed]
    with said.open("wb") as output:
        return subprocess.Popen(command, stdout=output, cwd=ROOT)


def until_ready(worker: "subprocess.Popen[bytes]", said: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while b"ready\n" not in said.read_bytes():
        assert worker.poll() is None
        assert time.monotonic() < deadline, f"not ready within {START_LIMIT_S} s"
        time.sleep(0.01)  # it says so in a file


def replayed(directory: Directory) -> dict[str, bytes]:
    """What the entries alone say."""
    made, found = Made(directory, None, ""), {}
    store = made.open()
    size = store.read(lambda reader: reader.last()).index + 1
    for entry in store.read(lambda reader: reader.entries(0, size)):
        if entry.kind in CHANGES:
            change = resource.decode(entry.kind, entry.body)
            before = found.pop(entry.source, b"")
            if entry.kind != DELETE:
                found[entry.source] = (before if entry.kind == POST else b"") + change.content
    store.close()
    return found


# --- damage -----------------------------------------------------------------------------------


async def with_tree(directory: Directory, work):
    failed: list[BaseException] = []
    signer = directory.load_signer(ORIGIN)
    gateway = Gateway(directory, GatewayConfig(origin=ORIGIN), signer, failed.append)
    try:
        return await work(gateway)
    finally:
        await gateway.sequencer.stop()
        await asyncio.sleep(0)
        gateway.close()
        assert failed == []


async def fill(gateway: Gateway) -> None:
    for content in (b"one", b"two", b"three"):
        await gateway.resources.post("home/log", content, 0, who="@ci")
    await gateway.resources.put("home/lamp", b"on", 0, who="@ci")


@pytest.mark.integration
@pytest.mark.damages_ledgers
async def test_a_part_with_a_flipped_bit_is_refused_told_and_named_by_fsck(directory):
    await with_tree(directory, fill)
    made = Made(directory, None, "")
    body = made.value("SELECT body FROM bodies WHERE idx = 1")
    flipped = body[:-12] + bytes([body[-12] ^ 1]) + body[-11:]
    made.execute("UPDATE bodies SET body = ? WHERE idx = 1", flipped)

    async def look(gateway):
        with pytest.raises(IntegrityError) as refusal:
            await gateway.resources.get("home/log")
        found = await gateway.resources.get("home/lamp")
        return refusal.value.index, found.content, gateway.integrity.status()["damaged"]

    assert await with_tree(directory, look) == (1, b"on", [1])
    checked = tallystick("fsck", directory.path)
    assert checked.returncode == 1
    assert "entry 1" in checked.stdout + checked.stderr


@pytest.mark.integration
@pytest.mark.damages_ledgers
async def test_a_path_that_was_set_back_is_found_by_fsck(directory):
    await with_tree(directory, fill)
    made = Made(directory, None, "")
    made.execute("DELETE FROM resources WHERE position = 2")

    checked = tallystick("fsck", directory.path)

    assert checked.returncode == 1
    assert "newest change" in checked.stdout + checked.stderr
    (verdict,) = verdicts_of(str(directory.path))
    assert verdict.valid  # no stranger needs the table


@pytest.mark.integration
async def test_a_ledger_of_the_version_before_goes_on_with_resources(directory):
    made = Made(directory, None, "")
    made.execute("INSERT INTO state VALUES ('x', x'00')")
    _as_version_1(directory.ledger)
    before = tallystick("fsck", directory.path)

    await with_tree(directory, fill)

    assert before.returncode == 0, before.stdout + before.stderr
    checked = tallystick("fsck", directory.path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def _as_version_1(ledger: Path) -> None:
    database = sqlite3.connect(ledger)
    database.executescript("DROP TABLE resources; PRAGMA user_version = 1;")
    database.close()
