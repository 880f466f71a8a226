"""Signed envelopes: ours, everything that is not one, and the COSE working group's examples.

Signatures are those of RFC 6979, so that they are the same each time.
"""

import hashlib
from typing import Any

from tests.protocol import oracles

SCALAR = bytes(range(1, 33))
KID = hashlib.sha256(oracles.cbor(["sig", "greenhouse-1", oracles.p256_public(SCALAR)])).digest()[
    :8
]
# The inputs of docs/wire-format.md, and its pack (§3.3).
DOCUMENT_SCALAR = bytes(range(0x60, 0x80))
DOCUMENT_PACK = bytes.fromhex(
    "82a5006b74656d7065726174757265016343656c02c4822018d7216d677265656e686f7573652d312f22c482211b"
    "00000029257c4419a3006868756d69646974790163255248021830"
)
PACK = oracles.cbor([{0: "temperature", 2: 21, -2: "greenhouse-1/", -3: 1700000000}])
BEFORE = hashlib.sha256(b"the envelope before").digest()[:16]
LARGEST = 1024 - len(oracles.sign1(SCALAR, bytes(42), bytes(300), b"up")) + 300


def header(**changes: Any) -> bytes:
    fields = {"alg": -9, "kid": KID, "cti": bytes(24)} | changes
    return oracles.cbor({1: fields["alg"], 4: fields["kid"], 15: {7: fields["cti"]}})


def under(protected: bytes, payload: bytes = PACK) -> bytes:
    return oracles.sign1(SCALAR, protected, payload, b"up")


def higher(whole: bytes) -> bytes:
    return (oracles.P256_ORDER - int.from_bytes(whole[-32:], "big")).to_bytes(32, "big")


def cases() -> list[dict[str, Any]]:
    return [*_good(), *_bad_shapes(), *_bad_headers(), *_examples()]


def _good() -> list[dict[str, Any]]:
    samples = [
        ("the first of all, which knows of none before it", 1, 0, bytes(16), PACK),
        ("one after another", 3, 14, BEFORE, PACK),
        ("the last numbers", 0xFFFFFFFF, 0xFFFFFFFF, BEFORE, PACK),
        ("an empty payload", 1, 2, BEFORE, b""),
        ("a payload of 23 bytes", 1, 2, BEFORE, bytes(23)),
        ("a payload of 24 bytes", 1, 2, BEFORE, bytes(24)),
        ("a payload of 255 bytes", 1, 2, BEFORE, bytes(255)),
        ("a payload of 256 bytes", 1, 2, BEFORE, bytes(256)),
        ("a payload that looks like an end", 1, 2, BEFORE, b"\x58\x40" * 33),
        ("as large as it may be", 1, 2, BEFORE, bytes(LARGEST)),
    ]
    return [
        {
            "name": name, "hex": under(oracles.signed_header(KID, *numbers), payload).hex(),
            "kid": KID.hex(), "epoch": numbers[0], "sequence": numbers[1],
            "before": numbers[2].hex(), "payload": payload.hex(),
        }
        for name, *numbers, payload in samples
    ] + [_es256(), _document()]  # fmt: skip


def _es256() -> dict[str, Any]:
    """Read, never written."""
    data = under(header(alg=-7))
    numbers = {"epoch": 0, "sequence": 0, "before": bytes(16).hex(), "payload": PACK.hex()}
    return {"name": "ES256", "hex": data.hex(), "kid": KID.hex(), "written": False} | numbers


def _document() -> dict[str, Any]:
    """The example of wire-format §4.2, with the signature of RFC 6979."""
    public = oracles.p256_public(DOCUMENT_SCALAR)
    kid = hashlib.sha256(oracles.cbor(["sig", "greenhouse-1", public])).digest()[:8]
    protected = oracles.signed_header(kid, 1, 0, bytes(16))
    data = oracles.sign1(DOCUMENT_SCALAR, protected, DOCUMENT_PACK, b"up")
    structure = oracles.cbor(["Signature1", protected, b"up", DOCUMENT_PACK])
    return {
        "name": "the example of wire-format §4.2", "hex": data.hex(), "kid": kid.hex(),
        "epoch": 1, "sequence": 0, "before": bytes(16).hex(), "payload": DOCUMENT_PACK.hex(),
        "protected": protected.hex(), "external_aad": b"up".hex(),
        "digest": hashlib.sha256(structure).hexdigest(),
        "scalar": DOCUMENT_SCALAR.hex(),
        "signature": oracles.ecdsa(DOCUMENT_SCALAR, structure).hex(),
    }  # fmt: skip


def _bad_shapes() -> list[dict[str, Any]]:
    whole, protected = under(header()), header()
    signature = whole[-64:]
    wrong = {
        "nothing": b"",
        "half of it": whole[: len(whole) // 2],
        "without its last byte": whole[:-1],
        "with a byte more": whole + b"\x00",
        "the front alone": whole[:46],
        "the front and the signature": whole[:46] + whole[-66:],
        "a payload and no signature": whole[:-66],
        "tagged 18": b"\xd2" + whole,
        "five parts": b"\x85" + whole[1:] + b"\x40",
        "something unprotected": oracles.cbor([protected, {4: KID}, PACK, signature]),
        "a payload of text": oracles.cbor([protected, {}, "a" * len(PACK), signature]),
        "a detached payload": oracles.cbor([protected, {}, None, signature]),
        "a signature of 63 bytes": oracles.cbor([protected, {}, PACK, signature[:63]]),
        "a signature of 65 bytes": oracles.cbor([protected, {}, PACK, signature + b"\x00"]),
        "the higher of the two signatures": whole[:-32] + higher(whole),
        "an s one too high": whole[:-32] + (oracles.P256_ORDER // 2 + 1).to_bytes(32, "big"),
        "a signature of text": whole[:-66] + b"\x78" + whole[-65:],
        "a length not in its shortest form": whole[:46] + b"\x59\x00" + whole[47:],
        "a COSE_Mac0": oracles.envelope(bytes(32), "up", (KID, 0, 0), PACK),
    }
    found = [{"name": n, "hex": data.hex(), "error": "malformed"} for n, data in wrong.items()]
    large = {"one byte too large": under(header(), bytes(LARGEST + 1)), "a kilobyte": bytes(1025)}
    return found + [{"name": n, "hex": d.hex(), "error": "too-large"} for n, d in large.items()]


def _bad_headers() -> list[dict[str, Any]]:
    wrong = {
        "a kid of 7 bytes": header(kid=KID[:7]),
        "a kid of text": header(kid="12345678"),
        "a cti of 8 bytes, as of profile mac": header(cti=bytes(8)),
        "a cti of 25 bytes": header(cti=bytes(25)),
        "an algorithm of two bytes": header(alg=-37),
        "an algorithm of text": header(alg="ES256"),
        "a header more": oracles.cbor({1: -9, 3: 0, 4: KID, 15: {7: bytes(24)}}),
        "a header less": oracles.cbor({1: -9, 15: {7: bytes(24)}}),
        "two claims": oracles.cbor({1: -9, 4: KID, 15: {6: 0, 7: bytes(24)}}),
        "in the wrong order": b"\xa3\x04\x48" + KID + b"\x01\x28" + header()[13:],
        "an empty header": b"",
    }
    found = [
        {"name": f"header: {name}", "hex": under(data).hex(), "error": "malformed"}
        for name, data in wrong.items()
    ]
    for name, algorithm in (("EdDSA", -8), ("HMAC 256/256", 5), ("true", True)):
        data = under(header(alg=algorithm))
        found.append({"name": f"algorithm {name}", "hex": data.hex(), "error": "unsupported"})
    return found


# Of github.com/cose-wg/Examples: sign1-tests and ecdsa-examples with P-256 and SHA-256. Their
# header is not ours, so they are refused; what they sign is put together in the same way.
EXAMPLE_SCALAR = "57c92077664146e876760c9520d054aa93c3afb04e306705db6090308507b4d3"
EXAMPLE_PAYLOAD = b"This is the content.".hex()
# name, protected, external_aad, Sig_structure but for the payload, signature
EXAMPLES = [
    ("sign-pass-01, empty protected header", "", "", "846a5369676e617475726531404054",
     "87db0d2e5571843b78ac33ecb2830df7b6e0a4d5b7376de336b23c591c90c425"
     "317e56127fbe04370097ce347087b233bf722b64072beb4486bda4031d27244f"),
    ("sign-pass-02, external data", "a10126", "11aa22bb33cc44dd55006699",
     "846a5369676e61747572653143a101264c11aa22bb33cc44dd5500669954",
     "10729cd711cb3813d8d8e944a8da7111e7b258c9bdca6135f7ae1adbee950989"
     "1267837e1e33bd36c150326ae62755c6bd8e540c3e8f92d7d225e8db72b8820b"),
    ("sign-pass-03, without a tag", "a10126", "",
     "846a5369676e61747572653143a101264054",
     "8eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91aef0b0117e"
     "2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36"),
    ("ecdsa-sig-01", "a201260300", "", "846a5369676e61747572653145a2012603004054",
     "6520bbaf2081d7e0ed0f95f76eb0733d667005f7467cec4b87b9381a6ba1ede8"
     "e00df29f32a37230f39a842a54821fdd223092819d7728efb9d3a0080b75380b"),
]  # fmt: skip


# name, the protected header of sign-pass-03 as it was changed
CHANGED = [
    ("sign-fail-03, algorithm changed", "a1013903e6"),
    ("sign-fail-04, algorithm unknown", "a10167756e6b6e6f776e"),
    ("sign-fail-06, header added", "a201260300"),
]


def _examples() -> list[dict[str, Any]]:
    signature = EXAMPLES[2][-1]
    right = [_example(name, protected, aad, sig) for name, protected, aad, _, sig in EXAMPLES]
    for case, (_, _, _, front, sig) in zip(right, EXAMPLES, strict=True):
        structure = bytes.fromhex(front + EXAMPLE_PAYLOAD)
        assert case["digest"] == hashlib.sha256(structure).hexdigest()
        assert oracles.ecdsa(bytes.fromhex(EXAMPLE_SCALAR), structure).hex() == sig
    changed = [_example(name, protected, "", signature) for name, protected in CHANGED]
    return right + [case | {"forged": True} for case in changed]


def _example(name: str, protected: str, aad: str, signature: str) -> dict[str, Any]:
    parts = [bytes.fromhex(part) for part in (protected, aad, EXAMPLE_PAYLOAD)]
    structure = oracles.cbor(["Signature1", *parts])
    return {
        "name": name, "protected": protected, "external_aad": aad, "payload": EXAMPLE_PAYLOAD,
        "digest": hashlib.sha256(structure).hexdigest(), "scalar": EXAMPLE_SCALAR,
        "signature": signature,
        "hex": oracles.cbor([parts[0], {}, parts[2], bytes.fromhex(signature)]).hex(),
        "error": "malformed",
    }  # fmt: skip
