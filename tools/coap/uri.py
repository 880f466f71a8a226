"""coap://HOST[:PORT]/path?query as where to send to, and the options that say what is meant."""

from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from gateway.coap.requests import URI_PATH, URI_QUERY
from gateway.errors import ConfigError

PORT = 5683  # RFC 7252 §6.1
_MAX_SEGMENT_BYTES = 255  # RFC 7252 §5.10
Options = list[tuple[int, bytes]]


class Target(NamedTuple):
    """`options` are Uri-Path and Uri-Query. Uri-Host is left out: nobody here has two names."""

    host: str
    port: int
    options: Options


def parse(text: str) -> Target:
    """RFC 7252 §6.4. ConfigError for anything else."""
    try:
        uri = urlsplit(text)
        port = uri.port
    except ValueError as error:
        raise _wrong(f"{text!r}: {error}") from error
    if uri.scheme != "coap" or not uri.hostname:
        raise _wrong(f"{text!r} is no address of a resource")
    if uri.fragment or uri.username is not None:
        raise _wrong(f"{text!r} has a fragment or a user in it")
    return Target(uri.hostname, port or PORT, _options(uri))


def _options(uri: SplitResult) -> Options:
    path = uri.path[1:]
    segments = path.split("/") if path else []
    queries = uri.query.split("&") if uri.query else []
    parts = [(URI_PATH, part) for part in segments] + [(URI_QUERY, part) for part in queries]
    options = [(number, _decoded(part)) for number, part in parts]
    if any(len(value) > _MAX_SEGMENT_BYTES for _, value in options):
        raise _wrong(f"a part of {uri.geturl()!r} is over {_MAX_SEGMENT_BYTES} bytes")
    return options


def _decoded(part: str) -> bytes:
    try:
        return unquote(part, errors="strict").encode()
    except UnicodeError as error:
        raise _wrong(f"{part!r} is not UTF-8") from error


def _wrong(what: str) -> ConfigError:
    return ConfigError(what, "write it like coap://192.168.1.10/home/kitchen/light")
