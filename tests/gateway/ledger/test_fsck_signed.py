"""fsck on ledgers with packs that devices have signed, and on whose numbers deleted ones have."""

import pytest

from gateway.ledger import fsck, pruning
from gateway.ledger.batch import CHANGES_KID, PACK, Number, Submission
from gateway.ledger.log import Draft
from gateway.store import Selection
from protocol import enrolment
from protocol.enrolment import ENROLLED, MAC, SIG, Enrolment
from protocol.envelope import kid_of
from protocol.prune import RETENTION
from tests.fakes import ORIGIN, FakeDevice, FakeGateway, SigningDevice

ROOF, SHED = SigningDevice("roof"), FakeDevice("shed")
STRANGER = b"stranger"


def told(n, name, profile, generation=0, key=b""):
    body = enrolment.encode(Enrolment(name, profile, generation, key))
    return Submission(Draft(ENROLLED, name, body), Number(CHANGES_KID, 0, n))


@pytest.fixture
def gateway(store):
    """0 to 2: keys; 3, 4: packs of a device that signs; 5: one of a device's second secret."""
    gateway = FakeGateway(store)
    gateway.commit(told(1, "roof", SIG, 0, ROOF.public_key))
    gateway.commit(told(2, "shed", MAC), told(3, "shed", MAC, 1))
    gateway.commit(ROOF.submission(0), ROOF.submission(1))
    new = kid_of("shed", generation=1)
    gateway.commit(Submission(Draft(PACK, "shed", resealed(new)), Number(new, 1, 0)))
    return gateway


def resealed(kid):
    return SHED.seal(0).replace(SHED.kid, kid)


def found(gateway):
    report = fsck.check(gateway.store, ORIGIN, gateway.sign())
    return report.valid, report.first_bad, report.reason


def delete_all(gateway):
    step = gateway.store.read(lambda r: pruning.look(r, Selection(0, 6))).step
    pruning.commit(gateway.writer, step, RETENTION)


def test_packs_that_devices_have_signed_have_their_numbers(gateway):
    assert found(gateway) == (True, None, None)


def test_deleted_packs_are_of_any_key_that_their_device_had(gateway):
    delete_all(gateway)

    assert found(gateway) == (True, None, None)


def test_a_deleted_pack_is_of_no_key_that_its_device_never_had(gateway):
    delete_all(gateway)
    gateway.store.transact(lambda t: t.put_numbers([(STRANGER, 1, 0, 3)]))

    valid, index, reason = found(gateway)

    assert (valid, index) == (False, 3)
    assert "is not this entry's" in reason


def test_a_pack_that_looks_signed_and_is_no_envelope_is_named(gateway):
    body = ROOF.sign(2)[:-1]
    gateway.commit(Submission(Draft(PACK, "roof", body), Number(ROOF.kid, 1, 2)))

    assert found(gateway) == (False, 6, "a pack that is no envelope")


def test_a_number_that_is_not_the_signed_ones_is_named(gateway):
    gateway.commit(Submission(Draft(PACK, "roof", ROOF.sign(9)), Number(ROOF.kid, 1, 8)))

    valid, index, reason = found(gateway)

    assert (valid, index) == (False, 6)
    assert "has not taken its number" in reason
