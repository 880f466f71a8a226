"""Recover: a new ledger, with a new name and key, in the place of one that must not be signed.

Everything new is made in a folder of its own. That folder's last name is the decision: before
it, whoever comes next takes the folder away; after it, they move on what is left to move.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path
from typing import NamedTuple

from gateway import config as configs
from gateway import directory as directories
from gateway import remains, rotate
from gateway.config import GatewayConfig, LedgerConfig
from gateway.directory import SEED_BYTES, Directory
from gateway.errors import ConfigError, FatalError, GatewayError
from gateway.ledger.batch import CARRIED, Submission
from gateway.ledger.changes import Limits, Totals, Wish
from gateway.ledger.log import Draft
from gateway.ledger.signer import Signer, format_signer_key
from gateway.ledger.writer import LedgerWriter
from gateway.metrics import Metrics
from gateway.store import Transaction
from gateway.store.files import (
    move_durable,
    overwrite,
    remove_durable,
    safe_name,
    sync_directory,
    write_durable,
)
from gateway.surroundings import Surroundings
from protocol import recovery as recoveries
from protocol.errors import MalformedError
from protocol.limits import MAX_CONTENT_BYTES
from protocol.note import check_name
from protocol.recovery import RECOVERED, Recovery
from protocol.resource import POST, PUT

_PART, _NEXT, _RETIRED = "recover.part", "recover.next", "retired-"
_SECRETS = ("signer.key", "signer.next")
# first what has no successor: the old log must not be found beside the new ledger
_SET_ASIDE = ("ledger.sqlite-wal", "ledger.sqlite-shm", "signer.next", "quarantine")
_REPLACED = ("ledger.sqlite", "checkpoint", "signer.key", "verifier.key")
_BATCH = 100  # changes in one transaction
_ANY_SIZE = Limits(1 << 62, 1 << 62, 1 << 62)  # what was let in before is not refused now
Progress = Callable[[int, int], None]  # numbers carried over, of how many


class Recovered(NamedTuple):
    """`retired` is where the old ledger is now; `recovery` is what the new one says of it.

    So many `resources` are in the new one.
    """

    origin: str
    verifier_key: str
    retired: Path
    recovery: Recovery
    resources: int


class Choice(NamedTuple):
    """What the operator has decided; `note` is the newest checkpoint that others hold."""

    origin: str
    note: str | None = None
    without_numbers: bool = False
    although_sound: bool = False


def recover(directory: Directory, choice: Choice, progress: Progress) -> Recovered:
    """A directory that is held and whose ledger must not be signed gets a new one.

    ConfigError where that is not so, or where the old ledger cannot be read and numbers are to
    be carried over. Store*Error where it could not be written: the next call or start ends it.
    """
    settle(directory)
    old = configs.load(directory.config, GatewayConfig).origin
    if old != choice.origin:  # else it was ended just now, or by a start
        _check(directory, old, choice)
        _stage(directory, old, choice, progress)
        sync_directory(directory.path / _PART)
        move_durable(directory.path / _PART, directory.path / _NEXT)
        _complete(directory)
    return _told(directory)


def settle(directory: Directory) -> bool:
    """Ends a recovery that was interrupted; whether there was one that is complete now.

    The directory is held, and nothing of it read yet.
    """
    part = directory.path / _PART
    if part.exists():
        with _writing(part):
            shutil.rmtree(part)
        sync_directory(directory.path)
    if not (directory.path / _NEXT).exists():
        return False
    _complete(directory)
    return True


def _check(directory: Directory, old: str, choice: Choice) -> None:
    """ConfigError where this cannot be, or would do harm."""
    try:
        check_name(choice.origin)
    except MalformedError as error:
        raise ConfigError(str(error), "choose another name") from error
    if choice.note and not remains.knows(directory, old, choice.note):
        raise ConfigError(
            f"no key of {old!r} that lies here has signed this checkpoint", "leave it out"
        )
    if _retired(directory, choice.origin).exists():
        raise ConfigError(
            f"{choice.origin!r} was the name of a ledger here before", "choose another name"
        )
    if not choice.although_sound and _is_sound(directory, old):
        raise ConfigError(
            f"the ledger {old!r} is sound, and its key would be destroyed",
            f"run it: `tallystick run {directory.path}`; or add --although-sound",
        )
    if not choice.without_numbers:
        try:
            remains.count_numbers(directory)
        except (GatewayError, FatalError) as error:
            raise ConfigError(
                f"the old ledger cannot be read: {error}",
                "add --without-numbers: a device may then send an envelope again that was kept"
                " before, and it is kept twice, once in each ledger",
            ) from error


def _is_sound(directory: Directory, origin: str) -> bool:
    try:
        rotate.settle(directory, origin)
        directory.open_checked(directory.load_signer(origin))[0].close()
    except (GatewayError, FatalError):
        return False
    return True


def _stage(directory: Directory, old: str, choice: Choice, progress: Progress) -> None:
    """Makes everything new, and decides nothing."""
    staged = Directory(directory.path / _PART)
    retired = _retired(staged, old)
    with _writing(staged.path):
        os.makedirs(retired, mode=0o700)
    text = directory.config.read_bytes()
    write_durable(retired / directory.config.name, text, mode=0o644)
    changed = configs.with_origin(text.decode(), choice.origin)
    write_durable(staged.config, changed.encode(), mode=0o644)
    surroundings = Surroundings(staged)
    signer = Signer(choice.origin, surroundings.random(SEED_BYTES))
    write_durable(staged.signer, format_signer_key(choice.origin, signer.seed).encode())
    staged.keep_verifier(signer)
    directories.create_ledger(staged, signer)
    store, note, signed = staged.open_checked(signer)
    try:
        writer = LedgerWriter(store, signer, surroundings, LedgerConfig(), Metrics())
        writer.resume(signed, note)
        writer.commit_with(lambda t: ([_first(t, directory, old, choice, progress)], None), {})
        _put_resources(writer, directory)
        writer.sign_if_due(0, force=True)
    finally:
        store.close()


def _first(
    transaction: Transaction, directory: Directory, old: str, choice: Choice, progress: Progress
) -> Submission:
    """The first entry; the numbers that it speaks of are put beside it."""
    carried = None
    if not choice.without_numbers:
        total, carried = remains.count_numbers(directory), 0
        for number in remains.numbers(directory):
            transaction.put_numbers([(*number, CARRIED)])
            carried += 1
            progress(carried, total)
    recovery = Recovery(old, remains.largest_note(directory, old, choice.note), carried)
    return Submission(Draft(RECOVERED, "", recoveries.encode(recovery)))


def _put_resources(writer: LedgerWriter, directory: Directory) -> None:
    """What was in force, as new entries of the gateway's own; its history stays where it was."""
    batch: list[Submission] = []
    for path, contents in remains.resources(directory):
        starts = range(0, max(len(contents.content), 1), MAX_CONTENT_BYTES)
        for kind, start in zip(chain((PUT,), repeat(POST)), starts, strict=False):
            content = contents.content[start : start + MAX_CONTENT_BYTES]
            wish = Wish("", _ANY_SIZE, contents.content_format)
            batch.append(Submission(Draft(kind, path, content), wish=wish))
        if len(batch) >= _BATCH or sum(len(one.draft.body) for one in batch) > MAX_CONTENT_BYTES:
            writer.commit(batch, {})
            batch = []
    writer.commit(batch, {})


def _complete(directory: Directory) -> None:
    """Each move may have been made before; the folder goes away with the last one."""
    new = directory.path / _NEXT
    for retired in new.glob(f"{_RETIRED}*"):
        for name in _SET_ASIDE:
            _move_if_there(directory.path / name, retired / name)
        for name in _REPLACED:
            if (new / name).exists():
                _move_if_there(directory.path / name, retired / name)
                move_durable(new / name, directory.path / name)
        for name in _SECRETS:
            overwrite(retired / name)
            remove_durable(retired / name)
        _move_if_there(new / directory.config.name, directory.config)
        move_durable(retired, directory.path / retired.name)
    with _writing(new):
        shutil.rmtree(new)
    sync_directory(directory.path)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{error.filename or path}: {error.strerror}",
            f"see that {path.parent} can be written and its disk has room, and try again:"
            " what is begun is ended then",
        ) from error


def _move_if_there(source: Path, target: Path) -> None:
    if source.exists():
        move_durable(source, target)


def _retired(directory: Directory, origin: str) -> Path:
    return directory.path / f"{_RETIRED}{safe_name(origin)}"


def _told(directory: Directory) -> Recovered:
    origin = configs.load(directory.config, GatewayConfig).origin
    signer = directory.load_signer(origin)
    store, *_ = directory.open_checked(signer)
    try:
        found = store.read(lambda reader: reader.entries(0, 1))
        resources = store.read(Totals.read).resources
    finally:
        store.close()
    if not found or found[0].kind != RECOVERED or found[0].body is None:
        raise ConfigError(f"the ledger is called {origin!r} already", "choose another name")
    recovery = recoveries.decode(found[0].body)
    retired = _retired(directory, recovery.origin)
    return Recovered(origin, signer.verifier_text, retired, recovery, resources)
