"""`/.well-known/core`: what is offered, as links (RFC 6690), with its filters."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from gateway.coap.requests import CONTENT, CONTENT_FORMAT, ETAG, Request, Response, uint
from gateway.errors import BadQueryError

LINK_FORMAT = 40
_ETAG_BYTES = 8


class Link(NamedTuple):
    """One resource, or with `/` at its end all below it. `ct` are Content-Formats."""

    href: str
    rt: str = ""
    title: str = ""
    ct: tuple[int, ...] = ()
    obs: bool = False

    @property
    def attributes(self) -> list[tuple[str, str | None]]:
        """Names and values as they are shown; a flag has no value (RFC 6690 §2, RFC 7641 §6)."""
        shown: list[tuple[str, str | None]] = []
        if self.rt:
            shown.append(("rt", self.rt))
        if self.ct:
            shown.append(("ct", " ".join(map(str, self.ct))))
        if self.title:
            shown.append(("title", self.title))
        if self.obs:
            shown.append(("obs", None))
        return shown

    def format(self) -> str:
        return f"<{self.href}>" + "".join(
            f";{name}" if value is None else f";{name}={_quoted(name, value)}"
            for name, value in self.attributes
        )

    def matches(self, name: str, pattern: str) -> bool:
        """Whether a filter lets this link through (RFC 6690 §4.1)."""
        if name == "href":
            return _fits(self.href, pattern)
        for has, value in self.attributes:
            if has == name:
                # rt and ct are lists: one of their values is enough (RFC 6690 §3.1)
                values = (value or "").split() if name in ("rt", "ct") else [value or ""]
                return any(_fits(value, pattern) for value in values)
        return False


def format_links(links: Sequence[Link], queries: Sequence[str] = ()) -> bytes:
    """Those that pass every filter; BadQueryError where a query is none."""
    for query in queries:
        name, equals, pattern = query.partition("=")
        if not name or not equals:
            raise BadQueryError(f"{query!r} is no filter: write it like rt=name or href=/home*")
        links = [link for link in links if link.matches(name, pattern)]
    return ",".join(link.format() for link in links).encode()


def well_known(
    links: Sequence[Link], digest: Callable[[bytes], bytes]
) -> Callable[[Request], Awaitable[Response]]:
    """The handler of a GET. `digest` makes an ETag of a listing: its blocks are of one state."""

    async def get(request: Request) -> Response:
        payload = format_links(links, request.queries)
        etag = digest(payload)[:_ETAG_BYTES]
        return Response(CONTENT, [(ETAG, etag), (CONTENT_FORMAT, uint(LINK_FORMAT))], payload)

    return get


def _fits(value: str, pattern: str) -> bool:
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern


def _quoted(name: str, value: str) -> str:
    """RFC 6690 §2: `ct` alone may stand bare, if it is one number."""
    if name == "ct" and value.isdecimal():
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
