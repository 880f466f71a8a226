"""A whole device inside MicroPython, whose heap is looked at while it carries readings.

Run by test_budgets.py on compiled packages. The arguments are its folder, the number of readings,
what to look at, and at which kept envelopes: "growth FIRST EVERY" prints an event `heap` and
MicroPython's own count of names at every so many; "garbage FIRST LAST" prints what was taken of
the heap between two of them for each envelope, and for each coupon to sign with, which are made
before. It needs a heap that is never full.
"""

import gc
import json
import sys

import micropython

from device import main, start

_NEVER_MS = 600_000
_COUPONS = 8  # device.signer's, of which bytecode has the number only


class Watched:
    """Stands where the agent's events go out; hands them on."""

    def __init__(self, first, second):
        self._first = first
        self._second = second
        self._kept = 0
        self._report = start.report

    def report(self, event, **fields):
        self._report(event, **fields)
        if event == "kept":
            self._kept += 1
            self.look()


class Growth(Watched):
    def prepare(self):
        """Nothing: the device runs as it is."""

    def look(self):
        if self._kept >= self._first and self._kept % self._second == 0:
            gc.collect()
            print(json.dumps({"event": "heap", "kept": self._kept, "bytes": gc.mem_alloc()}))
            micropython.qstr_info()


class Garbage(Watched):
    def __init__(self, first, second):
        super().__init__(first, second)
        self._before = self._coupon = 0

    def look(self):
        if self._kept == self._first:
            self._before = collected()
        elif self._kept == self._second:
            taken = gc.mem_alloc() - self._before
            each = taken // (self._second - self._first)
            print(json.dumps({"event": "garbage", "envelope": each, "coupon": self._coupon}))
            gc.enable()

    def prepare(self):
        """All coupons there are, before the first envelope, and none while they are used up."""
        from device.signer import SigningIdentity

        make, step = SigningIdentity.__init__, SigningIdentity.step

        def made(identity, *arguments, **more):
            make(identity, *arguments, **more)
            before = collected()
            while identity.ready < _COUPONS:
                step(identity, True)
            self._coupon = (gc.mem_alloc() - before) // _COUPONS
            gc.enable()

        SigningIdentity.__init__ = made
        SigningIdentity.step = lambda identity, is_idle: _NEVER_MS


def collected():
    """The heap in use; from now on all that is taken of it adds to that."""
    gc.collect()
    gc.disable()
    return gc.mem_alloc()


if __name__ == "__main__":
    watch = {"growth": Growth, "garbage": Garbage}[sys.argv[3]](int(sys.argv[4]), int(sys.argv[5]))
    watch.prepare()
    start.report = watch.report
    main.main(sys.argv[1], int(sys.argv[2]))
