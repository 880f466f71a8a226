"""Entries as devices signed them, and what the check end to end says of them."""

from gateway.ledger.batch import PACK
from tools.end_to_end import Checking


def pack(device, body):
    return (PACK, device.name, body)


def packs(device, *numbers, epoch=1):
    """One pack for each number, as the device signs them one after another."""
    return [pack(device, device.sign(n, epoch=epoch)) for n in numbers]


def enrolled(device):
    return device.enrolled().draft


def checked(entries, *, keys=None):
    """The result, of entries that are sound in themselves: (kind, source, body)."""
    checking = Checking(keys)
    rows = [
        (index, kind.encode(), source.encode(), 0, b"", b"", b"", body)
        for index, (kind, source, body) in enumerate(entries)
    ]
    for start in range(0, len(rows), 7):  # pages
        checking.add(rows[start : start + 7])
    return checking.end()


def keys_of(*devices):
    return {device.kid: (device.name, device.public_key) for device in devices}


def missing(result):
    (device,) = [device for device in result.devices if device.signed]
    return device.missing, device.missing_named


def fault(result):
    """The one there is."""
    assert result.fault_count == 1, result.faults
    return result.faults[0]
