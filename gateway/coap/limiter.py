"""Limiter: so many at once and so many a second for each of many sources, in bounded memory.

The generic cell rate algorithm (ITU-T I.371): of each source only the moment is kept at which
its bucket will be full again. Pure; the moments of a source that was long silent are forgotten,
and one that was forgotten too early starts with a full bucket.
"""

import ipaddress
from collections.abc import Hashable

_ROUTED = 8  # bytes of an IPv6 address that its owner cannot choose: a /64


class Limiter:
    """`sources`: how many are remembered for certain; at most twice as many are."""

    def __init__(self, *, per_s: float, burst: int, sources: int) -> None:
        self._interval_ms = 1000 / per_s
        self._slack_ms = (burst - 1) * self._interval_ms
        self._sources = sources
        self._recent: dict[Hashable, float] = {}
        self._older: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self._recent) + len(self._older)

    def allows(self, source: Hashable, now_ms: float) -> bool:
        """Takes one from the bucket of `source`, if there is one in it."""
        full_ms = self._recent.get(source)
        if full_ms is None:
            full_ms = self._admit(source)
        if full_ms < now_ms:
            full_ms = now_ms
        elif full_ms - now_ms > self._slack_ms:
            return False
        self._recent[source] = full_ms + self._interval_ms
        return True

    def _admit(self, source: Hashable) -> float:
        if len(self._recent) >= self._sources:
            self._older, self._recent = self._recent, {}
        full_ms = self._recent[source] = self._older.pop(source, 0.0)
        return full_ms


def source_of(host: str) -> Hashable:
    """Who is limited together: one IPv4 address, one link-local one, one IPv6 network of /64."""
    if host.startswith(("::ffff:", "fe80")):
        return host
    return ipaddress.IPv6Address(host.partition("%")[0]).packed[:_ROUTED]
