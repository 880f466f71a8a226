"""Tallystick: a real gateway and a real collector, changed from outside, asked as anyone can ask.

Who verifies has the verifier key from the owner. The holder kept a checkpoint from just before
the attack, fetched over HTTP; the collector was sent everything, as it always is.
"""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import httpx2 as httpx

from gateway.errors import ConfigError
from protocol import envelope_reader
from tests.compare.forgery import Forgery
from tests.compare.systems import ELSEWHERE, Answer
from tests.compare.tallystick_many import TallystickMany
from tests.integration.harness import Site
from tests.load import LoadDevice

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"
VERSION = tomllib.loads(_PROJECT.read_text())["project"]["version"]
ABOUT = (
    "Gateway and collector run as they always do. Who verifies has the owner's verifier key;"
    " a holder kept the checkpoint from before the attack"
)


class Tallystick:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._site = Site(folder)
        self._vkey = (self._directory / "verifier.key").read_text().strip()
        self._device = self._site.enrol("shed")
        self._copy = folder / "copy"
        self._held = folder / "held"
        self._shown = [self._directory]  # a directory a reader
        self._epoch = 0

    def fill(self, count: int) -> None:
        self._site.start_collector()
        self._held.write_text(self._fill(count))

    def remember(self) -> None:
        shutil.copytree(self._directory, self._copy)

    def do_nothing(self) -> None:
        return

    def edit_record(self) -> None:
        """Body and leaf fit each other; what comes after was not recomputed."""
        with self._forgery() as forged:
            at = _edit(forged)
            forged.commit_to_body(at)

    def edit_and_recompute(self) -> None:
        with self._forgery() as forged:
            forged.commit_to_body(_edit(forged))
            forged.relink()

    def edit_body(self) -> None:
        with self._forgery() as forged:
            _edit(forged)

    def edit_time(self) -> None:
        """In the leaf and beside it, both a day earlier."""
        with self._forgery() as forged:
            forged.set_time(200, -86_400_000)

    def delete_middle(self) -> None:
        with self._forgery() as forged:
            forged.delete(200, 200)

    def swap_two(self) -> None:
        with self._forgery() as forged:
            forged.swap(200, 201)

    def truncate(self) -> None:
        with self._forgery() as forged:
            forged.delete(forged.packs()[-10], 1 << 40)

    def roll_back(self) -> None:
        shutil.rmtree(self._directory)
        shutil.copytree(self._copy, self._directory)

    def rewrite_with_key(self) -> None:
        """Every reading is another one, under its device's key; signed with the ledger's."""
        with self._forgery() as forged:
            devices = {}
            for index in forged.packs():
                sealed = envelope_reader.parse(forged.body(index))
                device = devices.setdefault(sealed.epoch, LoadDevice(self._device, sealed.epoch))
                forged.set_body(index, device.seal(sealed.sequence))
                forged.commit_to_body(index)
            forged.relink()
            note = forged.sign((self._directory / "signer.key").read_text())
        (self._directory / "checkpoint").write_text(note)

    def substitute(self) -> None:
        """All of another gateway that calls itself by the same name, but its configuration."""
        other = Tallystick(self._folder / "other")
        other.fill(50)
        other.close()
        for file in other._directory.iterdir():
            if file.name not in ("tallystick.toml", "lock"):
                shutil.copy(file, self._directory)

    def resurrect(self) -> None:
        """Redacted as an owner would, then put back into the file."""
        with self._forgery() as forged:
            kept = forged.stored(200)
        command = [sys.executable, "-m", "tools", "prune", str(self._directory)]
        asked = ["--index", "200", "--redact", "--yes"]
        subprocess.run([*command, *asked], capture_output=True, check=True)
        with self._forgery() as forged:
            forged.put_back(200, kept)

    def split_view(self) -> None:
        """A second gateway with the same keys goes on from the copy, and shows nobody else."""
        shown, self._site.gateway_dir = self._directory, self._copy
        self._fill(ELSEWHERE, forwarded=False)
        self._shown = [shown, self._copy]

    def ask(self) -> list[Answer]:
        shown = self._shown[-1]
        return [
            *(self._asked_to_verify("verify", directory) for directory in self._shown),
            self._asked_to_start("start", shown),
            self._asked_to_verify("holder", shown, "--checkpoint", str(self._held)),
            self._asked_to_start("collector", shown),
        ]

    def close(self) -> None:
        self._site.stop()

    @property
    def _directory(self) -> Path:
        return self._site.gateway_dir

    def _fill(self, count: int, *, forwarded: bool = True) -> str:
        """Readings over CoAP until `count` receipts came; the checkpoint over all of them."""
        gateway = self._site.start_gateway()
        self._epoch += 1
        device = LoadDevice(self._device, self._epoch)
        device.start()
        self._site.wait_until(lambda: len(device.kept) >= count, f"{count} receipts")
        device.end()
        if forwarded:
            self._site.wait_until_collected()
        note = httpx.get(f"{gateway.url}/checkpoint").text
        self._site.stop()
        return note

    def _forgery(self) -> Forgery:
        return Forgery(self._directory / "ledger.sqlite")

    def _asked_to_verify(self, asked: str, directory: Path, *more: str) -> Answer:
        command = [sys.executable, "-m", "tools", "verify", str(directory), "--json"]
        done = subprocess.run(
            [*command, "--vkey", self._vkey, *more], capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 1), done.stderr
        (verdict,) = json.loads(done.stdout)
        said = verdict["reason"] or f"valid, {verdict['entries']} entries"
        return Answer(asked, done.returncode == 1, said)

    def _asked_to_start(self, asked: str, directory: Path) -> Answer:
        """On a copy: a gateway that starts goes on writing. For "collector" there is one."""
        copy = self._folder / f"{asked}-asked"
        shutil.copytree(directory, copy)
        self._site.gateway_dir, shown = copy, self._site.gateway_dir
        try:
            if asked == "collector":
                self._site.start_collector()
            self._site.start_gateway()
        except ConfigError as error:
            return Answer(asked, True, _reason(str(error)))
        finally:
            self._site.stop()
            self._site.gateway_dir = shown
        return Answer(asked, False, "the gateway starts")


def _edit(forged: Forgery) -> int:
    """Another value in a reading in the middle; its index."""
    packs = forged.packs()
    index = packs[len(packs) // 2]
    changed = bytearray(forged.body(index))
    changed[len(changed) // 2] ^= 0x01
    forged.set_body(index, bytes(changed))
    return index


def _reason(text: str) -> str:
    """What the gateway said, of all that its log holds."""
    said = [line for line in text.splitlines() if "tallystick: " in line]
    return said[-1].partition("tallystick: ")[2] if said else text


ATTACKED, TIMED = Tallystick, TallystickMany
