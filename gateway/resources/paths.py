"""Paths: which there may be, and where what they name is kept.

A path is segments of UTF-8, joined by slashes, without one in front: `home/kitchen/light`. It
is compared byte by byte: nothing is decoded, folded or normalised, a `%` is a `%`.
"""

from collections.abc import Sequence

from gateway.errors import BadPathError, NotFoundError
from protocol.limits import MAX_PATH_BYTES, MAX_PATH_SEGMENTS

DURABLE = ("home", "etc", "lib", "boot", "usr", "var")
MEMORY = ("tmp", "dev", "sys")
PROC = "proc"
NAMESPACES = (*DURABLE, *MEMORY, PROC)
_FIRST_PRINTED, _DELETE, _LAST_CONTROL = 0x20, 0x7F, 0x9F


def of_segments(segments: Sequence[str]) -> str:
    """The path of decoded segments, as CoAP's Uri-Path options bring them.

    BadPathError says what no path may have; NotFoundError where it is in no namespace: nothing
    is put elsewhere than where it was asked for.
    """
    if len(segments) > MAX_PATH_SEGMENTS:
        raise BadPathError(f"a path of more than {MAX_PATH_SEGMENTS} segments")
    for segment in segments:
        _check(segment)
    path = "/".join(segments)
    try:
        size_bytes = len(path.encode())
    except UnicodeEncodeError as error:
        raise BadPathError("a path that is not UTF-8") from error
    if size_bytes > MAX_PATH_BYTES:
        raise BadPathError(f"a path of {size_bytes} bytes: {MAX_PATH_BYTES} are the most")
    if not segments or segments[0] not in NAMESPACES:
        raise NotFoundError(f"a path begins with one of {', '.join(NAMESPACES)}, and /")
    if len(segments) == 1:
        raise BadPathError(f"{path} is a namespace, and no resource itself")
    return path


def of_text(path: str) -> str:
    """As `of_segments`; the path of a text that was decoded once, with or without a first slash."""
    if len(path) > MAX_PATH_BYTES + 1:  # before it is split
        raise BadPathError(f"a path of more than {MAX_PATH_BYTES} bytes")
    return of_segments((path[1:] if path.startswith("/") else path).split("/"))


def namespace_of(path: str) -> str:
    return path.partition("/")[0]


def _check(segment: str) -> None:
    if not segment:
        raise BadPathError("an empty segment: two slashes, or one at the end")
    if segment in (".", ".."):
        raise BadPathError(f"a segment {segment!r}: a path goes one way only")
    if "/" in segment or "\\" in segment:
        raise BadPathError("a slash or backslash in a segment")
    if any(_is_control(letter) for letter in segment):
        raise BadPathError("a control character")


def _is_control(letter: str) -> bool:
    return ord(letter) < _FIRST_PRINTED or _DELETE <= ord(letter) <= _LAST_CONTROL
