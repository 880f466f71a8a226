"""`GET /events`, `/events/{id}` and the live `/stream`: entries by cursor."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import datetime

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.errors import BadQueryError, IntegrityError, NotFoundError
from gateway.feed import Feed
from gateway.http.auth import Guard
from gateway.http.rendering import entry_json
from gateway.integrity import Integrity
from gateway.store import Entry, Page, Query, Store

_MAX_LIMIT = 1000
_STREAM_PAGE = 200
_PING_S = 15
_MAX_INDEX = (1 << 63) - 1
_PARAMETERS = ("kind", "source", "after", "since", "until", "limit")


class EventRoutes:
    def __init__(self, store: Store, feed: Feed, guard: Guard, integrity: Integrity) -> None:
        self._store = store
        self._feed = feed
        self._guard = guard
        self._integrity = integrity
        self.routes = [
            Route("/events", self.list_entries),
            Route("/events/{index}", self.one_entry),
            Route("/stream", self.stream),
        ]

    async def list_entries(self, request: Request) -> Response:
        """A page of entries in order; `next_after` is the `after` of the next page."""
        self._guard.check(request, "read")
        page = await self._page(parse_query(request.query_params))
        return JSONResponse({"events": self._rendered(page.entries), "next_after": page.next_after})

    async def one_entry(self, request: Request) -> Response:
        self._guard.check(request, "read")
        index = whole(request.path_params["index"], "the event id")
        found = await asyncio.to_thread(self._store.read, lambda r: r.entries(index, index + 1))
        if not found:
            raise NotFoundError(f"no entry {index}: the ledger has {self._feed.size}")
        return JSONResponse(self._checked(found[0]))

    async def stream(self, request: Request) -> Response:
        """SSE: every entry once, `id` = index; `Last-Event-ID` resumes exactly after it."""
        self._guard.check(request, "read")
        if "limit" in request.query_params:
            raise BadQueryError("a stream has no limit")
        query = parse_query(request.query_params)
        resume = request.headers.get("last-event-id")
        if resume is not None:
            query = query._replace(after=whole(resume, "Last-Event-ID"))
        elif "after" not in request.query_params:
            query = query._replace(after=self._feed.size - 1)
        return EventSourceResponse(self._follow(query), ping=_PING_S)

    async def _follow(self, query: Query) -> AsyncIterator[ServerSentEvent]:
        query = query._replace(limit=_STREAM_PAGE)
        while True:
            page = await self._page(query)
            for shown in self._rendered(page.entries):
                event, id_ = str(shown["kind"]), str(shown["index"])
                yield ServerSentEvent(data=json.dumps(shown), event=event, id=id_)
            query = query._replace(after=page.next_after)
            await self._feed.past(page.next_after + 1)

    async def _page(self, query: Query) -> Page:
        return await asyncio.to_thread(self._store.read, lambda reader: reader.select(query))

    def _rendered(self, entries: list[Entry]) -> list[dict[str, object]]:
        """A damaged entry is shown as a fault in its place: it does not hide its neighbours."""
        shown = []
        for entry in entries:
            try:
                shown.append(self._checked(entry))
            except IntegrityError as error:
                shown.append({"index": error.index, "kind": error.reason, "fault": str(error)})
        return shown

    def _checked(self, entry: Entry) -> dict[str, object]:
        try:
            shown = entry_json(entry)
        except IntegrityError as error:
            self._integrity.found(error)
            raise
        self._integrity.sound(entry.index)
        return shown


def parse_query(parameters: Mapping[str, str]) -> Query:
    """The query of a URL. BadQueryError names the parameter and what it takes."""
    for name in parameters:
        if name not in _PARAMETERS:
            raise BadQueryError(f"no parameter {name!r}; there are {', '.join(_PARAMETERS)}")
    limit = whole(parameters.get("limit", "100"), "limit")
    if not 1 <= limit <= _MAX_LIMIT:
        raise BadQueryError(f"limit is 1 to {_MAX_LIMIT}")
    after = parameters.get("after", "-1")
    return Query(
        after=-1 if after == "-1" else whole(after, "after"),
        kind=parameters.get("kind"),
        source=parameters.get("source"),
        since_ms=_moment(parameters, "since"),
        until_ms=_moment(parameters, "until"),
        limit=limit,
    )


def whole(text: str, name: str) -> int:
    """The number that `text` spells; BadQueryError where it is none."""
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) >= _MAX_INDEX:
        raise BadQueryError(f"{name} is a whole number, not {text!r}")
    return int(text)


def _moment(parameters: Mapping[str, str], name: str) -> int | None:
    """Unix ms from Unix ms or from an RFC 3339 time."""
    text = parameters.get(name)
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return whole(text, name)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadQueryError(f"{name} is Unix ms or an RFC 3339 time, not {text!r}") from error
    if moment.tzinfo is None:
        raise BadQueryError(f"{name} needs a time zone, such as {text}Z")
    return int(moment.timestamp() * 1000)
