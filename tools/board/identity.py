"""Who a board is: its config.json and its key, and the gateway's record of both.

In this order, each step whole before the next: the secret is put on the board; the key is made
there; the gateway enrols them. So the gateway knows no secret that no board has, and a board
that was unplugged in between is completed under the identity that it has already.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from gateway.store.identities import ACTIVE, StoredDevice
from protocol.enrolment import MAC, SIG
from protocol.envelope import SECRET_BYTES
from tools import enrolling
from tools.board.faults import BoardError
from tools.board.layout import DATA, SLOT
from tools.board.link import Board

CONFIG = DATA + "/config.json"
_ENTROPY = "/entropy"
_KEY_S = 60  # an RP2040 takes about half a second; a slower one more
Config = dict[str, Any]


class Asked(NamedTuple):
    """What the command line says; None where it says nothing, and what is there stays.

    `changes` are of config.json; `gateway` is where a new device sends.
    """

    name: str
    dir_: Path
    profile: str | None = None
    changes: Mapping[str, object] = {}
    gateway: str = ""


def held(board: Board) -> Config | None:
    """The configuration on the board; None where there is none, or one that is no JSON."""
    text = board.get(CONFIG)
    try:
        found = json.loads(text) if text else None
    except ValueError:
        return None
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        return None
    return found if _is_secret(found.get("secret")) else None


def check(asked: Asked, config: Config | None) -> None:
    """Before anything is written: BoardError where board, name and gateway do not fit."""
    enrolling.check_name(asked.name)
    known = active(asked)
    if config is None:
        if known or _all(asked):
            raise BoardError(
                f"there is a device {asked.name!r} already, and this board is not it",
                "choose another name: a revoked one is not used again, either",
            )
        return
    if config["name"] != asked.name:
        raise BoardError(
            f"this board is the device {config['name']!r}",
            f"use that name; or, to give it up with what it has not sent: {_wipe()}",
        )
    if asked.profile and asked.profile != config.get("profile", MAC):
        raise BoardError(
            f"{asked.name!r} has the profile {config.get('profile', MAC)} already",
            "leave --profile out; another profile needs another name",
        )
    if known is None and _all(asked):
        raise BoardError(f"{asked.name!r} was revoked", f"wipe the board, another name: {_wipe()}")
    if known is not None and known.secret.hex() != config["secret"]:
        if any(one.secret.hex() == config["secret"] for one in _all(asked)):
            raise BoardError(
                f"the key of {asked.name!r} is being exchanged",
                f"tallystick device rotate-key {asked.name} --dir {asked.dir_} --flash",
            )
        raise BoardError(
            f"the gateway knows {asked.name!r} under another secret than this board's",
            f"if it is another board, use another name; else wipe it: {_wipe()}",
        )


def settle(board: Board, asked: Asked, config: Config | None, wanted: Config) -> bool:
    """Makes all three agree, after `check`; whether anything had to be done."""
    if wanted != config:
        board.mkdir(DATA)
        board.put(CONFIG, json.dumps(wanted).encode())
    if active(asked) is not None:
        return wanted != config
    profile = str(wanted.get("profile", MAC))
    enrolling.enrol(
        asked.dir_,
        asked.name,
        profile=profile,
        public_key=make_key(board, DATA) if profile == SIG else None,
        secret=bytes.fromhex(str(wanted["secret"])),
    )
    return True


def active(asked: Asked) -> StoredDevice | None:
    """The identity of that name that the gateway takes packs of."""
    return next((one for one in _all(asked) if one.state == ACTIVE), None)


def merged(asked: Asked, config: Config | None) -> Config:
    """The configuration that the board is to have: what it has, with what was asked for."""
    if config is None:
        profile = asked.profile or enrolling.DEFAULT_PROFILE
        device = StoredDevice(asked.name, profile, os.urandom(SECRET_BYTES))
        config = enrolling.configured(
            device, b"", {"gateway": asked.gateway, "sensors": enrolling.SENSORS}
        )
    return config | dict(asked.changes)


def make_key(board: Board, folder: str) -> bytes:
    """The public key of the pair in `folder`, which the board makes if there is none.

    32 bytes of ours go in as a file; the board mixes them with its own, and deletes it.
    """
    if "key" not in board.ls(folder):  # listed, not read: it never leaves the board
        board.put(folder + _ENTROPY, os.urandom(SECRET_BYTES))
    code = (
        f"import sys, gc\ngc.collect()\nsys.path.insert(0, {SLOT!r})\n"
        f"import device.enrol\ndevice.enrol.make_key({folder!r})"
    )
    (told,) = board.ask(code, "making its key", _KEY_S)
    if told["event"] != "key":
        raise BoardError(f"the board made no key: {told['reason']}", "run the same command again")
    return bytes.fromhex(told["public_key"])


def _all(asked: Asked) -> list[StoredDevice]:
    return [one for one in enrolling.identities(asked.dir_) if one.name == asked.name]


def _wipe() -> str:
    return "mpremote rm -r :data"


def _is_secret(text: object) -> bool:
    return isinstance(text, str) and len(text) == 2 * SECRET_BYTES
