"""Upstream: one collector over HTTP. What it said comes back as an Answer or an UpstreamError."""

import json
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from gateway.config import ForwardConfig
from gateway.errors import ANSWERS, ConfigError
from gateway.peer import Limits, Peer, PeerError, Said

_CBOR = "application/cbor"
_MAX_ROTATIONS = 64  # looked at; each costs two signature checks
_MAX_ANSWER_BYTES = 1024 * 1024
_MAX_DETAIL = 500  # characters of it in our log
_EXCHANGE_FACTOR = 12  # silences that a large batch on a slow line may take in all


class Answer(NamedTuple):
    """`next_index`: where to go on; `note`: the last checkpoint it accepted, or "".

    `rotations`: what it has seen our key say when it gave its place to another. `cosigned`: the
    last checkpoint its witness cosigned, or "".
    """

    next_index: int
    note: str
    rotations: tuple[str, ...] = ()
    cosigned: str = ""


class UpstreamError(Exception):
    """Not accepted; `next_index` where it says so.

    `reason` is one of ours that the problem gives, "unreachable", "endless", or the status.
    """

    def __init__(
        self, reason: str, message: str, *, retry_after_ms: int = 0, next_index: int | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after_ms = retry_after_ms
        self.next_index = next_index


class Upstream(Protocol):
    async def position(self, origin: str) -> Answer:
        """What the upstream holds of `origin`."""

    async def push(self, batch: bytes) -> Answer:
        """Everything up to `next_index` is on the upstream's stable storage on return."""


class HttpUpstream:
    """`token` goes into a header of every request and nowhere else.

    `timeout_ms` of silence end an exchange. ConfigError where `url` is none.
    """

    def __init__(self, url: str, token: str, timeout_ms: int, transport: Any = None) -> None:
        limits = Limits(timeout_ms, _EXCHANGE_FACTOR * timeout_ms, _MAX_ANSWER_BYTES)
        headers = {"Authorization": f"Bearer {token}"}
        self._peer = Peer(url, "the collector's", limits, headers, transport)

    async def position(self, origin: str) -> Answer:
        return await self._ask("GET", params={"origin": origin})

    async def push(self, batch: bytes) -> Answer:
        return await self._ask("POST", content=batch, headers={"Content-Type": _CBOR})

    async def close(self) -> None:
        await self._peer.close()

    async def _ask(self, method: str, **request: Any) -> Answer:
        try:
            said = await self._peer.ask(method, "batches", **request)
        except PeerError as error:
            raise UpstreamError(error.reason, str(error)) from error
        fields = _fields(said)
        next_index = _index(fields)
        if said.status == 200 and next_index is not None:
            return Answer(
                next_index,
                _text(fields.get("checkpoint")),
                _rotations(fields),
                _text(fields.get("cosigned")),
            )
        title = _text(fields.get("title"))
        raise UpstreamError(
            title if title in ANSWERS else f"http-{said.status}",
            _text(fields.get("detail"))[:_MAX_DETAIL] or said.phrase,
            retry_after_ms=_retry_after_ms(said),
            next_index=next_index,
        )


def _fields(said: Said) -> dict[str, Any]:
    """The JSON object of an answer; an empty one where a proxy answered instead."""
    try:
        fields = json.loads(said.data)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _text(shown: object) -> str:
    """What JSON can escape and UTF-8 cannot say is replaced."""
    return shown.encode(errors="replace").decode() if isinstance(shown, str) else ""


def _index(fields: dict[str, Any]) -> int | None:
    shown = fields.get("next_index")
    return shown if type(shown) is int and shown >= 0 else None  # True is an int, too


def _rotations(fields: dict[str, Any]) -> tuple[str, ...]:
    shown = fields.get("rotations")
    texts = shown if isinstance(shown, list) else []
    return tuple(_text(text) for text in texts[:_MAX_ROTATIONS] if isinstance(text, str))


def _retry_after_ms(said: Said) -> int:
    text = said.headers.get("retry-after", "")
    return int(text) * 1000 if text.isascii() and text.isdigit() and len(text) < 6 else 0


def upstream_of(config: ForwardConfig | None) -> HttpUpstream | None:
    """ConfigError where the token is not in its file."""
    return HttpUpstream(config.url, _token(config), config.timeout_ms) if config else None


def _token(config: ForwardConfig) -> str:
    try:
        return Path(config.token_file).read_text().strip()
    except OSError as error:
        raise ConfigError(
            f"forward.token_file {config.token_file}: {error.strerror}",
            "put the token that `tallystick init --collector` showed into that file",
        ) from error
