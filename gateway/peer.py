"""Peer: one other program over HTTP. Whatever it does, an exchange ends, and takes so much memory.

What it says is for the caller to judge.
"""

import asyncio
from typing import Any, NamedTuple

import httpx2 as httpx

from gateway.errors import ConfigError


class Limits(NamedTuple):
    """`silence_ms` between two signs of life, `exchange_ms` for all of it, however it drips."""

    silence_ms: int
    exchange_ms: int
    answer_bytes: int


class Said(NamedTuple):
    """An answer. `phrase` is the status in words."""

    status: int
    phrase: str
    headers: httpx.Headers
    data: bytes


class PeerError(Exception):
    """No whole answer. `reason` is "unreachable" or "endless"."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Peer:
    """Asks at `url`, a prefix. ConfigError, with `whose` url it is, where that is none."""

    def __init__(
        self,
        url: str,
        whose: str,
        limits: Limits,
        headers: dict[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._limits = limits
        checked = _checked(url, whose)
        self._client = httpx.AsyncClient(
            base_url=checked,
            verify=checked.scheme == "https",  # loading certificates takes long; http has none
            headers=headers,
            timeout=limits.silence_ms / 1000,
            transport=transport,
        )

    async def ask(self, method: str, path: str, **request: Any) -> Said:
        """`request` is httpx's: params, content, headers."""
        data = bytearray()
        try:
            async with (
                asyncio.timeout(self._limits.exchange_ms / 1000),
                self._client.stream(method, path, **request) as response,
            ):
                async for chunk in response.aiter_bytes():
                    data += chunk
                    if len(data) > self._limits.answer_bytes:
                        raise PeerError("endless", "an answer without an end")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise PeerError("unreachable", f"{type(error).__name__}: {error}") from error
        return Said(response.status_code, response.reason_phrase, response.headers, bytes(data))

    async def close(self) -> None:
        await self._client.aclose()


def _checked(url: str, whose: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url.rstrip("/") + "/")
    except httpx.InvalidURL as error:
        raise _no_url(url, whose) from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise _no_url(url, whose)
    return parsed


def _no_url(url: str, whose: str) -> ConfigError:
    return ConfigError(f"{whose} url {url!r} is none", "write it like http://192.0.2.1:8080")
