"""Placing: packs of a device without a clock, and a later one of the same epoch with one."""

from decimal import Decimal
from typing import Any

from tests.protocol import oracles

BN, BT, N, U, V, VS, T = -2, -3, 0, 1, 2, 3, 6
D = Decimal
DEVICE = "greenhouse-1"
BASE = f"{DEVICE}/"
# 2026-01-01T00:00:00Z is 1767225600; the device started 610.25 s before
KNOWN = [
    {BN: BASE, BT: D("1767225599.5"), N: "temperature", U: "Cel", V: D("21.5")},
    {N: "uptime", U: "s", V: D("610.25"), T: D("0.5")},
]
START_MS = 1767225600_000 - 610_250
PACK = [
    {BN: BASE, N: "temperature", U: "Cel", V: D("20.5"), T: D("-1.5")},
    {N: "uptime", U: "s", V: D("10.125")},
]


def cases() -> list[dict[str, Any]]:
    """(name, the pack with a clock, the one without, when the device started, its times)."""
    samples: list[tuple[str, Any, Any, int | None, list[int] | None]] = [
        ("the example of wire-format 3.2", KNOWN, PACK, START_MS,
         [START_MS + 10_125 - 1500, START_MS + 10_125]),
        ("the pack that has both places itself", KNOWN, KNOWN, START_MS,
         [1767225599_500, 1767225600_000]),
        ("whole seconds, and some that are finer than ms", KNOWN,
         [{BN: BASE, N: "uptime", U: "s", V: 7}, {N: "uptime", U: "s", V: D("9.9999")}],
         START_MS, [START_MS + 7000, START_MS + 7000]),
        ("an uptime alone", KNOWN, [{BN: BASE, N: "uptime", U: "s", V: D("0.001")}], START_MS,
         [START_MS + 1]),
        ("a pack from before there were uptimes", KNOWN, PACK[:1], START_MS, None),
        ("an uptime that is none", KNOWN, [{BN: BASE, N: "uptime", U: "s", VS: "long"}], START_MS,
         None),
        ("an uptime of another unit", KNOWN, [{BN: BASE, N: "uptime", U: "min", V: 3}], START_MS,
         None),
        ("a sensor's uptime", KNOWN, [{BN: BASE, N: "pump/uptime", U: "s", V: 3}], START_MS, None),
        ("a later one with a clock and without an uptime", KNOWN[:1], PACK, None, None),
        ("a later one without a clock", PACK, PACK, None, None),
    ]  # fmt: skip
    return [
        {
            "name": name,
            "device": DEVICE,
            "known": oracles.cbor(known).hex(),
            "pack": oracles.cbor(pack).hex(),
            "start_ms": start_ms,
            "times_ms": times_ms,
        }
        for name, known, pack, start_ms, times_ms in samples
    ]
