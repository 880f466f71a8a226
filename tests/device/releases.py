"""Releases for boards of tests: folders of files with a manifest, signed by a key of ours."""

from hashlib import sha256
from pathlib import Path

from protocol import manifest_writer
from protocol.manifest import NAME, File, Head
from tests.protocol.cases import ecdsa_verify as curve

D = 0xA11CE
UPDATE_KEY = curve.public(D)
MPY = 6


def release(
    folder: Path,
    files: dict[str, bytes],
    *,
    version: str = "1.1.0",
    counter: int = 2,
    mpy: int = MPY,
    d: int = D,
) -> Path:
    """Writes `folder`/`version`, and returns it."""
    target = folder / version
    listed = []
    for path, data in sorted(files.items()):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(data)
        listed.append(File(path, len(data), sha256(data).digest()))

    def sign(digest: bytes) -> bytes:
        return curve.signed(d, digest, 0xC0FFEE)

    sealed = manifest_writer.seal(sign, Head(version, counter, mpy, 0), listed)
    (target / NAME).write_bytes(sealed)
    return target
