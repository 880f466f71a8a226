"""`tallystick device rotate-key NAME --flash`: a new secret, and a new key where the board signs.

What waits in the outbox was sealed under the old ones, and receipts for it come under them: so it
is sent first. Then, each step whole before the next: the new ones are made in /data/next; the
gateway learns them, and takes both from there on; they get the old ones' names on the board. The
gateway revokes the old ones once a pack under the new ones is kept.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from device.board.cpython import Board as Host
from device.outbox import ALWAYS, Outbox
from gateway.directory import Directory
from gateway.store.identities import ACTIVE, StoredDevice
from gateway.store.sqlite import looking_at
from protocol import sealed_reader
from protocol.enrolment import MAC, SIG
from protocol.envelope import SECRET_BYTES
from tools import enrolling
from tools.board import identity
from tools.board.faults import BoardError
from tools.board.identity import Asked, Config
from tools.board.layout import DATA
from tools.board.link import Board

NEXT = DATA + "/next"
_RUN_S = 3.0  # how long the board runs between two looks at its outbox
_OUTBOX = DATA + "/outbox"
_NO_LIMIT_BYTES = 1 << 28
_DROP = f"""
import os
try:
    for name in os.listdir({_OUTBOX!r}): os.remove({_OUTBOX + "/"!r} + name)
except OSError: pass
"""
_TAKE = f"""
import os
for name in ('key', 'config.json'):
    try:
        os.rename({NEXT + "/"!r} + name, {DATA + "/"!r} + name)
    except OSError as e:
        if e.errno != 2: raise
for name in os.listdir({NEXT!r}): os.remove({NEXT + "/"!r} + name)
os.rmdir({NEXT!r})
"""


def check(asked: Asked, config: Config | None) -> Config:
    """The configuration of the board; BoardError where it is not the active device `asked.name`."""
    if config is None or config["name"] != asked.name:
        whose = f"the device {config['name']!r}" if config else "nobody yet"
        raise BoardError(f"this board is {whose}", f"plug in the board of {asked.name}")
    active = identity.active(asked)
    if active is None:
        raise BoardError(
            f"the gateway has no active device {asked.name!r}", "see `tallystick device list`"
        )
    return config


def send_first(
    board: Board, asked: Asked, *, limit_s: float, drop: bool, progress: Callable[[int], None]
) -> None:
    """Lets the board run until the ledger has all that waits there, and empties the outbox.

    `drop` empties it at once. BoardError at the limit: nothing is deleted then.
    """
    deadline = time.monotonic() + limit_s
    while not drop and (waiting := _unkept(board, asked)):
        progress(waiting)
        if time.monotonic() > deadline:
            raise BoardError(
                f"{waiting} packs wait in the outbox still: under the new key nobody confirms them",
                "let the board reach the gateway, then the same command; or lose them:"
                " --drop-waiting",
            )
        board.reset_and_run(min(_RUN_S, limit_s))
    board.exec(_DROP, "emptying its outbox")


def _unkept(board: Board, asked: Asked) -> int:
    """How many packs of the outbox the ledger does not have. A copy is looked at, not the board's.

    The board itself would count some that were kept: it saves how far it is now and then only.
    """
    with TemporaryDirectory() as folder:
        for path, digest in board.tree(_OUTBOX).items():
            if digest:
                Path(folder, path.rpartition("/")[2]).write_bytes(board.get(path) or b"")
        outbox = Outbox(Host(), folder, _NO_LIMIT_BYTES, mode=ALWAYS)
        waiting = []
        while (envelope := outbox.peek()) is not None:
            waiting.append(sealed_reader.parse(envelope))
            outbox.advance()
        outbox.close()
    with looking_at(Directory(asked.dir_).ledger) as view:
        found = [view.number(one.kid, one.epoch, one.sequence) for one in waiting]
    return found.count(None)


def rotate(board: Board, asked: Asked, config: Config) -> StoredDevice:
    """The new identity; the board has it, and nothing of the exchange is left there."""
    upcoming = _read(board) or _make(board, asked, config)
    public = identity.make_key(board, NEXT) if upcoming.get("profile", MAC) == SIG else None
    secret = bytes.fromhex(str(upcoming["secret"]))
    known = identity.active(asked)
    if known is None or known.secret != secret:
        enrolling.rotate(asked.dir_, asked.name, upcoming, public_key=public, secret=secret)
        known = identity.active(asked)
    board.exec(_TAKE, "taking the new key")
    assert known is not None  # noqa: S101  # it was put there above
    return known


def _read(board: Board) -> Config | None:
    """What an earlier run made, and did not end."""
    text = board.get(NEXT + "/config.json")
    return json.loads(text) if text else None


def _make(board: Board, asked: Asked, config: Config) -> Config:
    newest = [one for one in enrolling.identities(asked.dir_) if one.name == asked.name][-1]
    device = newest._replace(
        secret=os.urandom(SECRET_BYTES), state=ACTIVE, generation=newest.generation + 1
    )
    upcoming = enrolling.configured(device, b"", config)
    upcoming.pop("key", None)
    board.mkdir(NEXT)
    board.put(NEXT + "/config.json", json.dumps(upcoming).encode())
    return upcoming
