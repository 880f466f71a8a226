"""What a directory has to be like after a recovery."""

from typing import Any

from gateway import config as configs
from gateway import recover
from gateway.config import GatewayConfig
from gateway.directory import Directory
from gateway.ledger import fsck
from gateway.recover import Choice, Recovered
from gateway.store.files import safe_name
from protocol import recovery
from protocol.recovery import RECOVERED
from tests.fakes import ORIGIN
from tests.gateway.ledger_files import Made

SIZE, NEW = 30, "test.invalid/ledger-2"  # entries before, the new name


def recovered(made: Made, origin: str = NEW, **choice: Any) -> Recovered:
    return recover.recover(made.directory, Choice(origin, **choice), lambda done, total: None)


def check_whole(directory: Directory) -> recovery.Recovery:
    """The new ledger is sound and signed, the old one aside, its key nowhere."""
    config = configs.load(directory.config, GatewayConfig)
    signer = directory.load_signer(config.origin)
    store, note, size = directory.open_checked(signer)
    (first,) = store.read(lambda reader: reader.entries(0, 1))
    assert fsck.check(store, NEW, note).valid
    store.close()
    assert (config.origin, size, first.kind) == (NEW, 1, RECOVERED)
    assert directory.verifier.read_text() == f"{signer.verifier_text}\n"
    retired = directory.path / f"retired-{safe_name(ORIGIN)}"
    assert not (retired / "signer.key").exists()
    assert not list(directory.path.glob("recover.*"))
    return recovery.decode(first.body)
