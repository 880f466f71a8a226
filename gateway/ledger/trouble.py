"""Trouble: what to do when the store is full, or fails. Decides; touches nothing.

ok → full or failed → trying → ok. While it lasts nothing new is taken in; what is done about
it, and what is recorded of it, is a table and a few numbers.
"""

from typing import NamedTuple

from gateway.config import DiskConfig
from gateway.errors import GatewayError, StoreFailedError, StoreFullError
from protocol.fault import MAX_DETAIL, STORE_FAILED, STORE_FULL, Fault

# states
OK, FULL, FAILED, TRYING = "ok", "full", "failed", "trying"
# what happens, beside STORE_FULL and STORE_FAILED, which is what a write was told
TIGHT, ROOMY, DUE, KEPT = "tight", "roomy", "due", "kept"
# what to do
RELEASE, RESERVE, RECORD = "release", "reserve", "record"

# (state, what happened) -> (state, what to do, in order). What is not here changes nothing.
_TABLE: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {
    (OK, TIGHT): (FULL, (RECORD,)),
    (OK, STORE_FULL): (FULL, (RELEASE, RECORD)),  # the reserve is there to record this
    (OK, STORE_FAILED): (FAILED, ()),  # nothing can be recorded before it works again
    (OK, DUE): (OK, (RECORD,)),
    (FULL, ROOMY): (TRYING, (RESERVE, RECORD)),
    (FULL, DUE): (FULL, (RECORD,)),
    (FULL, STORE_FULL): (FULL, (RELEASE,)),
    (FULL, STORE_FAILED): (FAILED, ()),
    (FAILED, DUE): (TRYING, (RECORD,)),
    (FAILED, STORE_FULL): (FULL, (RELEASE, RECORD)),
    (TRYING, KEPT): (OK, ()),
    (TRYING, STORE_FULL): (FULL, (RELEASE,)),
    (TRYING, STORE_FAILED): (FAILED, ()),
}
_ERRORS = {FULL: StoreFullError, FAILED: StoreFailedError}
_PAIR_S = 60  # no two faults are recorded as begun within this
_MIN_HINT_S, _MAX_HINT_S = 5, 60
_MAX_BACKOFF_S = 8


class Room(NamedTuple):
    """Free on the file system; until the ledger's own limit, None without one."""

    free_bytes: int
    ledger_bytes: int | None
    reserved: bool  # whether the reserve is there


class _Episode(NamedTuple):
    what: str
    detail: str
    since_s: float
    begun: bool = False  # and that is recorded


class Trouble:
    """The owner is the writer's thread; anyone may read `state` and ask for a `refusal`.

    An episode ends when it is recorded as over. What begins again within a minute of one that
    was recorded is recorded later, in one with whatever came until then.
    """

    def __init__(self, config: DiskConfig) -> None:
        self._config = config
        self._episode: _Episode | None = None
        self._begun_s = float("-inf")  # when the last one was recorded
        self._again_s = float("-inf")  # nothing is written to a store in trouble before this
        self._backoff_s = 0
        self._refusal: tuple[str, str, float] | None = None  # state, detail, since
        self.state = OK

    def look(self, room: Room, now_s: float) -> str | None:
        """What the time, and the room there is, make happen."""
        if self.state == OK and (self._is_tight(room) or not room.reserved):
            return TIGHT
        if now_s < self._again_s:
            return None
        if self.state == FULL and not self.wanted_bytes(room):
            return ROOMY
        return DUE if self.state == FAILED or self.due(now_s, 0) else None

    def wanted_bytes(self, room: Room) -> int:
        """What has to be freed before anything is taken in again."""
        reserve = self._config.reserve_bytes
        own = reserve if room.ledger_bytes is None else room.ledger_bytes
        disk = self._config.hard_free_bytes + reserve
        return max(disk - room.free_bytes, reserve - own, 0)

    def happened(self, event: str, now_s: float, detail: str = "") -> tuple[str, ...]:
        """What is to be done about it now, in order."""
        before = self.state
        self.state, actions = _TABLE.get((before, event), (before, ()))
        if self.state in _ERRORS:
            self._refuse(now_s, detail)
        elif self.state == OK:
            self._refusal = None
        if event in (STORE_FULL, STORE_FAILED) and before != OK:
            self._backoff_s = min(2 * self._backoff_s or 1, _MAX_BACKOFF_S)
            self._again_s = now_s + self._backoff_s
        elif event == KEPT:
            self._backoff_s, self._again_s = 0, now_s
        return actions

    def due(self, now_s: float, refused: int) -> list[Fault]:
        """What is to be recorded in one transaction, if anything is; `refused` until now."""
        episode = self._episode
        if episode is None:
            return []
        faults = []
        if not episode.begun:
            if now_s < self._begun_s + _PAIR_S:
                return []
            faults.append(Fault(episode.what, episode.detail, None))
        if self.state in (TRYING, OK):
            detail = f"over after {now_s - episode.since_s:.0f} s"
            faults.append(Fault(episode.what, detail, refused))
        return faults

    def recorded(self, faults: list[Fault], now_s: float) -> None:
        """These are in the ledger, as `due` had them."""
        for fault in faults:
            if fault.refused is None:
                self._begun_s = now_s
            else:
                self._episode = None
        if self._episode is not None and faults:
            self._episode = self._episode._replace(begun=True)

    def refusal(self, now_s: float) -> GatewayError | None:
        """What a new submission is told: to come back after as long as this has lasted."""
        refusal = self._refusal
        if refusal is None:
            return None
        state, detail, since_s = refusal
        error = _ERRORS[state](detail)
        error.retry_after_s = int(min(max(now_s - since_s, _MIN_HINT_S), _MAX_HINT_S))
        return error

    def _is_tight(self, room: Room) -> bool:
        return room.free_bytes < self._config.hard_free_bytes

    def _refuse(self, now_s: float, detail: str) -> None:
        what = STORE_FULL if self.state == FULL else STORE_FAILED
        if self._episode is None:
            self._episode = _Episode(what, detail[:MAX_DETAIL], now_s)
        since_s = self._refusal[2] if self._refusal else now_s
        self._refusal = self.state, detail or self._episode.detail, since_s
