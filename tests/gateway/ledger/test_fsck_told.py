"""fsck on what devices were told: each entry has one number, and it is nobody else's."""

import pytest

from gateway.ledger import fsck
from gateway.ledger.batch import CONTROL_KID, Number, Submission
from gateway.ledger.log import Draft
from tests.fakes import ORIGIN, FakeDevice, FakeGateway

SHED = FakeDevice("shed")


@pytest.fixture
def gateway(store):
    """0: a pack; 1 and 2: what a device was told."""
    gateway = FakeGateway(store)
    gateway.commit(SHED.submission(1))
    gateway.commit(told("config", 1), told("command", 2))
    return gateway


def told(kind, n):
    return Submission(Draft(kind, "shed", b"%d" % n), Number(CONTROL_KID, 7, n))


def found(gateway):
    report = fsck.check(gateway.store, ORIGIN, gateway.sign())
    return report.valid, report.first_bad


def test_what_devices_are_told_has_a_number_each(gateway):
    assert found(gateway) == (True, None)


def test_what_a_device_is_told_without_a_number_is_found(gateway):
    gateway.commit(Submission(Draft("command", "shed", b"reset")))

    assert found(gateway)[0] is False


@pytest.mark.parametrize(
    "row", [(SHED.kid, 9, 9, 1), (CONTROL_KID, 7, 3, 0)], ids=["a device's", "of a pack"]
)
def test_a_number_of_the_other_kind_is_named(gateway, row):
    gateway.store.transact(lambda t: t.put_numbers([row]))

    assert found(gateway) == (False, row[3])
