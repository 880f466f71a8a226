"""What the tests of retention share: a full ledger, an admin's token, and what the files take."""

import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import httpx2

from gateway import tokens
from gateway.config import GatewayConfig
from gateway.directory import Directory
from gateway.ledger.batch import Submission
from gateway.ledger.log import Draft
from gateway.ledger.writer import LedgerWriter
from gateway.metrics import Metrics
from gateway.surroundings import Surroundings
from gateway.tokens import Token, digest_of
from protocol import prune as prunes
from protocol.prune import Prune
from tests.integration.harness import ORIGIN, Site

Number = tuple[str, int, int]  # device, epoch, sequence
_ADMIN = "an-admins-for-this-test"
_NOTE_BYTES = 900


def fill(site: Site, size_bytes: int) -> None:
    """The stopped gateway's ledger takes almost so much after this; bodies are most of it."""
    directory = Directory(site.gateway_dir)
    signer = directory.load_signer(ORIGIN)
    store, note, signed = directory.open_checked(signer)
    writer = LedgerWriter(
        store, signer, Surroundings(directory), GatewayConfig(origin=ORIGIN).ledger, Metrics()
    )
    writer.resume(signed, note)
    for count in (250, 10):  # first with long steps, then with short ones
        while store.sizes().used_bytes < size_bytes - count * _NOTE_BYTES * 2:
            notes = [Draft("note", "desk", os.urandom(_NOTE_BYTES)) for _ in range(count)]
            writer.commit([Submission(draft) for draft in notes], {})
    writer.sign_if_due(0, force=True)
    store.close()


def configure(site: Site, text: str) -> None:
    config = site.gateway_dir / "tallystick.toml"
    config.write_text(config.read_text() + text)


class Admin:
    """Asks the running gateway to prune."""

    def __init__(self, site: Site) -> None:
        held = tokens.load(site.gateway_dir / "tokens.json")._tokens
        mine = Token("test-admin", digest_of(_ADMIN), "admin")
        (site.gateway_dir / "tokens.json").write_bytes(tokens.dump([*held, mine]))
        self.token_file = site.gateway_dir.parent / "admin.token"
        self.token_file.write_text(_ADMIN)
        self._url = f"http://127.0.0.1:{site.gateway_http}/prunes"

    def prune(self, **order: Any) -> dict[str, Any]:
        """The answer to one request."""
        headers = {"Authorization": f"Bearer {_ADMIN}"}
        response = httpx2.post(self._url, json=order, headers=headers, timeout=30)
        response.raise_for_status()
        return dict(response.json())

    def prune_all(self, **order: Any) -> int:
        """To the end of the order; how many bodies it was."""
        bodies, start = 0, order.pop("start", 0)
        while start is not None:
            answer = self.prune(start=start, **order)
            bodies, start = bodies + answer["bodies"], answer["next_start"]
        return bodies


class Scale(threading.Thread):
    """Weighs the ledger's file and its log together, all the time."""

    def __init__(self, ledger: Path) -> None:
        super().__init__(daemon=True)
        self._files = (ledger, ledger.with_name(ledger.name + "-wal"))
        self._ending = threading.Event()
        self.most_bytes = 0
        self.weighed = 0

    def run(self) -> None:
        while not self._ending.is_set():
            self.most_bytes = max(self.most_bytes, sum(map(_size, self._files)))
            self.weighed += 1
            time.sleep(0.001)

    def end(self) -> None:
        self._ending.set()
        self.join(10)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def raw(folder: Path) -> bytes:
    """Every byte of the ledgers in `folder`, in use or not."""
    return b"".join(file.read_bytes() for file in sorted(folder.glob("*.sqlite*")))


class Held:
    """What a stopped gateway's ledger has of each number: its entry, and whether with a body."""

    def __init__(self, ledger: Path) -> None:
        database = sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True)
        self.index: dict[Number, int] = {
            (source, epoch, sequence): index
            for source, epoch, sequence, index in database.execute(
                "SELECT source, epoch, sequence, numbers.idx FROM numbers"
                " JOIN entries ON entries.idx = numbers.idx WHERE kind = 'pack'"
            )
        }
        self.missing = {
            row[0]: (row[1], row[2])
            for row in database.execute(
                "SELECT entries.idx, kind, source FROM entries"
                " WHERE idx NOT IN (SELECT idx FROM bodies)"
            )
        }
        self.prunes: list[Prune] = [
            prunes.decode(body)
            for (body,) in database.execute(
                "SELECT body FROM entries JOIN bodies USING (idx) WHERE kind = 'pruned'"
            )
        ]
        database.close()

    def lost(self, kept: dict[Number, int]) -> list[Number]:
        """Acknowledged, and not in its place, or without a body that an entry says is deleted."""
        return [
            number
            for number, index in kept.items()
            if self.index.get(number) != index or (index in self.missing and not self._named(index))
        ]

    def _named(self, index: int) -> bool:
        kind, source = self.missing[index]
        return any(prune.covers(index, kind, source) for prune in self.prunes)
