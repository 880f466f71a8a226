"""GET, PUT, POST and DELETE of resources: options become conditions, outcomes become codes."""

from collections.abc import Awaitable, Callable

from gateway.coap import blocks
from gateway.coap.recent import Recent
from gateway.coap.requests import (
    BLOCK2,
    CHANGED,
    CONTENT,
    CONTENT_FORMAT,
    CREATED,
    DELETE,
    DELETED,
    ETAG,
    GET,
    IF_MATCH,
    IF_NONE_MATCH,
    POST,
    PUT,
    Request,
    Response,
    uint,
)
from gateway.coap.routes import Route
from gateway.errors import NotFoundError
from gateway.resources import Changed, Conditions, Found, Resources, access, paths
from protocol.limits import MAX_CONTENT_BYTES

_ETAG_BYTES = 8  # RFC 7252 §5.10.6: an ETag is no longer; the first of the entry's leaf hash
_NAMES = {GET: "get", PUT: "put", POST: "post", DELETE: "delete"}  # as `access` calls them


class Tree:
    """The handlers of every path that is not one of ours."""

    def __init__(self, resources: Resources, *, reading_is_free: bool) -> None:
        self._resources = resources
        self._recent = Recent(resources)
        self._reading_is_free = reading_is_free
        self.route = Route(
            {GET: self.get, PUT: self.put, POST: self.post, DELETE: self.delete},
            max_body_bytes=MAX_CONTENT_BYTES,
            may=self._may,
            watch=self._watch,
            conditional=True,
            filtered=True,
        )

    async def get(self, request: Request) -> Response:
        found = await self._found(request)
        options = [(ETAG, found.etag[:_ETAG_BYTES])]
        if found.content_format is not None:
            options.append((CONTENT_FORMAT, uint(found.content_format)))
        return Response(CONTENT, options, found.content)

    async def put(self, request: Request) -> Response:
        return await _written(self._resources.put, request)

    async def post(self, request: Request) -> Response:
        return await _written(self._resources.post, request)

    async def delete(self, request: Request) -> Response:
        """What is not there is deleted, too (RFC 7252 §5.8.4)."""
        conditions = conditions_of(request)
        try:
            await self._resources.delete(
                paths.of_segments(request.path), who=_author(request), conditions=conditions
            )
        except NotFoundError:
            pass
        return Response(DELETED)

    async def _found(self, request: Request) -> Found:
        """A later block of what is durable comes of the reading of the first, until it changes."""
        path = paths.of_segments(request.path)
        if request.queries or paths.namespace_of(path) not in paths.DURABLE:
            return await self._resources.get(path, request.queries)
        block = blocks.asked(request, BLOCK2)
        return await self._recent.get(path, again=block is not None and block.number > 0)

    def _may(self, request: Request) -> None:
        access.check(
            request.who,
            request.scope,
            _NAMES[request.code],
            paths.of_segments(request.path),
            reading_is_free=self._reading_is_free,
        )

    def _watch(self, request: Request, changed: Callable[[], None]) -> Callable[[], None]:
        return self._resources.watch(paths.of_segments(request.path), changed)


def _author(request: Request) -> str:
    """Whoever may write has a name."""
    return access.author(request.who or "", request.scope)


def conditions_of(request: Request) -> Conditions:
    """An empty If-Match is for any that exists (RFC 7252 §5.10.8.1)."""
    etags = request.every(IF_MATCH)
    return Conditions(
        if_match=tuple(etag for etag in etags if etag),
        must_exist=b"" in etags,
        must_not_exist=request.first(IF_NONE_MATCH) is not None,
    )


async def _written(write: Callable[..., Awaitable[Changed]], request: Request) -> Response:
    """`write` is the tree's put or post."""
    changed = await write(
        paths.of_segments(request.path),
        request.payload,
        request.number(CONTENT_FORMAT),
        who=_author(request),
        conditions=conditions_of(request),
    )
    options = [] if changed.etag is None else [(ETAG, changed.etag[:_ETAG_BYTES])]
    return Response(CREATED if changed.created else CHANGED, options)
