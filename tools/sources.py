"""Where `verify` gets a ledger's bytes: a running gateway, or files. Trusts neither."""

import sqlite3
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx2 as httpx

from protocol import checkpoint as notes
from protocol import merkle
from protocol.errors import ProtocolError, TamperedError
from protocol.note import unb64

_PAGE = 1000
_TIMEOUT_S = 30
_STEP = 8  # levels between the subtree hashes that a ledger file stores
Node = tuple[int, int]


class UnusableError(Exception):
    """The target cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """`columns` is (kind, source, received_ms) where they are stored beside the leaf."""

    index: int
    leaf: bytes
    chain: bytes
    salt: bytes
    body: bytes | None
    columns: tuple[str, str, int] | None


class Ledger(Protocol):
    name: str
    note: str
    vkey: str

    def rows(self) -> Iterator[Row]:
        """Every entry, in order, as stored."""

    def size(self) -> int:
        """About how many there are."""

    def subtree_hashes(self) -> dict[Node, bytes] | None:
        """Stored hashes of complete subtrees; None where they are not shown."""

    def close(self) -> None: ...


class Subtrees:
    """Recomputes the subtree hashes that a ledger file stores: every eighth level."""

    def __init__(self) -> None:
        self.hashes: dict[Node, bytes] = {}
        self._open: list[list[bytes]] = []
        self._count = 0

    def add(self, value: bytes) -> None:
        self._count += 1
        level = 0
        while True:
            if level == len(self._open):
                self._open.append([])
            self._open[level].append(value)
            if len(self._open[level]) < 1 << _STEP:
                return
            frontier = merkle.Frontier()
            for below in self._open[level]:
                frontier.add(below)
            value = frontier.root()
            self._open[level] = []
            level += 1
            self.hashes[level * _STEP, (self._count - 1) >> level * _STEP] = value


def ledgers(target: str, vkey: str, token: str) -> list[Ledger]:
    """The ledgers that `target` names. UnusableError where there is none."""
    if target.startswith(("http://", "https://")):
        return [Remote(target, vkey, token)]
    path = Path(target)
    if path.is_file():
        return [File(path, vkey)]
    if (path / "ledger.sqlite").is_file():
        return [File(path / "ledger.sqlite", vkey or _text(path / "verifier.key").strip())]
    if (path / "collector.toml").is_file():
        return _collected(path, vkey)
    raise UnusableError(f"{target} is no URL, no directory of a gateway and no ledger file")


def _collected(path: Path, vkey: str) -> list[Ledger]:
    trusted = tomllib.loads((path / "collector.toml").read_text()).get("trust", [])
    keys = {key.split("+", 1)[0]: key for key in [*trusted, *filter(None, [vkey])]}
    found: list[Ledger] = []
    for file in sorted(path.glob("*-*.sqlite")):
        ledger = File(file, "")
        ledger.vkey = keys.get(ledger.origin, "")
        found.append(ledger)
    if not found:
        raise UnusableError(f"{path} has not collected anything yet")
    return found


class File:
    """A ledger file, read-only, beside whoever writes it."""

    def __init__(self, path: Path, vkey: str) -> None:
        self.name = str(path)
        self.vkey = vkey
        self._database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        self._database.text_factory = _lenient
        try:
            self.origin = self._state("origin")
            inside = self._state("checkpoint")
        except sqlite3.Error as error:
            self._database.close()
            raise UnusableError(f"{path} is no ledger: {error}") from error
        self.note = _newer(_text(path.with_name("checkpoint")), inside)

    def rows(self) -> Iterator[Row]:
        after = -1
        while True:
            page = self._page(after)
            for index, leaf, chain, salt, body, kind, source, received_ms in page:
                yield Row(index, leaf, chain, salt, body, (kind, source, received_ms))
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def size(self) -> int:
        (count,) = self._database.execute(
            "SELECT coalesce(max(idx) + 1, 0) FROM entries"
        ).fetchone()
        return int(count)

    def subtree_hashes(self) -> dict[Node, bytes] | None:
        rows = self._database.execute("SELECT level, n, hash FROM nodes")
        return {(level, n): value for level, n, value in rows}

    def close(self) -> None:
        self._database.close()

    def _page(self, after: int) -> list[Any]:
        try:
            return self._database.execute(
                "SELECT entries.idx, leaf, chain, coalesce(salt, x''), body,"
                " kind, source, received_ms FROM entries"
                " LEFT JOIN bodies ON bodies.idx = entries.idx"
                " WHERE entries.idx > ? ORDER BY entries.idx LIMIT ?",
                (after, _PAGE),
            ).fetchall()
        except sqlite3.Error as error:
            raise UnusableError(f"{self.name}: SQLite cannot read it: {error}") from error

    def _state(self, key: str) -> str:
        row = self._database.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
        return bytes(row[0]).decode(errors="replace") if row else ""


class Remote:
    """A running gateway, page by page."""

    def __init__(self, url: str, vkey: str, token: str) -> None:
        self.name = url
        self.vkey = vkey
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S)
        response = self._get("/checkpoint")
        self.note = response.text if response.status_code == 200 else ""
        self._upper = self._get("/stats").json().get("size", 0)

    def rows(self) -> Iterator[Row]:
        """What was committed when we began; entries that come meanwhile are not waited for."""
        after = -1
        while after + 1 < self._upper:
            page = self._get("/events", after=after, limit=_PAGE)
            answer = page.json()
            if page.status_code != 200:
                raise UnusableError(f"{self.name}: {answer.get('detail', page.reason_phrase)}")
            for event in answer["events"]:
                if "fault" in event:
                    raise TamperedError(event["index"], "the gateway itself refuses to serve it")
                if event["index"] < self._upper:
                    yield _row(event)
            if answer["next_after"] <= after:
                return
            after = answer["next_after"]

    def size(self) -> int:
        return int(self._upper)

    def subtree_hashes(self) -> dict[Node, bytes] | None:
        return None

    def close(self) -> None:
        self._client.close()

    def _get(self, path: str, **parameters: int) -> httpx.Response:
        try:
            response = self._client.get(path, params=parameters)
        except httpx.HTTPError as error:
            raise UnusableError(f"{self.name} does not answer: {error}") from error
        if response.status_code in (401, 403):
            raise UnusableError(f"{self.name} wants a token: give --token-file")
        return response


def _row(event: dict[str, Any]) -> Row:
    """An event as /events shows it; UnusableError where that is not what we know."""
    try:
        return Row(
            event["index"],
            unb64(event["leaf"]),
            bytes.fromhex(event["chain"]),
            unb64(event["salt"]),
            None if event["body"] is None else unb64(event["body"]),
            (event["kind"], event["source"], event["received_ms"]),
        )
    except (KeyError, TypeError, ValueError, ProtocolError) as error:
        raise UnusableError(f"the gateway's answer is none we know: {error!r}") from error


def _newer(one: str, other: str) -> str:
    """The note of the larger checkpoint; a damaged one is returned, for the verdict to name."""
    held = []
    for note in filter(None, (one, other)):
        try:
            held.append((notes.unverified(note).size, note))
        except ProtocolError:
            return note
    return max(held)[1] if held else ""


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.is_file() else ""


def _lenient(data: bytes) -> str:
    return data.decode(errors="replace")
