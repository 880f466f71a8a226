"""Which ledgers a command line names: a URL, a directory, or a file."""

from pathlib import Path

from protocol import checkpoint as checkpoints
from protocol.errors import ProtocolError
from tools.ledger_file import LedgerFile, cosigned
from tools.remote import Remote
from tools.sources import Ledger, UnusableError, text_of, trusted_keys


def ledgers(target: str, vkey: str, token: str) -> list[Ledger]:
    """Open ones, for the caller to close. UnusableError where there is none."""
    if target.startswith(("http://", "https://")):
        return [Remote(target, vkey, token)]
    path = Path(target)
    if path.is_file():
        return [LedgerFile(path, vkey)]
    if (path / "ledger.sqlite").is_file():
        beside = text_of(path / "verifier.key").strip()
        return [LedgerFile(path / "ledger.sqlite", vkey, beside, is_copy=False)]
    if (path / "collector.toml").is_file():
        return _collected(path, vkey)
    raise UnusableError(f"{target} is no URL, no directory of a gateway and no ledger file")


def _collected(path: Path, vkey: str) -> list[Ledger]:
    trusted = trusted_keys(path)
    found: list[Ledger] = []
    for file in sorted(path.glob("*-*.sqlite")):
        ledger = LedgerFile(file, is_copy=True)
        mine = vkey if vkey.split("+", 1)[0] == ledger.origin else ""
        ledger.trust(mine, trusted.get(ledger.origin, ""))
        ledger.notes += _cosigned(path, ledger)
        found.append(ledger)
    if not found:
        raise UnusableError(f"{path} has not collected anything yet")
    return found


def _cosigned(path: Path, ledger: Ledger) -> list[str]:
    """What the collector's witness cosigned; a neighbour may have shown it more than is here."""
    found = cosigned(path / "witness.sqlite", ledger.origin)
    try:
        return [note for note in found if checkpoints.unverified(note).size <= ledger.size]
    except ProtocolError:
        return found  # the check says what is wrong with it
