"""Manifests of releases: cbor2 says what the bytes are, `cryptography` that they are signed."""

from hashlib import sha256
from typing import Any

from tests.protocol import oracles
from tests.protocol.cases import ecdsa_verify as curve

D, OTHER_D = 0xF00D, 0xBEEF
FILES = [
    ["device/agent.mpy", 1200, sha256(b"agent").digest()],
    ["device/board/rp2.mpy", 65_536, sha256(b"rp2").digest()],
    ["protocol/cbor.mpy", 0, sha256(b"").digest()],
]
HEAD = {1: "1.2.0", 2: 1_795_000_000, 3: 6, 4: 0}
FRONT = bytes.fromhex("8443a10128a0")


def cases() -> list[dict[str, Any]]:
    return [*_right(), *_unsigned(), *_malformed_frames(), *_wrong_heads(), *_wrong_files()]


def _right() -> list[dict[str, Any]]:
    many = [[f"device/m{n:03}.mpy", n, sha256(bytes([n])).digest()] for n in range(128)]
    heads: dict[str, dict[int, Any]] = {
        "three files": {**HEAD, 5: FILES},
        "no files": {**HEAD, 5: []},
        "native code": {**HEAD, 4: 10, 5: FILES[:1]},
        "the smallest numbers": {1: "0", 2: 0, 3: 0, 4: 0, 5: []},
        "the largest numbers": {1: "a" * 32, 2: 2**32 - 1, 3: 2**32 - 1, 4: 2**32 - 1, 5: []},
        "a version of all kinds of letters": {**HEAD, 1: "_A9z.-_x", 5: []},
        "as many files as there may be": {**HEAD, 5: many},
        "the longest path": {**HEAD, 5: [["device/" + "x" * 53 + ".mpy", 1, bytes(32)]]},
    }
    return [_good(name, fields) for name, fields in heads.items()]


def _unsigned() -> list[dict[str, Any]]:
    whole = sealed(oracles.cbor({**HEAD, 5: FILES}))
    changed = {
        "a bit of the signature": len(whole) - 1,
        "a bit of a digest": 60,
        "a letter of the version": 12,
    }
    made = [
        _bad(
            f"changed: {name}",
            whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :],
            "bad-signature",
        )
        for name, at in changed.items()
    ]
    payload = oracles.cbor({**HEAD, 5: FILES})
    return [
        *made,
        _bad("signed by another", sealed(payload, OTHER_D), "bad-signature"),
        _bad("signed as an envelope", sealed(payload, aad=b"up"), "bad-signature"),
        _bad("a signature of zeros", sealed(payload)[:-64] + bytes(64), "bad-signature"),
        {**_bad("under a key that is none", whole, "bad-signature"), "key": "00" * 64},
    ]


def _malformed_frames() -> list[dict[str, Any]]:
    whole = sealed(oracles.cbor({**HEAD, 5: FILES[:1]}))
    payload = oracles.cbor({**HEAD, 5: FILES[:1]})
    long_head = FRONT + b"\x59" + len(payload).to_bytes(2, "big") + whole[8:]
    frames = {
        "nothing": b"", "a byte": b"\x84", "an array of three": b"\x83" + whole[1:],
        "ES256": whole[:4] + b"\x26" + whole[5:], "tagged": b"\xd2" + whole,
        "an unprotected header": whole[:5] + b"\xa1\x01\x01" + whole[6:],
        "a text for a payload": whole[:6] + bytes([whole[6] | 0x20]) + whole[7:],
        "a payload of a length not in its shortest form": long_head,
        "a payload of no definite length": FRONT + b"\x5f" + whole[8:],
        "a payload of 64 bits of length": FRONT + b"\x5b" + bytes(7) + whole[7:],
        "the end of the payload missing": FRONT + b"\x58" + bytes([len(payload) + 1]) + whole[8:],
        "half of the signature": whole[:-32], "no signature": whole[:-66],
        "a signature of 63 bytes": whole[:-66] + b"\x58\x3f" + whole[-63:],
        "a byte after the end": whole + b"\x00",
    }  # fmt: skip
    made = [_bad(f"a frame: {name}", data, "malformed") for name, data in frames.items()]
    large = FRONT + b"\x59" + (16_385).to_bytes(2, "big")
    return [
        *made,
        _bad("a payload of 16,385 bytes", large + bytes(16_385) + whole[-66:], "too-large"),
    ]


def _wrong_heads() -> list[dict[str, Any]]:
    fields: dict[str, Any] = {
        "an array": [1, 2, 3, 4, 5],
        "no files": HEAD,
        "a sixth field": {**HEAD, 5: [], 6: 0},
        "another order of labels": {0: 1, 1: "1", 2: 2, 3: 3, 5: []},
        "an empty version": {**HEAD, 1: "", 5: []},
        "a version of 33 letters": {**HEAD, 1: "a" * 33, 5: []},
        "a version with a slash": {**HEAD, 1: "../1", 5: []},
        "a version that starts with a dot": {**HEAD, 1: ".1", 5: []},
        "a version that starts with a dash": {**HEAD, 1: "-1", 5: []},
        "a version with an umlaut": {**HEAD, 1: "ä", 5: []},
        "a version of bytes": {**HEAD, 1: b"1", 5: []},
        "a counter of text": {**HEAD, 2: "7", 5: []},
        "a counter below zero": {**HEAD, 2: -1, 5: []},
        "a counter of 33 bits": {**HEAD, 2: 2**32, 5: []},
        "files that are no array": {**HEAD, 5: "none"},
        "a last label that is another": {**HEAD, 6: []},
    }
    made = [
        _bad(f"a head: {name}", sealed(oracles.cbor(one)), "malformed")
        for name, one in fields.items()
    ]
    right = oracles.cbor({**HEAD, 5: []})
    payloads = {
        "a label missing": right.replace(b"\x03\x06", b"\x06\x06"),
        "a label not in its shortest form": right[:1] + b"\x18\x01" + right[2:],
        "bytes after the files": right + b"\x00",
        "cut": right[:-2],
        "a version that is not UTF-8": right.replace(b"1.2.0", b"1.2.\xff"),
    }
    cut = [_bad(f"a head: {name}", sealed(data), "malformed") for name, data in payloads.items()]
    return made + cut


def _wrong_files() -> list[dict[str, Any]]:
    digest = bytes(32)
    paths = {
        "of a source": "device/a.py", "elsewhere": "lib/a.mpy", "absolute": "/device/a.mpy",
        "with dots": "device/../a.mpy", "with an empty segment": "device//a.mpy",
        "with a large letter": "device/A.mpy", "of a folder": "device/.mpy",
        "with a zero byte": "device/a\0.mpy", "of 65 bytes": "device/" + "x" * 54 + ".mpy",
        "of the slot itself": "manifest", "with an umlaut": "device/ä.mpy",
    }  # fmt: skip
    files: dict[str, list[Any]] = {
        **{f"a path {name}": [[path, 1, digest]] for name, path in paths.items()},
        "a file of two parts": [["device/a.mpy", 1]],
        "a digest of 31 bytes": [["device/a.mpy", 1, bytes(31)]],
        "a digest of text": [["device/a.mpy", 1, "x" * 32]],
        "a file twice": [["device/a.mpy", 1, digest]] * 2,
        "files out of order": [["device/b.mpy", 1, digest], ["device/a.mpy", 1, digest]],
        "a path of bytes": [[b"device/a.mpy", 1, digest]],
    }
    made = [
        _bad(f"files: {name}", sealed(oracles.cbor({**HEAD, 5: one})), "malformed")
        for name, one in files.items()
    ]
    many = [[f"device/m{n:03}.mpy", n, digest] for n in range(129)]
    large = [["device/a.mpy", 65_537, digest]]
    return [
        *made,
        _bad("files: 129 of them", sealed(oracles.cbor({**HEAD, 5: many})), "too-large"),
        _bad("files: one of 65,537 bytes", sealed(oracles.cbor({**HEAD, 5: large})), "too-large"),
    ]


def sealed(payload: bytes, d: int = D, aad: bytes = b"fw") -> bytes:
    protected = bytes.fromhex("a10128")
    structure = oracles.cbor(["Signature1", protected, aad, payload])
    signature = curve.signed(d, sha256(structure).digest(), 0x1234567)
    return FRONT + oracles.cbor(payload) + oracles.cbor(signature)


def _good(name: str, fields: dict[int, Any]) -> dict[str, Any]:
    head = [fields[label] for label in (1, 2, 3, 4)]
    files = [[path, size, digest.hex()] for path, size, digest in fields[5]]
    data = sealed(oracles.cbor(fields))
    return {
        "name": name,
        "hex": data.hex(),
        "key": curve.public(D).hex(),
        "head": head,
        "files": files,
    }


def _bad(name: str, data: bytes, error: str) -> dict[str, Any]:
    return {"name": name, "hex": data.hex(), "key": curve.public(D).hex(), "error": error}
