"""proc: what the resource tree says of itself, as text to read. Small, and never kept."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from importlib import metadata
from typing import NamedTuple

from gateway.errors import BadQueryError, NotFoundError
from gateway.ledger.changes import Limits, Totals
from gateway.resources import Found

TEXT_FORMAT = 0  # text/plain; charset=utf-8 (RFC 7252 §12.3)
VERSION, LISTING, USAGE = "proc/version", "proc/resources", "proc/df"
PATHS = (VERSION, LISTING, USAGE)
MAX_LISTED = 1000
_DEFAULT_LISTED = 100
_PARAMETERS = ("after", "limit", "prefix")
Row = tuple[str, int, int | None]  # path, bytes, Content-Format


class Page(NamedTuple):
    """Of resources behind the path `after` that begin with `prefix`, at most `limit`."""

    after: str = ""
    prefix: str = ""
    limit: int = _DEFAULT_LISTED


def page_of(queries: Sequence[str]) -> Page:
    """BadQueryError names the parameter and what it takes."""
    page = Page()
    for query in queries:
        name, _, value = query.partition("=")
        if name not in _PARAMETERS:
            raise BadQueryError(f"no parameter {name!r}; there are {', '.join(_PARAMETERS)}")
        if name == "limit":
            page = page._replace(limit=_limit(value))
        else:
            page = page._replace(after=value) if name == "after" else page._replace(prefix=value)
    return page


def check(path: str, queries: Sequence[str]) -> None:
    """NotFoundError where there is no such path, BadQueryError where it takes no queries."""
    if path not in PATHS:
        raise NotFoundError(f"there are {', '.join(PATHS)}")
    if queries and path != LISTING:
        raise BadQueryError(f"no parameter {queries[0]!r} here")


def listing(rows: Iterable[Row], limit: int) -> Found:
    """A line each: path, bytes and Content-Format, with tabs between. In order of paths.

    The last path is the next page's `after`; an empty page is the end.
    """
    shown = sorted(rows)[:limit]
    lines = (f"{path}\t{size}\t{'-' if form is None else form}\n" for path, size, form in shown)
    return _found("".join(lines))


def usage(durable: Totals, memory: Totals, limits: tuple[Limits, Limits]) -> Found:
    """A line each for durable ones and those in memory: what there is, and may be."""
    lines = ["storage\tresources\tof\tbytes\tof\n"]
    for name, used, limit in (("durable", durable, limits[0]), ("memory", memory, limits[1])):
        numbers = used.resources, limit.resources, used.size_bytes, limit.total_bytes
        lines.append("\t".join([name, *map(str, numbers)]) + "\n")
    return _found("".join(lines))


def version() -> Found:
    try:
        return _found(f"tallystick {metadata.version('tallystick')}\n")
    except metadata.PackageNotFoundError:  # run from its sources
        return _found("tallystick\n")


def _limit(value: str) -> int:
    if value.isascii() and value.isdigit() and len(value) < 5 and 1 <= int(value) <= MAX_LISTED:
        return int(value)
    raise BadQueryError(f"limit is 1 to {MAX_LISTED}")


def _found(text: str) -> Found:
    content = text.encode()
    return Found(content, TEXT_FORMAT, sha256(content).digest())
