import pytest

from gateway.errors import RevokedError, UnknownDeviceError
from gateway.registry import Registry
from protocol import envelope, pairing
from protocol.envelope import DOWN, UP
from tests.fakes import FakeDevice

SHED, CELLAR = FakeDevice("shed"), FakeDevice("cellar")


def test_a_known_device_is_found_by_its_kid_with_its_two_keys():
    device = Registry([SHED.known(), CELLAR.known()]).find(SHED.kid)

    assert (device.name, device.profile) == ("shed", "mac")
    assert device.up == envelope.direction_secret(SHED.secret, UP)
    assert device.down == envelope.direction_secret(SHED.secret, DOWN)
    assert device.up != device.down


def test_an_unknown_kid_is_refused():
    with pytest.raises(UnknownDeviceError, match=CELLAR.kid.hex()):
        Registry([SHED.known()]).find(CELLAR.kid)


def test_a_revoked_device_is_known_and_refused():
    registry = Registry([SHED.known(revoked=True)])

    assert registry.knows(SHED.kid)
    with pytest.raises(RevokedError, match="shed"):
        registry.find(SHED.kid)


def test_replacing_forgets_whoever_is_not_named_again():
    registry = Registry([SHED.known()])

    registry.replace([CELLAR.known()])

    assert (len(registry), registry.knows(SHED.kid)) == (1, False)
    assert registry.find(CELLAR.kid).name == "cellar"


def test_a_device_is_found_by_its_oscore_id_and_holds_its_master_secret():
    registry = Registry([SHED.known(), CELLAR.known(revoked=True)])

    device = registry.find_by_oscore_id(SHED.kid[:7])

    assert device.name == "shed"
    assert device.oscore_master() == pairing.master_secret(SHED.secret)
    assert SHED.secret.hex() not in repr(device)
    with pytest.raises(RevokedError):
        registry.find_by_oscore_id(CELLAR.kid[:7])
    with pytest.raises(UnknownDeviceError):
        registry.find_by_oscore_id(SHED.kid)
