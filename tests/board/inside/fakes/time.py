"""`time` as boards have it: whole seconds since a clock that nobody has set; no floats of time.

A float of 32 bits cannot hold a moment, so none is given, and none is taken.
"""

from utime import *
from utime import ticks_add, ticks_diff, ticks_ms

_UNSET_S = 1_609_459_200  # 2021-01-01, where the RP2040 starts
_started = ticks_ms()
_real_ticks_ms = ticks_ms
_skipped_ms = 0


def skip_ms(duration_ms):
    """A sleep that nobody has to wait for."""
    global _skipped_ms
    _skipped_ms += duration_ms


def ticks_ms():
    return ticks_add(_real_ticks_ms(), _skipped_ms)


def time():
    return _UNSET_S + ticks_diff(ticks_ms(), _started) // 1000


def time_ns():
    return time() * 1_000_000_000
