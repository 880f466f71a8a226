"""Signed envelopes: what is sealed is read, and nothing else is."""

import hashlib
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from hypothesis import example, given
from hypothesis import strategies as st

from protocol import envelope, sign1, sign1_reader
from protocol.errors import MalformedError, ProtocolError, TooLargeError
from tests.protocol import oracles
from tests.protocol.cases import sign1 as cases
from tests.signing_vectors import lower

DOCUMENT = Path(__file__).parents[2] / "docs" / "wire-format.md"
SCALAR = bytes(range(1, 33))
KID = bytes(range(8))
BEFORE = bytes(range(16))
LARGEST = 1024 - 46 - 3 - 66
numbers = st.integers(min_value=0, max_value=(1 << 32) - 1)


def unsigned(digest):
    return lower(digest + digest)


def sealed(payload=b"pack", *, sign=unsigned, epoch=7, sequence=9, before=BEFORE):
    return sign1.seal(sign, KID, epoch=epoch, sequence=sequence, before=before, payload=payload)


@given(numbers, numbers, st.binary(min_size=16, max_size=16), st.binary(max_size=LARGEST))
def test_what_is_sealed_is_read(epoch, sequence, before, payload):
    data = sealed(payload, epoch=epoch, sequence=sequence, before=before)

    found = sign1_reader.parse(data)

    assert (found.kid, found.epoch, found.sequence, found.before) == (KID, epoch, sequence, before)
    assert found.payload == payload
    assert found.signature == unsigned(sign1_reader.digest(found))
    assert data == oracles.cbor([found.protected, {}, payload, found.signature])
    assert found.protected == oracles.signed_header(KID, epoch, sequence, before)


@given(st.integers(min_value=1, max_value=oracles.P256_ORDER - 1))
@example(oracles.P256_ORDER // 2)
@example(oracles.P256_ORDER // 2 + 1)
def test_of_the_two_signatures_that_hold_only_the_lower_is_read(s):
    other = oracles.P256_ORDER - s
    r, low, high = bytes(range(32)), min(s, other), max(s, other)

    data = sealed(sign=lambda digest: r + low.to_bytes(32, "big"))

    assert sign1_reader.parse(data).signature == r + low.to_bytes(32, "big")
    with pytest.raises(MalformedError, match="lower"):
        sign1_reader.parse(data[:-32] + high.to_bytes(32, "big"))


@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=70))
def test_the_digest_is_of_the_sig_structure(protected, payload, aad):
    structure = oracles.cbor(["Signature1", protected, aad, payload])

    assert sign1.digest(protected, payload, aad) == hashlib.sha256(structure).digest()


def test_every_library_can_verify_it():
    data = oracles.sign1(SCALAR, oracles.signed_header(KID, 7, 9, BEFORE), b"pack", b"up")

    found = sign1_reader.parse(data)

    der = encode_dss_signature(
        int.from_bytes(found.signature[:32], "big"), int.from_bytes(found.signature[32:], "big")
    )
    prehashed = ec.ECDSA(Prehashed(hashes.SHA256()))
    oracles.p256(SCALAR).public_key().verify(der, sign1_reader.digest(found), prehashed)


def test_every_changed_byte_of_the_frame_is_refused_or_is_another_envelope():
    data = sealed()
    found = sign1_reader.parse(data)

    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        try:
            assert sign1_reader.parse(changed) != found, at
        except ProtocolError:
            pass


def test_every_beginning_is_refused():
    data = sealed(bytes(300))

    for size in range(len(data)):
        with pytest.raises(ProtocolError):
            sign1_reader.parse(data[:size])


@given(st.binary(max_size=1100))
def test_any_bytes_are_refused(data):
    with pytest.raises(ProtocolError):
        sign1_reader.parse(data)


def test_what_does_not_fit_a_datagram_is_not_signed():
    signed = []

    def sign(digest):
        signed.append(digest)
        return bytes(64)

    assert len(sealed(bytes(LARGEST), sign=sign)) == 1024
    with pytest.raises(TooLargeError):
        sealed(bytes(LARGEST + 1), sign=sign)
    assert len(signed) == 1


def test_a_link_is_the_start_of_the_hash_of_the_whole_envelope():
    data = sealed()

    assert sign1.link(data) == hashlib.sha256(data).digest()[:16]
    assert len(sign1_reader.UNKNOWN_BEFORE) == sign1.BEFORE_BYTES


def test_no_two_identities_share_a_kid():
    kids = [
        envelope.kid_of("a"),
        envelope.kid_of("a", generation=1),
        envelope.kid_of("a", generation=2),
        envelope.kid_of("a", "sig", public_key=bytes(64)),
        envelope.kid_of("a", "sig", public_key=bytes(63) + b"\x01"),
        envelope.kid_of("b", "sig", public_key=bytes(64)),
    ]

    assert len(set(kids)) == len(kids)
    assert {len(kid) for kid in kids} == {envelope.KID_BYTES}


def test_the_example_of_the_wire_format_is_the_one_in_the_vectors():
    section = DOCUMENT.read_text().split("### 4.2 ")[1].split("## 5. ")[0]
    shown, structure = [_hex_in(block) for block in re.findall(r"```\n(.*?)```", section, re.S)]
    (example,) = [case for case in cases.cases() if "example of wire-format" in case["name"]]

    assert shown.hex() == example["hex"]
    assert hashlib.sha256(structure).hexdigest() == example["digest"]
    assert sign1.link(shown).hex() in section


def _hex_in(block):
    """The bytes at the front of each line; two spaces end them."""
    lines = [re.match(r"\s*([0-9a-f ]+?)(?:\s{2,}.*)?$", line) for line in block.splitlines()]
    return bytes.fromhex("".join(line[1] for line in lines))
