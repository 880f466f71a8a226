"""Retention: which bodies are next to be deleted, by age and by size. Decides; deletes nothing.

By age, entries go in the order of the ledger: the first one that is too young ends it, and
what is behind it waits. So a clock that went wrong for a while can only keep too much.
"""

from typing import NamedTuple

from gateway.config import RetentionConfig, RetentionRule
from gateway.ledger import pruning
from gateway.ledger.budget import Budget
from gateway.ledger.pruning import MAX_BYTES, MAX_ENTRIES, MIN_BYTES
from gateway.store import Reader, Selection
from protocol.prune import NEVER

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Situation(NamedTuple):
    """`now_ms` is None where no age may be judged; `forwarded` entries are with the upstream.

    `cap_bytes` is what the ledger may take because the disk itself is getting full.
    """

    now_ms: int | None
    size: int
    forwarded: int
    used_bytes: int
    cap_bytes: int | None = None
    step_bytes: int = MAX_BYTES  # of bodies, at most


class Turn(NamedTuple):
    """`step` is to be deleted now, if any. Unless `over`, ask again, and with a new view."""

    step: Selection | None
    over: bool


_OVER = Turn(None, over=True)


class Retention:
    """Remembers how far it has looked, so that asking again is cheap. The owner is one task.

    `stuck`: over the budget, and nothing is left that may be deleted.
    """

    def __init__(self, config: RetentionConfig, budget: Budget | None) -> None:
        everything = [RetentionRule(keep_days=config.keep_days)] if config.keep_days else []
        self._rules = [*everything, *config.rules]
        self._config = config
        self._budget = budget
        self._looked = [0] * len(self._rules)  # per rule: nothing is left before this
        self._oldest = 0  # no body that may be deleted is before this
        self._shrinking = False
        self._hour = -1
        self._again_by_age = self._again_by_size = NEVER  # what was passed over, and is no more
        self.stuck = False

    def look_again(self, index: int) -> None:
        """Some bodies from `index` on made up resources, and do no more."""
        self._again_by_age = min(self._again_by_age, index)
        self._again_by_size = min(self._again_by_size, index)

    def turn(self, reader: Reader, now: Situation) -> Turn:
        stop = now.size if self._config.prune_unforwarded else now.forwarded
        if now.now_ms is not None:
            self._go_back(now.now_ms // HOUR_MS)
            for place in range(len(self._rules)):
                turn = self._by_age(reader, place, stop, now)
                if not turn.over:
                    return turn
        return self._by_size(reader, stop, now)

    def _go_back(self, hour: int) -> None:
        """Once an hour: what is superseded every second must not make an entry every second."""
        if hour != self._hour:
            self._looked = [min(looked, self._again_by_age) for looked in self._looked]
            self._hour, self._again_by_age = hour, NEVER

    def _by_age(self, reader: Reader, place: int, stop: int, now: Situation) -> Turn:
        rule, start = self._rules[place], self._looked[place]
        kept_since_ms = (now.now_ms or 0) - rule.keep_days * DAY_MS
        kept_since_ms -= kept_since_ms % HOUR_MS  # an entry an hour says it, not one a minute
        young = reader.first_later(start, min(start + MAX_ENTRIES, stop), kept_since_ms)
        if young <= start:
            return _OVER
        aged = Selection(start, young, rule.kind, rule.source)
        step, self._looked[place] = _look(reader, aged, now.step_bytes)
        return Turn(step, over=False)

    def _by_size(self, reader: Reader, stop: int, now: Situation) -> Turn:
        if self._budget is None:  # then nothing is deleted for its size, not for the disk's either
            return _OVER
        enough = self._budget.target_bytes if self._shrinking else self._budget.soft_bytes
        self._shrinking = now.used_bytes > enough
        target = self._target(self._budget.target_bytes, now)
        if now.used_bytes > target:
            self._oldest = min(self._oldest, self._again_by_size)
            self._again_by_size = NEVER
        self.stuck = self._shrinking and self._oldest >= stop
        if now.used_bytes <= target or self._oldest >= stop:
            return _OVER
        excess = max(now.used_bytes - target, MIN_BYTES)
        oldest = Selection(self._oldest, stop)
        step, self._oldest = _look(reader, oldest, min(excess, now.step_bytes))
        return Turn(step, over=False)

    def _target(self, budget_bytes: int, now: Situation) -> int:
        """Somebody else may be filling the disk: that costs at most half of what we may keep."""
        target = budget_bytes if self._shrinking else now.used_bytes
        if now.cap_bytes is None:
            return target
        return min(target, max(now.cap_bytes, budget_bytes // 2))


def _look(reader: Reader, wanted: Selection, max_bytes: int) -> tuple[Selection | None, int]:
    """A step, and where to look next: past what holds nothing, but not past a step.

    A step may yet fail; once it is done, there is nothing left in its place.
    """
    look = pruning.look(reader, wanted, max_bytes)
    return look.step, look.step.start if look.step else look.next_start
