"""What is at which path: its methods, how large a body may be, who may, whether it is observed."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from gateway.coap.requests import (
    ACCEPT,
    BLOCK1,
    BLOCK2,
    DELETE,
    GET,
    IF_MATCH,
    IF_NONE_MATCH,
    POST,
    PUT,
    URI_HOST,
    URI_PATH,
    URI_PORT,
    URI_QUERY,
    Handler,
    Request,
)
from gateway.errors import BadOptionError, BadQueryError, MethodError, NotFoundError

_REPEATABLE = (IF_MATCH, URI_PATH, URI_QUERY)
_ALWAYS = {URI_HOST, URI_PORT, URI_PATH, URI_QUERY, ACCEPT, BLOCK2}
# method -> the critical options that it reads; any other is refused (RFC 7252 §5.4.1)
_READ = {
    GET: frozenset({*_ALWAYS, IF_MATCH}),
    POST: frozenset({*_ALWAYS, IF_MATCH, IF_NONE_MATCH, BLOCK1}),
    PUT: frozenset({*_ALWAYS, IF_MATCH, IF_NONE_MATCH, BLOCK1}),
    DELETE: frozenset({*_ALWAYS, IF_MATCH, IF_NONE_MATCH}),
}
_CONDITIONS = frozenset({IF_MATCH, IF_NONE_MATCH})


def _anyone(request: Request) -> None:
    """The default of `Route.may`."""


class Route(NamedTuple):
    """`may` raises for whom it is not. `watch` calls back when what GET brings has changed."""

    methods: Mapping[int, Handler]
    max_body_bytes: int = 0
    may: Callable[[Request], None] = _anyone
    watch: Callable[[Request, Callable[[], None]], Callable[[], None]] | None = None
    conditional: bool = False  # whether If-Match and If-None-Match are read
    filtered: bool = False  # whether a GET reads queries
    explains: bool = True  # whether its refusals have words, for whom we know

    def handler(self, request: Request) -> Handler:
        """What does it; MethodError, BadOptionError or BadQueryError where nothing can."""
        handler = self.methods.get(request.code)
        if handler is None:
            raise MethodError("this path does not do that")
        self._check_options(request)
        if request.queries and not (self.filtered and request.code == GET):
            raise BadQueryError(f"no parameter {request.queries[0]!r} here")
        return handler

    def _check_options(self, request: Request) -> None:
        read = _READ[request.code]
        previous = -1
        for number, _ in request.options:
            if number & 1:
                repeated = number == previous and number not in _REPEATABLE  # RFC 7252 §5.4.5
                refused = number in _CONDITIONS and not self.conditional
                if number not in read or repeated or refused:
                    raise BadOptionError(f"option {number} is not read here")
            previous = number


class Routes:
    """Paths that are one resource each, what answers for all `below` a first segment, and else."""

    def __init__(
        self,
        exact: Mapping[tuple[str, ...], Route],
        others: Route | None = None,
        below: Mapping[str, Route] | None = None,
    ) -> None:
        self._exact = exact
        self._others = others
        self._below = below or {}

    def explains(self, path: tuple[str, ...]) -> bool:
        """Whether a refusal there may have words; where nothing is, too."""
        route = self._exact.get(path)
        return route is None or route.explains

    def find(self, path: tuple[str, ...]) -> Route:
        """NotFoundError where nothing is there."""
        route = self._exact.get(path) or self._below.get(path[0] if path else "") or self._others
        if route is None:
            raise NotFoundError("nothing has this path")
        return route
