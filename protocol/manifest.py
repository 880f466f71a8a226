"""A release's manifest: the files it consists of, signed by whoever may make releases.

A COSE_Sign1 (RFC 9052 §4.2), untagged, over one CBOR map (wire-format §16). Read from a file
and never held whole: a board has no memory for that. `protocol.manifest_writer` is its mirror.
"""

import hashlib
from collections import namedtuple

from protocol.ecdsa_verify import verify
from protocol.errors import BadSignatureError, MalformedError, TooLargeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

NAME = "manifest"  # of the file, beside those it speaks of
MAX_BYTES = 16_384
MAX_FILES = 128
MAX_FILE_BYTES = 65_536
MAX_PATH_BYTES = 64
MAX_VERSION_BYTES = 32
DIGEST_BYTES, SIGNATURE_BYTES = 32, 64
# [protected, {}, payload, signature], where protected is {1: -9}: ESP256 (RFC 9864 §2.1)
FRONT, SIGNATURE = b"\x84\x43\xa1\x01\x28\xa0", b"\x58\x40"
# the Sig_structure (RFC 9052 §4.4) up to its payload; external_aad is "fw"
SIG_STRUCTURE = b"\x84\x6aSignature1\x43\xa1\x01\x28\x42fw"
VERSION, COUNTER, MPY, ARCH, FILES = 1, 2, 3, 4, 5

_UINT, _BYTES, _TEXT, _ARRAY, _MAP = 0, 2, 3, 4, 5
_PIECE_BYTES = 256
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"
_VERSION_LETTERS = _LETTERS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-"


class Head(namedtuple("Head", ("version", "counter", "mpy", "arch"))):
    """What a release says of itself. `counter` grows with each one.

    `mpy` is the version of the bytecode, `arch` that of native code in it, 0 where there is
    none; both as `sys.implementation._mpy` has them.
    """

    version: str
    counter: int
    mpy: int
    arch: int


class File(namedtuple("File", ("path", "size", "digest"))):
    """`digest` is the SHA-256 of its `size` bytes."""

    path: str
    size: int
    digest: bytes


def open_signed(file: "BinaryIO", key: bytes) -> Head:
    """What the manifest in `file`, from its start on, says, once all of it was checked.

    BadSignatureError unless the holder of `key`, x ‖ y, signed it; MalformedError or
    TooLargeError for what the writer would not have written.
    """
    file.seek(0)
    size = _find_payload(file)
    hashed = hashlib.sha256(SIG_STRUCTURE)
    hashed.update(_bytes_head(size))
    while size:
        piece = _take(file, min(size, _PIECE_BYTES))
        hashed.update(piece)
        size -= len(piece)
    end = file.tell()
    if _take(file, len(SIGNATURE)) != SIGNATURE:
        raise MalformedError("no signature where it has to be")
    signature = _take(file, SIGNATURE_BYTES)
    if file.read(1):
        raise MalformedError("bytes after the signature")
    if not verify(key, hashed.digest(), signature):
        raise BadSignatureError("not signed with the key for updates")
    for _ in files(file):
        pass
    if file.tell() != end:
        raise MalformedError("a payload that does not end with the files")
    return head_of(file)


def head_of(file: "BinaryIO") -> Head:
    """What the manifest in `file` says of the release; no signature is checked."""
    file.seek(0)
    _find_payload(file)
    return _head(file)


def files(file: "BinaryIO") -> "Iterator[File]":
    """The files of the manifest in `file`, one after the other; nothing else may move in it."""
    head_of(file)
    count = _number(file, _ARRAY)
    if count > MAX_FILES:
        raise TooLargeError(f"{count} files, over {MAX_FILES}")
    before = ""
    for _ in range(count):
        one = _file_of(file)
        if one.path <= before:
            raise MalformedError("paths out of order, or twice")
        before = one.path
        yield one


def is_version(text: str) -> bool:
    """Letters, digits, _ and, but in front, . and -: it is the name of a folder, too."""
    if not _is_of(text, _VERSION_LETTERS) or len(text) > MAX_VERSION_BYTES:
        return False
    return not text.startswith(".") and not text.startswith("-")


def is_path(path: str) -> bool:
    """device/….mpy or protocol/….mpy, of small letters, digits and underscores."""
    if len(path) > MAX_PATH_BYTES or not path.endswith(".mpy"):
        return False
    if not path.startswith("device/") and not path.startswith("protocol/"):
        return False
    return all([_is_of(segment, _LETTERS) for segment in path[:-4].split("/")])


def _is_of(text: str, letters: str) -> bool:
    # never by the letter: firmware keeps each that it takes out of a text for ever, as a name
    return text != "" and not text.strip(letters)


def _find_payload(file: "BinaryIO") -> int:
    """How long the payload is; the file is at its start then."""
    if _take(file, len(FRONT)) != FRONT:
        raise MalformedError("not the front of a manifest")
    size = _number(file, _BYTES)
    if size > MAX_BYTES:
        raise TooLargeError(f"a manifest of {size} bytes, over {MAX_BYTES}", MAX_BYTES)
    return size


def _head(file: "BinaryIO") -> Head:
    if _number(file, _MAP) != FILES or _number(file, _UINT) != VERSION:
        raise MalformedError("a manifest is a map of five")
    version = _text(file, MAX_VERSION_BYTES)
    numbers = []
    for label in (COUNTER, MPY, ARCH):
        if _number(file, _UINT) != label:
            raise MalformedError(f"no field {label} where it has to be")
        numbers.append(_number(file, _UINT))
    if _number(file, _UINT) != FILES or not is_version(version):
        raise MalformedError("no version, or no files where they have to be")
    return Head(version, numbers[0], numbers[1], numbers[2])


def _file_of(file: "BinaryIO") -> File:
    if _number(file, _ARRAY) != 3:
        raise MalformedError("a file is [path, size, digest]")
    path, size = _text(file, MAX_PATH_BYTES), _number(file, _UINT)
    if not is_path(path):
        raise MalformedError("a path that is no module's")
    if size > MAX_FILE_BYTES:
        raise TooLargeError(f"{path}: {size} bytes, over {MAX_FILE_BYTES}")
    if _number(file, _BYTES) != DIGEST_BYTES:
        raise MalformedError(f"a digest has {DIGEST_BYTES} bytes")
    return File(path, size, _take(file, DIGEST_BYTES))


def _text(file: "BinaryIO", most: int) -> str:
    size = _number(file, _TEXT)
    if size > most:
        raise MalformedError(f"a text of {size} bytes, over {most}")
    text = _take(file, size)
    if size and max(text) > 127:
        raise MalformedError("a text that is not ASCII")
    return str(text, "utf-8")


def _number(file: "BinaryIO", major: int) -> int:
    """The number in a head of type `major`, in its shortest form (RFC 8949 §4.2.1)."""
    first = _take(file, 1)[0]
    number = first & 31
    if first >> 5 != major or number > 26:
        raise MalformedError(f"another head than one of type {major}: {first}")
    if number >= 24:
        size = 1 << number - 24
        number = int.from_bytes(_take(file, size), "big")
        if number < (24 if size == 1 else 1 << 4 * size):
            raise MalformedError("a number that is not in its shortest form")
    return number


def _bytes_head(size: int) -> bytes:
    if size < 24:
        return bytes((0x40 | size,))
    return bytes((0x58, size)) if size < 256 else bytes((0x59, size >> 8, size & 255))


def _take(file: "BinaryIO", size: int) -> bytes:
    taken: bytes = file.read(size)
    if len(taken) != size:
        raise MalformedError("ends too early")
    return taken
