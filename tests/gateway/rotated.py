"""What a directory has to be like after a rotation, or after none."""

from gateway.directory import Directory
from gateway.ledger import fsck
from gateway.ledger.rotation import open_note
from protocol.note import format_key
from protocol.rotation import ROTATED, Keys
from tests.fakes import ORIGIN

SIZE = 20  # entries before


def keys_of(directory: Directory) -> Keys:
    return directory.read_keys() or Keys(directory.load_signer(ORIGIN).verifier_key)


def check_whole(directory: Directory) -> Keys:
    """One key signs, and everything beside the ledger says the same one; its keys."""
    signer, keys = directory.load_signer(ORIGIN), keys_of(directory)
    store, note, _ = directory.open_checked(signer)
    report = fsck.check(store, ORIGIN, note)
    kinds = [entry.kind for entry in store.read(lambda reader: reader.entries(SIZE, 1 << 40))]
    store.close()
    assert report.valid
    assert open_note(directory.checkpoint.read_text(), keys)
    assert directory.verifier.read_text() == f"{format_key(keys.current)}\n"
    assert not directory.next_signer.exists()
    assert kinds == [ROTATED] * (len(keys.epochs) - 1)
    return keys
