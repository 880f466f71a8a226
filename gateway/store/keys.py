"""keys.sqlite: the devices' secrets, apart from the ledger, readable by the owner only.

Written by `tallystick device …`, and by the gateway when a key has taken its predecessor's
place. Read by the gateway, which notices changes by itself. Each change is numbered, so that
the gateway can put it into the ledger exactly once.
"""

import os
from pathlib import Path
from typing import Any

import apsw

from gateway.errors import ConfigError
from gateway.store.identities import ACTIVE, RETIRING, Change, StoredDevice
from gateway.store.key_schema import (
    CHANGE,
    DEVICE,
    SCHEMA,
    VERSION,
    checked,
    damaged,
    migrate,
    needs_migration,
    put_change,
    put_device,
)
from gateway.store.sqlite import mapped_errors, transaction
from protocol.enrolment import ENROLLED, MAC, REVOKED, SIG
from protocol.pairing import device_id

_BUSY_TIMEOUT_MS = 5000
_COUNTS = (
    "SELECT total(kind = 'enrolled'), total(kind = 'revoked'), coalesce(max(n), 0) FROM changes"
)


class KeyStore:
    def __init__(self, path: Path, *, create: bool = False) -> None:
        if create:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        elif not path.exists():
            raise ConfigError(f"no {path}", "run `tallystick init DIR` first")
        self._path = path
        with mapped_errors("keys.sqlite"):
            self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
            self._connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
            # "full" does not sync the directory after a commit: a power cut could bring the
            # journal back, and with it undo a revocation that was answered
            self._connection.pragma("synchronous", "extra")
            if create:
                with self._connection:
                    self._connection.execute(SCHEMA)
            self._check(path)
        self._known_ids: dict[bytes, str] = {}
        self._known_version: int | None = None

    def another(self) -> "KeyStore":
        """One more connection to the same file, for another thread."""
        return KeyStore(self._path)

    def version(self) -> int:
        """Changes whenever another process has written."""
        with mapped_errors():
            return int(self._connection.pragma("data_version"))

    def devices(self) -> list[StoredDevice]:
        """Every key that any name had, by name and generation.

        StoreFailedError where a row was damaged or is missing.
        """
        with mapped_errors(), self._connection:  # one view of both tables
            devices = self._devices("ORDER BY name, generation")
            ((enrolled, revoked, last),) = self._connection.execute(_COUNTS)
        gone = sum(device.revoked for device in devices)
        if (len(devices), gone, len(devices) + gone) != (enrolled, revoked, last):
            raise damaged("devices and their changes do not fit together")
        return devices

    def changes(self, after: int) -> list[Change]:
        """StoreFailedError where a row was damaged or is missing."""
        with mapped_errors():
            sql = f"{CHANGE} WHERE n > ? ORDER BY n"
            rows = checked(self._connection.execute(sql, (after,)))
        if [row[0] for row in rows] != list(range(after + 1, after + 1 + len(rows))):
            raise damaged("a change is missing")
        return [
            Change(n, kind.decode(), name.decode(), profile.decode(), generation, key)
            for n, kind, name, generation, profile, key in rows
        ]

    def add(
        self, name: str, secret: bytes, *, profile: str = MAC, public_key: bytes = b""
    ) -> StoredDevice:
        """Enrols a device; ConfigError where the name was ever used, or is another's to OSCORE.

        Of the kid OSCORE has 7 bytes only. By chance two devices agree in them in one of 2**56
        cases; whoever looks for two names that do needs 2**28 tries.
        """
        device = StoredDevice(name, profile, secret, public_key=public_key)
        with transaction(self._connection):
            if self._devices("WHERE name = ?", name):
                raise ConfigError(
                    f"there is a device {name!r} already",
                    "choose another name, revoke it, or exchange its key:"
                    f" `tallystick device rotate-key {name} --dir DIR --out FILE`",
                )
            self._enrol(device)
        self._known_ids[device_id(device.kid)] = name
        return device

    def rotate(self, name: str, secret: bytes, *, public_key: bytes = b"") -> StoredDevice:
        """A new key for an active device; the one before counts until the new one is used.

        Was the last new one never used, then that one is revoked: the device has the one before
        still. ConfigError where there is no active device of that name, or for another profile.
        """
        with transaction(self._connection):
            known = self._devices("WHERE name = ? ORDER BY generation", name)
            active = next((device for device in known if device.state == ACTIVE), None)
            if active is None:
                raise _nobody(name)
            if bool(public_key) != (active.profile == SIG):
                raise ConfigError(
                    f"{name!r} is of profile {active.profile}, which a rotation does not change",
                    "enrol the device under another name",
                )
            in_use = any(device.state == RETIRING for device in known)
            if in_use:
                self._revoke(active)
            else:
                self._put(active._replace(state=RETIRING))
            new = active._replace(
                secret=secret, generation=known[-1].generation + 1, public_key=public_key
            )
            self._enrol(new)
        self._known_ids[device_id(new.kid)] = name
        return new

    def succeed(self, name: str) -> bool:
        """The active key of `name` was used: revokes the retiring one. False where none is."""
        with transaction(self._connection):
            retiring = self._devices("WHERE name = ? AND state = ?", name, RETIRING)
            for device in retiring:
                self._revoke(device)
        return bool(retiring)

    def revoke(self, name: str) -> None:
        """Nothing the device sends is accepted from now on; ConfigError where there is none."""
        with transaction(self._connection):
            found = self._devices("WHERE name = ? AND state <> ?", name, REVOKED)
            if not found:
                raise _nobody(name)
            for device in found:
                self._revoke(device)

    def close(self) -> None:
        self._connection.close()

    def _check(self, path: Path) -> None:
        version = self._connection.pragma("user_version")
        if version != VERSION and not needs_migration(version):
            raise ConfigError(
                f"{path} has schema {version}, this program {VERSION}",
                "use the version of tallystick that wrote it, or restore a backup",
            )
        found = self._connection.pragma("integrity_check")
        if found != "ok":
            raise ConfigError(f"{path} is damaged: {found}", "restore a backup")
        if needs_migration(version):
            migrate(self._connection)

    def _devices(self, rest: str, *values: str) -> list[StoredDevice]:
        with mapped_errors():
            rows = checked(self._connection.execute(f"{DEVICE} {rest}", values))
        return [
            StoredDevice(name.decode(), profile.decode(), secret, state.decode(), generation, key)
            for name, generation, profile, key, secret, state in rows
        ]

    def _enrol(self, device: StoredDevice) -> None:
        identifier = device_id(device.kid)
        other = self._identifiers().get(identifier)
        if other is not None:
            raise ConfigError(
                f"{device.name!r} has the OSCORE Sender ID of {other!r}, {identifier.hex()}",
                "try again: that follows from the key"
                if device.public_key
                else "choose another name: that follows from it alone",
            )
        self._put(device)
        self._note(ENROLLED, device)

    def _identifiers(self) -> dict[bytes, str]:
        """Whose each OSCORE Sender ID is, revoked or not; read again after others wrote."""
        version = self.version()
        if version != self._known_version:
            self._known_ids = {device_id(one.kid): one.name for one in self._devices("")}
            self._known_version = version
        return self._known_ids

    def _revoke(self, device: StoredDevice) -> None:
        self._put(device._replace(state=REVOKED))
        self._note(REVOKED, device)

    def _put(self, device: StoredDevice) -> None:
        name, profile, secret, state, generation, public_key = device
        texts: tuple[Any, ...] = name.encode(), generation, profile.encode()
        put_device(self._connection, (*texts, public_key, secret, state.encode()))

    def _note(self, kind: str, device: StoredDevice) -> None:
        ((last,),) = self._connection.execute("SELECT coalesce(max(n), 0) FROM changes")
        name, generation, profile = device.name.encode(), device.generation, device.profile
        row = (last + 1, kind.encode(), name, generation, profile.encode(), device.public_key)
        put_change(self._connection, row)


def _nobody(name: str) -> ConfigError:
    return ConfigError(f"no active device {name!r}", "see `tallystick device list --dir DIR`")
