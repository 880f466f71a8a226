"""Memory: the resources that a restart forgets, within two quotas. No I/O, no clock, no dice.

Nothing is ever pushed out to make room: what was put stays until it is deleted, or the gateway
ends. What does not fit is refused.
"""

from hashlib import sha256

from gateway.errors import (
    ContentTooLargeError,
    NotFoundError,
    QuotaError,
    UnsupportedFormatError,
)
from gateway.ledger.changes import Conditions, Limits, check_conditions
from gateway.resources import Changed, Found

NONCE_BYTES = 32


class _Resource:
    def __init__(self, content_format: int | None) -> None:
        self.content = bytearray()
        self.content_format = content_format
        self.etag = b""


class MemoryTree:
    """Takes checked paths. `nonce` is NONCE_BYTES of chance, new at every start.

    ETags are hashes of it and of a count that only grows: none comes twice, not after a delete,
    and not after a restart. `size_bytes` counts paths, too.
    """

    def __init__(self, limits: Limits, nonce: bytes) -> None:
        self._limits = limits
        self._nonce = nonce
        self._changes = 0
        self._resources: dict[str, _Resource] = {}
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._resources)

    @property
    def limits(self) -> Limits:
        return self._limits

    def get(self, path: str) -> Found:
        resource = self._found(path)
        return Found(bytes(resource.content), resource.content_format, resource.etag)

    def put(
        self, path: str, content: bytes, content_format: int | None, conditions: Conditions
    ) -> Changed:
        held = self._resources.get(path)
        self._check(path, held, conditions)
        self._check_size(path, len(content))
        self._make_room(path, held, len(content) - (len(held.content) if held else 0))
        resource = _Resource(content_format)
        return self._keep(path, resource, content, created=held is None)

    def post(
        self, path: str, content: bytes, content_format: int | None, conditions: Conditions
    ) -> Changed:
        held = self._resources.get(path)
        self._check(path, held, conditions)
        if held and content_format not in (None, held.content_format):
            raise UnsupportedFormatError(
                f"{path} has the Content-Format {held.content_format},"
                f" and {content_format} is to be appended"
            )
        self._check_size(path, len(content) + (len(held.content) if held else 0))
        self._make_room(path, held, len(content))
        return self._keep(path, held or _Resource(content_format), content, created=held is None)

    def delete(self, path: str, conditions: Conditions) -> Changed:
        self._check(path, self._resources.get(path), conditions)
        resource = self._found(path)
        del self._resources[path]
        self.size_bytes -= len(resource.content) + len(path.encode())
        return Changed(None, created=False)

    def listed(self, after: str, prefix: str, limit: int) -> list[tuple[str, int, int | None]]:
        """(path, bytes, Content-Format) of at most `limit`, in order, from behind `after`."""
        paths = sorted(p for p in self._resources if p > after and p.startswith(prefix))
        held = ((path, self._resources[path]) for path in paths[:limit])
        return [(path, len(one.content), one.content_format) for path, one in held]

    def _found(self, path: str) -> _Resource:
        if path not in self._resources:
            raise NotFoundError(f"there is no {path}")
        return self._resources[path]

    def _check(self, path: str, held: _Resource | None, conditions: Conditions) -> None:
        check_conditions(path, held.etag if held else None, conditions)

    def _check_size(self, path: str, size_bytes: int) -> None:
        largest = self._limits.resource_bytes
        if size_bytes > largest:
            raise ContentTooLargeError(
                f"{path} would have {size_bytes} bytes, more than {largest}", largest
            )

    def _make_room(self, path: str, held: _Resource | None, more_bytes: int) -> None:
        """QuotaError where there is none; else it is taken."""
        if held is None:
            more_bytes += len(path.encode())
            if len(self) >= self._limits.resources:
                raise QuotaError(f"there are {len(self)} resources in memory, as many as may be")
        size_bytes = self.size_bytes + more_bytes
        if more_bytes > 0 and size_bytes > self._limits.total_bytes:
            raise QuotaError(
                f"the resources in memory would have {size_bytes} bytes,"
                f" more than {self._limits.total_bytes}"
            )
        self.size_bytes = size_bytes

    def _keep(self, path: str, resource: _Resource, content: bytes, *, created: bool) -> Changed:
        self._changes += 1
        resource.content += content
        resource.etag = sha256(self._nonce + self._changes.to_bytes(8, "big")).digest()
        self._resources[path] = resource
        return Changed(resource.etag, created)
