"""Requests as tests write them: a method, a path, and what else matters."""

from gateway.coap.requests import OBSERVE, URI_PATH, URI_QUERY, Request, ordered

PEER = ("::ffff:192.0.2.1", 5683, 0, 0)


def asked(
    code,
    path,
    *,
    query="",
    options=(),
    payload=b"",
    peer=PEER,
    token=b"\x01",
    who=None,
    scope=None,
    local=False,
):
    """`path` and `query` as in a URI; `options` besides them."""
    segments = tuple(path.split("/"))
    queries = tuple(query.split("&")) if query else ()
    every = [
        *((URI_PATH, segment.encode()) for segment in segments),
        *((URI_QUERY, text.encode()) for text in queries),
        *options,
    ]
    return Request(
        code,
        segments,
        queries,
        ordered(every),
        payload,
        peer,
        token,
        size_bytes=20 + len(payload),
        local=local,
        who=who,
        scope=scope,
    )


def observing(code, path, register=True, **more):
    """The same with Observe 0, or 1 to end it."""
    options = [*more.pop("options", ()), (OBSERVE, b"" if register else b"\x01")]
    return asked(code, path, options=options, **more)
