"""What somebody with the gateway's disk can make of its ledger: whole, consistent forgeries.

Every hash that needs no secret is computed anew, so that a forgery fails only where it must.
With the gateway's key it is signed, too; with a device's secret its readings are re-sealed.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing

from gateway.config import GatewayConfig, load
from gateway.directory import Directory
from gateway.ledger import start
from gateway.ledger.batch import PACK
from gateway.ledger.log import Log, Sealed
from gateway.ledger.signer import Signer
from gateway.members import CHANGES_KID
from gateway.store import Transaction
from gateway.store.keys import KeyStore
from gateway.store.sqlite import SqliteStore
from protocol import envelope, envelope_reader, senml
from protocol import leaf as leaves
from protocol.enrolment import ENROLLED, REVOKED
from protocol.envelope import UP
from protocol.rotation import ROTATED
from protocol.senml import Reading

Change = Callable[[list[Sealed]], list[Sealed]]
CALL_IT_A_COPY = "INSERT INTO state VALUES ('role', CAST('collector' AS BLOB))"


def entries_of(directory: Directory) -> list[Sealed]:
    with closing(SqliteStore(directory.ledger)) as store:
        found = store.read(lambda reader: reader.entries(0, 1 << 40))
    return [Sealed(entry.leaf, entry.salt, entry.body) for entry in found]


def rewrite(directory: Directory, change: Change, signer: Signer | None = None) -> None:
    """Puts `change` of the entries in place of the ledger: leaves, chain and tree computed anew.

    `signer` puts a new checkpoint by its key over it, in both places.
    """
    entries = change(entries_of(directory))
    origin = load(directory.config, GatewayConfig).origin
    for file in directory.path.glob("ledger.sqlite*"):
        file.unlink()
    with closing(SqliteStore(directory.ledger, create=True)) as store:
        extension = Log.empty().extended(entries)
        note = signer.sign(extension.log.size, extension.log.root()) if signer else ""

        def put(transaction: Transaction) -> None:
            extension.put(transaction)
            transaction.put_state(start.ORIGIN, origin.encode())
            _put_numbers(transaction, entries)
            if note:
                transaction.put_state(start.CHECKPOINT, note.encode())

        store.transact(put)
    if note:
        directory.checkpoint.write_text(note)


def signer_of(directory: Directory) -> Signer:
    return directory.load_signer(load(directory.config, GatewayConfig).origin)


def with_other_reading(directory: Directory, index: int) -> Change:
    """Entry `index` says 99, sealed with the device's own secret as the gateway has it."""

    def change(entries: list[Sealed]) -> list[Sealed]:
        leaf, salt, body, _ = entries[index]
        fields = leaves.decode(leaf)
        sealed = envelope_reader.parse(body)
        forged = envelope.seal(
            envelope.direction_key(_secret(directory, fields.source), UP),
            UP,
            sealed.kid,
            epoch=sealed.epoch,
            sequence=sealed.sequence,
            payload=senml.encode_pack(
                f"{fields.source}/",
                [Reading(f"{fields.source}/temperature", "Cel", 99, fields.received_ms)],
            ),
        )
        changed = fields._replace(body_hash=leaves.hash_body(salt, forged))
        return [
            *entries[:index],
            Sealed(leaves.encode(changed), salt, forged),
            *entries[index + 1 :],
        ]

    return change


def without_rotations(entries: list[Sealed]) -> list[Sealed]:
    return [sealed for sealed in entries if leaves.decode(sealed.leaf).kind != ROTATED]


def without(index: int) -> Change:
    return lambda entries: [*entries[:index], *entries[index + 1 :]]


def swapped(one: int, other: int) -> Change:
    def change(entries: list[Sealed]) -> list[Sealed]:
        entries[one], entries[other] = entries[other], entries[one]
        return entries

    return change


def cut(size: int) -> Change:
    return lambda entries: entries[:size]


def execute(directory: Directory, *statements: str) -> None:
    with closing(sqlite3.connect(directory.ledger)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def put_body_back(directory: Directory, index: int, salt: bytes, body: bytes | None) -> None:
    with closing(sqlite3.connect(directory.ledger)) as database:
        database.execute("INSERT INTO bodies VALUES (?, ?, ?)", (index, salt, body))
        database.commit()


def _secret(directory: Directory, name: str) -> bytes:
    with closing(KeyStore(directory.keys)) as keys:
        return next(device.secret for device in keys.devices() if device.name == name)


def _put_numbers(transaction: Transaction, entries: list[Sealed]) -> None:
    changes = 0
    for index, sealed in enumerate(entries):
        kind = leaves.decode(sealed.leaf).kind
        if kind in (ENROLLED, REVOKED):
            changes += 1
            transaction.put_numbers([(CHANGES_KID, 0, changes, index)])
        elif kind == PACK and sealed.body is not None:
            parts = envelope_reader.parse(sealed.body)
            transaction.put_numbers([(parts.kid, parts.epoch, parts.sequence, index)])
