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

from gateway.store.identities import ACTIVE, StoredDevice
from protocol.enrolment import MAC, SIG
from protocol.envelope import SECRET_BYTES
from tools import enrolling
from tools.board import identity
from tools.board.faults import BoardError
from tools.board.identity import Asked, Config
from tools.board.layout import DATA, SLOT
from tools.board.link import Board

NEXT = DATA + "/next"
_RUN_S = 3.0  # how long the board runs between two looks at its outbox
_WAITING = f"""
import sys, json
sys.path.insert(0, {SLOT!r})
from device.main import pick_board
from device.outbox import Outbox
print(json.dumps(Outbox(pick_board(), {DATA + "/outbox"!r}, 65536).used_bytes))
"""
_DROP = f"""
import os
try:
    for name in os.listdir({DATA + "/outbox"!r}): os.remove({DATA + "/outbox/"!r} + name)
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
    board: Board, *, limit_s: float, drop: bool, progress: Callable[[int], None]
) -> None:
    """Lets the board run until nothing waits; `drop` deletes what does. BoardError at the limit."""
    deadline = time.monotonic() + limit_s
    while waiting := board.ask(_WAITING, "looking into its outbox")[0]:
        progress(waiting)
        if drop:
            board.exec(_DROP, "emptying its outbox")
            return
        if time.monotonic() > deadline:
            raise BoardError(
                f"{waiting} bytes wait in the outbox still: under the new key nobody confirms them",
                "let the board reach the gateway, then the same command; or lose them:"
                " --drop-waiting",
            )
        board.reset_and_run(min(_RUN_S, limit_s))


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
