"""AuditeDB (`elastik`) 8.3.0: a SQLite file a path, its events under an HMAC chain.

Runs under the rivals' Python; the engine is the binary in the wheel. One path, one event a
PUT. Rows are edited while the engine runs, files are exchanged while it is stopped; its start
verifies every chain.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import elastik

from tests.compare.auditedb_chain import Chain
from tests.compare.systems import ELSEWHERE, Answer, body, disk_bytes, free_port

VERSION = version("elastik")
ABOUT = (
    "One path, an event a PUT; it keeps a hash of each body, and the newest body. Rows are edited"
    " while the engine runs, files are exchanged while it is stopped. For the speed of verify most"
    " events are written into its file, with its key: its own writes verify the whole path first"
)
_KEY = "the host's own audit key, 32 bytes or more"
_MAY_WRITE = "anything"
_PATH, _OTHER = "home/shed", "home/cellar"
_THROUGH_ITS_DOOR = 200  # a PUT costs more with each event before it


class AuditeDB:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._copy = folder / "copy"
        self._shown = [self._data]  # a data directory a reader
        self._client: elastik.Elastik | None = None
        self._size = 0

    def fill(self, count: int) -> None:
        self._put(_PATH, count)

    def remember(self) -> None:
        elastik.stop()
        shutil.copytree(self._data, self._copy)

    def do_nothing(self) -> None:
        return

    def edit_record(self) -> None:
        self._edit("UPDATE events SET body_sha256 = ? WHERE id = ?", "00" * 32, self._middle())

    def edit_and_recompute(self) -> None:
        """All but the HMAC: the newest event then says what the body is."""
        forged = hashlib.sha256(body(10**9)).hexdigest()
        self._edit("UPDATE events SET body_sha256 = ? WHERE id = ?", forged, self._size)
        self._edit("UPDATE stage_meta SET body = ?", body(10**9))

    def edit_body(self) -> str:
        self._edit("UPDATE stage_meta SET body = ?", body(10**9))
        served = self._running().get(_PATH)
        return f"AuditeDB {'serves' if served == body(10**9) else 'does not serve'} the forged body"

    def edit_time(self) -> None:
        changed = "UPDATE events SET timestamp = '2020-01-01 00:00:00' WHERE id = ?"
        self._edit(changed, self._middle())

    def delete_middle(self) -> None:
        self._edit("DELETE FROM events WHERE id = ?", self._middle())

    def swap_two(self) -> None:
        at = self._middle()
        self._edit("UPDATE events SET id = -1 WHERE id = ?", at)
        self._edit("UPDATE events SET id = ? WHERE id = ?", at, at + 1)
        self._edit("UPDATE events SET id = ? WHERE id = -1", at + 1)

    def truncate(self) -> None:
        """With the body as it was then."""
        self._edit("DELETE FROM events WHERE id > ?", self._size - 10)
        self._edit("UPDATE stage_meta SET body = ?", body(self._size - 11))

    def roll_back(self) -> None:
        elastik.stop()
        shutil.rmtree(self._data)
        shutil.copytree(self._copy, self._data)

    def rewrite_with_key(self) -> None:
        elastik.stop()
        chain = Chain(_KEY, _PATH)
        with sqlite3.connect(self._database(_PATH)) as database:
            database.execute("DELETE FROM events")
            database.execute("DELETE FROM sqlite_sequence")
            chain.write(database, [body(10**9 + n) for n in range(self._size)])
        database.close()

    def substitute(self) -> str:
        """The file of another path of the same host."""
        self._put(_OTHER, 50)
        elastik.stop()
        shutil.copy(self._database(_OTHER), self._database(_PATH))
        return "for AuditeDB another path's file of the same host"

    def resurrect(self) -> str:
        self._running().delete(_PATH)
        elastik.stop()
        here = self._database(_PATH).parent
        shutil.copytree(self._copy / here.name, here)
        return "for AuditeDB a deleted path's directory"

    def split_view(self) -> None:
        """A second engine with the same key goes on from the copy."""
        elastik.stop()
        client = self._start(self._copy)
        for n in range(ELSEWHERE):
            client.put(_PATH, body(10**9 + n))
        elastik.stop()
        self._shown = [self._data, self._copy]

    def ask(self) -> list[Answer]:
        """Its verify while it still runs, else after the start; where it starts at all."""
        answers = [self._asked_to_verify(self._running())] if elastik.is_running() else []
        for data in self._shown:
            elastik.stop()
            try:
                client = self._start(data)
            except RuntimeError as error:
                return [*answers, Answer("start", True, str(error).splitlines()[-1])]
            answers += [Answer("start", False, "it starts"), self._asked_to_verify(client)]
        return answers

    def fill_many(self, count: int) -> int:
        """The first through its door, the rest in its file with its key: see docs."""
        self._put(_PATH, min(count, _THROUGH_ITS_DOOR))
        elastik.stop()
        with sqlite3.connect(self._database(_PATH)) as database:
            chain = Chain(_KEY, _PATH, Chain.newest(database))
            chain.write(database, [body(n) for n in range(self._size, count)])
        database.close()
        return disk_bytes(self._data)

    def open_many(self, count: int) -> Callable[[], int]:
        client = self._start(self._data)

        def verify() -> int:
            answer = client.request("HEAD", f"/proc/audit/{_PATH}/verify")
            assert answer.headers["x-audit-valid"] == "true", answer
            return int(answer.headers["x-audit-events"])

        return verify

    def process_id(self) -> int:
        """Of the engine, our only child."""
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        (engine,) = map(int, children)
        return engine

    def close(self) -> None:
        elastik.stop()

    def _asked_to_verify(self, client: elastik.Elastik) -> Answer:
        valid = client.verify(_PATH)
        found = client.request("HEAD", f"/proc/audit/{_PATH}/verify")
        shown = {name: value for name, value in found.headers.items() if "x-audit-" in name}
        return Answer("verify", not valid, f"{found.status} {shown}")

    def _running(self) -> elastik.Elastik:
        """The engine on our data, started where it is not."""
        if self._client is None or not elastik.is_running():
            return self._start(self._data)
        return self._client

    def _start(self, data: Path) -> elastik.Elastik:
        self._client = elastik.start(
            port=free_port(),
            host="127.0.0.1",
            key=_KEY,
            write_token=_MAY_WRITE,
            approve_token=_MAY_WRITE,
            data_dir=str(data),
        )
        return self._client

    def _put(self, path: str, count: int) -> None:
        client = self._running()
        for n in range(self._size, self._size + count):
            client.put(path, body(n))
        self._size += count

    def _database(self, path: str) -> Path:
        return self._data / path.replace("/", "%2F") / "universe.db"

    def _middle(self) -> int:
        return self._size // 2

    def _edit(self, sql: str, *values: object) -> None:
        database = sqlite3.connect(self._database(_PATH))
        with database:
            assert database.execute(sql, values).rowcount > 0, sql
        database.close()


ATTACKED = TIMED = AuditeDB
