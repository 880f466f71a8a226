"""Upstream: one collector over HTTP. What it said comes back as an Answer or an UpstreamError."""

from typing import Any, NamedTuple, Protocol

import httpx2 as httpx

_CBOR = "application/cbor"
_MAX_ROTATIONS = 64  # looked at; each costs two signature checks


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
    """Not accepted. `reason` is the problem's, or "unreachable"; `next_index` where it says so."""

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
    """`token` goes into a header of every request and nowhere else."""

    def __init__(
        self,
        url: str,
        token: str,
        timeout_ms: int,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout_ms / 1000,
            transport=transport,
        )

    async def position(self, origin: str) -> Answer:
        return await self._ask("GET", params={"origin": origin})

    async def push(self, batch: bytes) -> Answer:
        return await self._ask("POST", content=batch, headers={"Content-Type": _CBOR})

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, method: str, **request: Any) -> Answer:
        try:
            response = await self._client.request(method, "/batches", **request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UpstreamError("unreachable", f"{type(error).__name__}: {error}") from error
        fields = _fields(response)
        if response.status_code == 200 and isinstance(fields.get("next_index"), int):
            return Answer(
                fields["next_index"],
                str(fields.get("checkpoint") or ""),
                _rotations(fields),
                str(fields.get("cosigned") or ""),
            )
        raise UpstreamError(
            str(fields.get("title") or f"http-{response.status_code}"),
            str(fields.get("detail") or response.reason_phrase),
            retry_after_ms=_retry_after_ms(response),
            next_index=fields["next_index"] if isinstance(fields.get("next_index"), int) else None,
        )


def _fields(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer; an empty one where a proxy answered instead."""
    try:
        fields = response.json()
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _rotations(fields: dict[str, Any]) -> tuple[str, ...]:
    shown = fields.get("rotations")
    texts = shown if isinstance(shown, list) else []
    return tuple(text for text in texts[:_MAX_ROTATIONS] if isinstance(text, str))


def _retry_after_ms(response: httpx.Response) -> int:
    text = response.headers.get("retry-after", "")
    return int(text) * 1000 if text.isascii() and text.isdigit() and len(text) < 6 else 0
