"""Resources: paths with bytes, for every door alike. Knows of neither CoAP nor HTTP."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from gateway.ledger.changes import ALWAYS, Conditions

__all__ = ["ALWAYS", "Changed", "Conditions", "Found", "Resources"]


class Found(NamedTuple):
    """`etag` is 32 bytes and never comes again, for no other content and in no other life.

    Over CoAP it is the first 8 of them.
    """

    content: bytes
    content_format: int | None
    etag: bytes


class Changed(NamedTuple):
    """`etag` is of what is there now, None after a delete. `created`: there was nothing before."""

    etag: bytes | None
    created: bool


class Resources(Protocol):
    """Every method belongs to the event loop; paths are those of `gateway.resources.paths`.

    A change is on stable storage on return, if its namespace is durable. Whoever stops waiting
    does not undo it. Any of them raises BadPathError, NotFoundError, Busy- and Store*Error; the
    changes MethodError, PreconditionError, ContentTooLargeError and QuotaError.
    """

    async def get(self, path: str, queries: Sequence[str] = ()) -> Found:
        """IntegrityError where it is not what was committed, GoneError where it was redacted.

        `queries` ("name=value") are for what lists others; BadQueryError says which there are.
        """

    async def put(
        self,
        path: str,
        content: bytes,
        content_format: int | None,
        *,
        who: str,
        conditions: Conditions = ALWAYS,
    ) -> Changed:
        """Replaces the whole, or creates it."""

    async def post(
        self,
        path: str,
        content: bytes,
        content_format: int | None,
        *,
        who: str,
        conditions: Conditions = ALWAYS,
    ) -> Changed:
        """Appends, at the cost of what is appended; creates it where there is nothing.

        UnsupportedFormatError where a Content-Format is given that is not the resource's.
        """

    async def delete(self, path: str, *, who: str, conditions: Conditions = ALWAYS) -> Changed:
        """NotFoundError where there is nothing. Its history stays in the ledger."""

    def watch(self, path: str, changed: Callable[[], None]) -> Callable[[], None]:
        """`changed` is called after each change of `path`, until the result is: it ends that."""
