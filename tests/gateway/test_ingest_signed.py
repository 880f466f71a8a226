"""Envelopes with a signature, judged: all but the signature, which is handed out to be checked."""

import hashlib

import pytest

from gateway.errors import GatewayError
from gateway.ingest.judge import judge
from gateway.registry import Registry
from gateway.signatures.worker import Checker
from protocol import envelope
from protocol.envelope import UP
from protocol.errors import ProtocolError
from protocol.mac import HmacKey
from tests.fakes import FakeDevice, SigningDevice

MAC0, SIGN1 = 17, 18
SHED, ROOF = FakeDevice("shed"), SigningDevice("roof")
GONE, STRANGER = SigningDevice("gone", key=8), SigningDevice("stranger", key=9)
REGISTRY = Registry([SHED.known(), ROOF.known(), GONE.known(revoked=True)])
GOOD = ROOF.sign(7, epoch=3)


def refused(data, content_format=SIGN1):
    with pytest.raises((ProtocolError, GatewayError)) as refusal:
        judge(data, REGISTRY, content_format)
    return refusal.value.reason


def holds(claim):
    return Checker().holds(b"".join(claim))


def test_what_its_device_has_signed_is_accepted_with_a_claim_that_holds():
    device, parts, claim = judge(GOOD, REGISTRY, SIGN1)

    assert (device.name, parts.kid, parts.epoch, parts.sequence) == ("roof", ROOF.kid, 3, 7)
    assert claim.public_key == ROOF.public_key
    assert holds(claim)


def test_what_has_a_tag_makes_no_claim():
    assert judge(SHED.seal(0), REGISTRY, MAC0).claim is None


@pytest.mark.parametrize("at", [21, 25, 29, 44, 60])
def test_a_claim_of_what_was_changed_does_not_hold(at):
    changed = bytearray(GOOD)
    changed[at] ^= 1

    try:
        claim = judge(bytes(changed), REGISTRY, SIGN1).claim
    except ProtocolError:
        return  # it was the name of a reading

    assert not holds(claim)


def test_who_signs_with_the_key_of_another_makes_a_claim_that_does_not_hold():
    thief = SigningDevice("roof", key=11)
    thief.kid = ROOF.kid

    claim = judge(thief.sign(0), REGISTRY, SIGN1).claim

    assert not holds(claim)


REFUSED = {
    "nothing": (b"", SIGN1, "malformed"),
    "cut": (GOOD[:-1], SIGN1, "malformed"),
    "too large": (bytes(1025), SIGN1, "too-large"),
    "another algorithm": (GOOD.replace(b"\xa3\x01\x28", b"\xa3\x01\x05", 1), SIGN1, "unsupported"),
    "who is not known": (STRANGER.sign(0), SIGN1, "unknown-device"),
    "who was revoked": (GONE.sign(0), SIGN1, "revoked"),
    "another's readings": (
        ROOF.sign_payload(b"\x81\xa2\x00\x66shed/t\x02\x01"),
        SIGN1,
        "wrong-name",
    ),
    "no pack": (ROOF.sign_payload(b"\x80"), SIGN1, "malformed"),
    "a tag, said to be a signature": (SHED.seal(0), SIGN1, "unsupported-format"),
    "a signature, said to be a tag": (GOOD, MAC0, "unsupported-format"),
}


@pytest.mark.parametrize(("data", "content_format", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_no_signature_could_make_good_is_refused_before_it(data, content_format, reason):
    assert refused(data, content_format) == reason


def _tagged(key):
    payload = b"\x81\xa2\x00\x66roof/t\x02\x01"
    return envelope.seal(key, UP, ROOF.kid, epoch=1, sequence=0, payload=payload)


def test_a_device_that_signs_is_not_believed_with_a_tag_whoever_made_it():
    """Its own secret makes no `up` key that counts, and neither does an empty one."""
    for key in (envelope.direction_key(ROOF.secret, UP), HmacKey(b"")):
        assert refused(_tagged(key), MAC0) == "bad-mac"


def test_a_device_with_tags_is_not_believed_with_a_signature():
    thief = SigningDevice("shed")
    thief.kid = SHED.kid

    assert refused(thief.sign(0)) == "bad-signature"


# --- the worker's own judgement -------------------------------------------------------------

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
NO_SIGNATURES = {
    "zeros": bytes(64),
    "r of zero": bytes(32) + b"\x01" * 32,
    "r of the order": ORDER.to_bytes(32, "big") + b"\x01" * 32,
    "s of the order": b"\x01" * 32 + ORDER.to_bytes(32, "big"),
    "all ones": b"\xff" * 64,
}


@pytest.mark.parametrize("signature", NO_SIGNATURES.values(), ids=NO_SIGNATURES)
def test_no_key_has_made_what_is_no_signature(signature):
    digest = hashlib.sha256(b"").digest()

    assert not Checker().holds(ROOF.public_key + signature + digest)


def test_what_is_no_point_of_the_curve_has_signed_nothing():
    assert not Checker().holds(bytes(64) + bytes(64) + bytes(32))


def test_more_keys_than_are_remembered_are_checked_all_the_same():
    claim = judge(GOOD, REGISTRY, SIGN1).claim
    checker = Checker()
    checker._keys = {n.to_bytes(64, "big"): None for n in range(4096)}

    assert checker.holds(b"".join(claim))
    assert len(checker._keys) == 1
