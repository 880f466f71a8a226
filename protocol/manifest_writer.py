"""Writes the manifest of a release: the mirror of `protocol.manifest`, which no board needs."""

import hashlib

from protocol import cbor, manifest
from protocol.errors import MalformedError, TooLargeError
from protocol.manifest import File, Head

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def seal(sign: "Callable[[bytes], bytes]", head: Head, files: list[File]) -> bytes:
    """A manifest's bytes; `sign` makes the 64 bytes r ‖ s for a SHA-256 digest.

    MalformedError or TooLargeError, with nothing signed, for what the reader would refuse.
    """
    _check(head, files)
    payload = cbor.encode(
        {
            manifest.VERSION: head.version,
            manifest.COUNTER: head.counter,
            manifest.MPY: head.mpy,
            manifest.ARCH: head.arch,
            manifest.FILES: [list(file) for file in files],
        }
    )
    framed = cbor.encode(payload)
    signature = sign(hashlib.sha256(manifest.SIG_STRUCTURE + framed).digest())
    return manifest.FRONT + framed + manifest.SIGNATURE + signature


def _check(head: Head, files: list[File]) -> None:
    if not manifest.is_version(head.version):
        raise MalformedError(f"{head.version!r} is no version")
    for number in (head.counter, head.mpy, head.arch):
        if not 0 <= number < 1 << 32:
            raise MalformedError(f"{number} has not 32 bits")
    if len(files) > manifest.MAX_FILES:
        raise TooLargeError(f"{len(files)} files, over {manifest.MAX_FILES}")
    before = ""
    for file in files:
        if not manifest.is_path(file.path) or file.path <= before:
            raise MalformedError(f"{file.path!r}: no module's path, out of order or twice")
        if file.size > manifest.MAX_FILE_BYTES:
            raise TooLargeError(f"{file.path}: {file.size} bytes", manifest.MAX_FILE_BYTES)
        before = file.path
