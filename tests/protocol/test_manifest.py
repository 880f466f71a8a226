import io
from hashlib import sha256

import pytest

from protocol import manifest, manifest_writer
from protocol.errors import MalformedError, ProtocolError, TooLargeError
from protocol.manifest import File, Head
from tests.protocol import strategies
from tests.protocol.cases import ecdsa_verify as curve

D = 0xF00D
KEY = curve.public(D)
HEAD = Head("1.2.0", 7, 6, 0)
FILES = [
    File("device/agent.mpy", 1200, sha256(b"agent").digest()),
    File("protocol/cbor.mpy", 300, sha256(b"cbor").digest()),
]


def sign(digest):
    return curve.signed(D, digest, 4711)


def opened(data):
    file = io.BytesIO(data)
    head = manifest.open_signed(file, KEY)
    return head, list(manifest.files(file))


def test_what_is_sealed_is_opened():
    sealed = manifest_writer.seal(sign, HEAD, FILES)

    assert opened(sealed) == (HEAD, FILES)


def test_every_prefix_is_refused():
    for cut in strategies.prefixes(manifest_writer.seal(sign, HEAD, FILES)):
        with pytest.raises(ProtocolError):
            opened(cut)


def test_every_changed_byte_is_refused():
    for changed in strategies.changed_bytes(manifest_writer.seal(sign, HEAD, FILES)):
        with pytest.raises(ProtocolError):
            opened(changed)


@pytest.mark.parametrize(
    "head",
    [
        Head("", 7, 6, 0),
        Head("1/2", 7, 6, 0),
        Head("1", -1, 6, 0),
        Head("1", 1 << 32, 6, 0),
        Head("1", 7, 1 << 32, 0),
        Head("1", 7, 6, 1 << 32),
    ],
)
def test_a_head_that_the_reader_would_refuse_is_not_signed(head):
    with pytest.raises(MalformedError):
        manifest_writer.seal(unsigned, head, FILES)


@pytest.mark.parametrize(
    ("files", "error"),
    [
        (FILES[::-1], MalformedError),
        (FILES[:1] * 2, MalformedError),
        ([File("main.mpy", 1, bytes(32))], MalformedError),
        ([File("device/a.mpy", 65_537, bytes(32))], TooLargeError),
        ([File(f"device/m{n:03}.mpy", 1, bytes(32)) for n in range(129)], TooLargeError),
    ],
)
def test_files_that_the_reader_would_refuse_are_not_signed(files, error):
    with pytest.raises(error):
        manifest_writer.seal(unsigned, HEAD, files)


def test_the_longest_paths_of_as_many_files_as_may_be_fit_a_manifest():
    files = [File(f"device/{'x' * 50}{n:03}.mpy", 65_536, bytes(32)) for n in range(128)]

    sealed = manifest_writer.seal(sign, HEAD, files)

    assert len(sealed) <= manifest.MAX_BYTES
    assert opened(sealed)[1] == files


def unsigned(digest):
    raise AssertionError("nothing was to be signed")
