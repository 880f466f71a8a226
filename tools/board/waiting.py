"""Waits for a device's first reading in the ledger: for what is kept, not for what is said.

The ledger file is read beside the gateway that writes it: what is in it was authenticated. No
token is needed, and a gateway whose HTTP is elsewhere is no difference.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from gateway import hold
from gateway.directory import Directory
from gateway.http.rendering import entry_json
from gateway.ledger.batch import PACK
from gateway.store import Query
from gateway.store.identities import StoredDevice
from gateway.store.sqlite import looking_at
from tools.board.events import Event, Listener
from tools.board.faults import BoardError

_LOOK_S = 0.1
_HELPLESS = ("refused", "failed")  # events of a device that will not send


class First(NamedTuple):
    """`reading` is of the pack in `entry`, whose body its leaf commits to."""

    entry: int
    profile: str
    reading: dict[str, Any]


class LateError(BoardError):
    """Nothing came within the limit."""


def size(dir_: Path) -> int:
    """How many entries there are now: what comes after is new."""
    with looking_at(Directory(dir_).ledger) as view:
        last = view.last()
        return last.index + 1 if last else 0


def first_reading(
    dir_: Path,
    device: StoredDevice,
    after: int,
    listener: Listener,
    *,
    limit_s: float,
    progress: Callable[[float], None],
) -> First:
    """The first reading under `device`'s key among the entries from `after` on.

    LateError says what it waited for; BoardError where the board says that none will come.
    """
    started = time.monotonic()
    heard: list[Event] = []
    while (waited_s := time.monotonic() - started) < limit_s:
        found = _found(dir_, device, after)
        if found is not None:
            return found
        for event in listener.events():
            heard.append(event)
            if event["event"] in _HELPLESS:
                raise BoardError(f"the board will not send: {event.get('reason')}", _FIX)
        progress(waited_s)
        time.sleep(_LOOK_S)
    late = f"no reading of {device.name!r} within {limit_s:g} s"
    raise LateError(f"{late}: waiting for {_waits_for(dir_, heard)}", _advice(dir_))


_FIX = "see `tallystick device logs`; what is wrong with config.json, the same command corrects"


def _found(dir_: Path, device: StoredDevice, after: int) -> First | None:
    with looking_at(Directory(dir_).ledger) as view:
        page = view.select(Query(after=after - 1, kind=PACK, source=device.name))
    shown: list[dict[str, Any]] = [entry_json(entry) for entry in page.entries]
    for one in shown:
        if one.get("kid") != device.kid.hex():
            continue
        for reading in one.get("readings", []):
            return First(one["index"], one["profile"], reading)
    return None


def _waits_for(dir_: Path, heard: list[Event]) -> str:
    if hold.holder(dir_) is None:
        return "a gateway: none is running"
    said = {event["event"] for event in heard}
    if "kept" in said:
        return "the ledger to be written"
    reasons = [event.get("reason") for event in heard if event["event"] == "waiting"]
    if reasons:
        return f"the gateway to take it: {reasons[-1]}"
    if "started" in said:
        return "the board to reach the gateway"
    return "the board to start"


def _advice(dir_: Path) -> str:
    if hold.holder(dir_) is None:
        return f"start it: tallystick run {dir_}"
    return "see `tallystick device logs`: can the board reach --gateway, and is the Wi-Fi right?"
