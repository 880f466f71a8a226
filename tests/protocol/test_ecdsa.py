"""Signatures: what a library verifies, from coupons that are used once and never again."""

import hashlib
import os
import time

import pytest

from protocol import keypair, sign1_reader
from protocol.ecdsa import Signer
from protocol.errors import FaultError
from protocol.p256 import N
from tests.device.signatures import is_signature
from tests.interpreters import ROOT, run_micropython
from tests.protocol import oracles, signing
from tests.signing_vectors import constant, lower, read_point

KEY = hashlib.sha256(b"a key").digest()
DIGEST = hashlib.sha256(b"a pack").digest()
RFC_6979 = lower(oracles.ecdsa(KEY, b"a pack"))
PACKS, MANY_PACKS = 200, 20_000


class Table:
    """A table that gives one wrong point, once, when told to."""

    def __init__(self):
        self.fails = False

    def read(self, index):
        point = read_point(index)
        if self.fails:
            self.fails = False
            return bytes([point[0] ^ 1]) + point[1:]
        return point


def signer_of(*, read=read_point, random_bytes=constant, boot=b"1", coupons=1):
    return Signer(KEY, read, random_bytes, boot=boot, coupons=coupons)


def filled(signer):
    while signer.idle():
        pass
    return signer


def sealed_by(interpreter, count, seed, folder):
    """The public key and the envelopes that an interpreter made."""
    if interpreter == "cpython":
        public = keypair.public_key(signing.KEY, read_point, os.urandom)
        return public, list(signing.sealed(count, seed))
    arguments = ["-m", "tests.protocol.signing", str(count), str(seed)]
    run = run_micropython(arguments, folder, timeout_s=600)
    assert run.returncode == 0, run.stdout[-2000:]
    first, *lines = [bytes.fromhex(line) for line in run.stdout.split()]
    return first, lines


def assert_all_verify(public, lines, count):
    envelopes = [sign1_reader.parse(line) for line in lines]
    assert public == oracles.p256_public(signing.KEY)
    assert len(envelopes) == count
    assert all(is_signature(public, sign1_reader.digest(e), e.signature) for e in envelopes)
    assert len({envelope.signature[:32] for envelope in envelopes}) == count


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
def test_random_packs_verify_with_a_library(interpreter, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)

    public, lines = sealed_by(interpreter, PACKS, 1, tmp_path)

    assert_all_verify(public, lines, PACKS)


def test_both_interpreters_sign_alike(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)

    alike = [
        sealed_by(interpreter, 20, 2, tmp_path)[1] for interpreter in ("cpython", "micropython")
    ]

    assert alike[0] == alike[1]


@pytest.mark.slow
@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
def test_many_random_packs_verify_with_a_library(interpreter, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    seed = int(os.environ.get("SEED") or time.time())
    print(f"again: SEED={seed} python -m pytest -m slow {__file__}")

    public, lines = sealed_by(interpreter, MANY_PACKS, seed, tmp_path)

    assert_all_verify(public, lines, MANY_PACKS)


def test_without_a_coupon_the_signature_is_that_of_rfc_6979():
    signer = signer_of(coupons=0)

    assert not signer.idle()
    assert signer.sign(DIGEST) == RFC_6979


def test_of_the_two_s_that_hold_the_lower_is_given():
    signer = filled(signer_of(coupons=20))

    signatures = [signer.sign(DIGEST) for _ in range(20)]

    assert all(is_signature(oracles.p256_public(KEY), DIGEST, one) for one in signatures)
    assert [lower(one) for one in signatures] == signatures


def test_a_coupon_signs_once_and_is_gone():
    signer = filled(signer_of(coupons=3))

    signatures = [signer.sign(DIGEST) for _ in range(4)]

    assert [is_signature(oracles.p256_public(KEY), DIGEST, one) for one in signatures] == [True] * 4
    assert len({one[:32] for one in signatures}) == 4
    assert signatures[3] == RFC_6979
    assert signer.ready == 0


def test_the_pool_is_bounded_and_filled_again():
    signer = filled(signer_of(coupons=3))
    assert signer.ready == 3

    signer.sign(DIGEST)

    assert signer.ready == 2
    assert signer.idle()
    assert filled(signer).ready == 3


def test_a_coupon_that_is_half_made_is_finished_and_used_once():
    signer = signer_of()
    for _ in range(30):
        signer.idle()

    first, second = signer.sign(DIGEST), signer.sign(DIGEST)

    assert first == filled(signer_of()).sign(DIGEST)
    assert second == RFC_6979
    assert (signer.ready, filled(signer).ready) == (0, 1)


def test_dice_that_always_fall_the_same_way_repeat_no_nonce():
    one, other = [filled(signer_of(boot=boot, coupons=8)) for boot in (b"1", b"2")]

    signatures = [signer.sign(DIGEST) for signer in (one, other) for _ in range(8)]

    assert len({signature[:32] for signature in signatures}) == 16


def test_a_boot_counter_that_stands_still_repeats_no_nonce():
    signers = [filled(signer_of(random_bytes=os.urandom, coupons=8)) for _ in range(2)]

    signatures = [signer.sign(DIGEST) for signer in signers for _ in range(8)]

    assert len({signature[:32] for signature in signatures}) == 16


def test_only_when_both_fail_a_nonce_comes_again():
    one, other = filled(signer_of()), filled(signer_of())

    assert one.sign(DIGEST)[:32] == other.sign(DIGEST)[:32]


def test_a_coupon_of_a_wrong_point_is_lost_and_its_nonce_never_used():
    table = Table()
    expected = filled(signer_of(coupons=2))
    second, first = expected.sign(DIGEST), expected.sign(DIGEST)  # the newest is taken first
    signer = signer_of(read=table.read)
    table.fails = True

    with pytest.raises(FaultError):
        filled(signer)

    assert signer.ready == 0
    assert filled(signer).sign(DIGEST) == second != first


def test_a_wrong_point_signs_nothing():
    table = Table()
    signer = signer_of(read=table.read, coupons=0)
    table.fails = True

    with pytest.raises(FaultError):
        signer.sign(DIGEST)

    assert signer.sign(DIGEST) == RFC_6979


def test_a_signature_of_zero_is_refused_and_the_coupon_gone():
    r = int.from_bytes(filled(signer_of()).sign(DIGEST)[:32], "big")
    opposite = -r * int.from_bytes(KEY, "big") % N
    signer = filled(signer_of())

    with pytest.raises(FaultError):
        signer.sign(opposite.to_bytes(32, "big"))

    assert signer.ready == 0
