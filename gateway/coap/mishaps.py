"""Mishaps: what nobody foresaw, in work that goes on all the same.

Whoever can send a datagram may be who made it happen. So it is counted each time, and told once
for each place and kind: a log that a stranger can fill is a fault of its own.
"""

import structlog

from gateway.metrics import Metrics

_log = structlog.get_logger("coap")


class Mishaps:
    """`where` is one of a few names, which are the metric's labels."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._told: set[tuple[str, type[Exception]]] = set()

    def note(self, where: str, error: Exception) -> None:
        self._metrics.coap.mishaps.labels(where).inc()
        if (where, type(error)) not in self._told:
            self._told.add((where, type(error)))
            _log.error("unexpected, and gone on", where=where, error=repr(error))
