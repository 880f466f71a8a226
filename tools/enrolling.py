"""Enrolling: a device's name, secret and key, in keys.sqlite and in its config.json.

Of what is secret there is no other copy, and nothing of it is printed here.
"""

import os
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import ec

from gateway import config as configs
from gateway.config import GatewayConfig
from gateway.directory import Directory
from gateway.errors import ConfigError
from gateway.store.identities import StoredDevice
from gateway.store.keys import KeyStore
from protocol import senml
from protocol.enrolment import MAC, PUBLIC_KEY_BYTES, SIG
from protocol.envelope import SECRET_BYTES
from protocol.limits import MAX_NAME_BYTES

Profile = Literal["sig", "mac"]
PROFILES: tuple[Profile, ...] = ("sig", "mac")
DEFAULT_PROFILE: Profile = "sig"
_LONGEST_NAME = MAX_NAME_BYTES // 2  # leaves room for "/" and a sensor's name
SENSORS = [{"driver": "board-temperature", "name": "temperature", "every_ms": 10_000}]


def enrol(
    dir_: Path,
    name: str,
    gateway: str = "",
    *,
    profile: str = DEFAULT_PROFILE,
    public_key: bytes | None = None,
    secret: bytes | None = None,
) -> dict[str, object]:
    """The configuration of the new device `name`; `secret` where it has one already.

    In the profile `sig` its key is made here, and is in the configuration as 64 hex digits;
    where it was made elsewhere, `public_key` is its x ‖ y, and the configuration has none.
    ConfigError where the name cannot be had.
    """
    check_name(name)
    if profile not in PROFILES:
        raise ConfigError(f"no profile {profile!r}", f"use {' or '.join(PROFILES)}")
    directory = Directory(dir_)
    base = {"gateway": gateway or coap_address(dir_), "sensors": SENSORS}
    public, private = _key(profile, public_key)
    with closing(KeyStore(directory.keys)) as store:
        device = store.add(
            name, secret or os.urandom(SECRET_BYTES), profile=profile, public_key=public
        )
    return configured(device, private, base)


def check_name(name: str) -> None:
    """ConfigError where no device can have that name."""
    if not senml.is_name(name) or len(name) > _LONGEST_NAME or "/" in name:
        raise ConfigError(
            f"{name!r} cannot be a device's name",
            f"use up to {_LONGEST_NAME} letters, digits, - . : _ and start with a letter or digit",
        )


def coap_address(dir_: Path) -> str:
    """HOST:PORT that the gateway is configured to listen on."""
    config = configs.load(Directory(dir_).config, GatewayConfig)
    host = f"[{config.coap.host}]" if ":" in config.coap.host else config.coap.host
    return f"{host}:{config.coap.port}"


def configured(
    device: StoredDevice, private: bytes, base: Mapping[str, object]
) -> dict[str, object]:
    """A board of the profile `mac` has to know the generation: its kid follows from it."""
    mine: dict[str, object] = {"name": device.name, "secret": device.secret.hex()}
    if device.profile == SIG:
        mine["profile"] = SIG
    elif device.generation:
        mine["generation"] = device.generation
    if private:
        mine["key"] = private.hex()
    kept = {label: base[label] for label in base if label not in ("profile", "generation", "key")}
    return mine | {label: kept[label] for label in kept if label not in mine}


def rotate(
    dir_: Path,
    name: str,
    config: Mapping[str, object],
    *,
    public_key: bytes | None = None,
    secret: bytes | None = None,
) -> dict[str, object]:
    """`config` with a new secret, and a new key where the device signs; see `enrol`.

    What the device has now counts until the first envelope under the new key is kept.
    ConfigError where there is no such device.
    """
    with closing(KeyStore(Directory(dir_).keys)) as store:
        profile = next((one.profile for one in store.devices() if one.name == name), MAC)
        public, private = _key(profile, public_key)
        device = store.rotate(name, secret or os.urandom(SECRET_BYTES), public_key=public)
    return configured(device, private, config)


def revoke(dir_: Path, name: str) -> None:
    """All keys of `name`; ConfigError where none counts."""
    with closing(KeyStore(Directory(dir_).keys)) as store:
        store.revoke(name)


def identities(dir_: Path) -> list[StoredDevice]:
    """Every key that any name had. They hold secrets: show none."""
    with closing(KeyStore(Directory(dir_).keys)) as store:
        return store.devices()


def public_key_of(text: str) -> bytes:
    """The x ‖ y that 128 hex digits spell; ConfigError where that is no point of P-256."""
    fix = f"give x and y of a P-256 key, {2 * PUBLIC_KEY_BYTES} hex digits"
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise ConfigError("the public key is not in hex", fix) from error
    _check_point(key, fix)
    return key


def public_key_to(private: bytes) -> bytes:
    """x ‖ y for the number that a config.json holds; ValueError where it is none of P-256's."""
    number = int.from_bytes(private, "big")
    return _x_and_y(ec.derive_private_key(number, ec.SECP256R1()))


def _key(profile: str, public_key: bytes | None) -> tuple[bytes, bytes]:
    """(public, private): both empty in the profile `mac`; no private one that is elsewhere."""
    if profile == MAC:
        if public_key is not None:
            raise ConfigError("a device of the profile mac has no public key", "use --profile sig")
        return b"", b""
    if public_key is None:
        return _made()
    _check_point(public_key, f"give the {PUBLIC_KEY_BYTES} bytes of x and y")
    return public_key, b""


def _made() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_numbers().private_value.to_bytes(PUBLIC_KEY_BYTES // 2, "big")
    return _x_and_y(key), private


def _x_and_y(key: ec.EllipticCurvePrivateKey) -> bytes:
    public, half = key.public_key().public_numbers(), PUBLIC_KEY_BYTES // 2
    return public.x.to_bytes(half, "big") + public.y.to_bytes(half, "big")


def _check_point(key: bytes, fix: str) -> None:
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key)
    except ValueError as error:
        raise ConfigError("the public key is no point of P-256", fix) from error
