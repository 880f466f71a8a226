"""SenML packs: RFC 8428's resolution of names, units and times, in our subset."""

from decimal import Decimal
from typing import Any

from tests.protocol import oracles

BN, BT, BU, N, U, V, VS, VB, T, VD = -2, -3, -4, 0, 1, 2, 3, 4, 6, 8
NOW = 1276020076
NOW_MS = NOW * 1000
HIGH = 1 << 63


def cases() -> list[dict[str, Any]]:
    return [*_canonical(), *_resolved(), *_refused()]


def _case(name: str, records: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "hex": oracles.cbor(records).hex(), **more}


def _canonical() -> list[dict[str, Any]]:
    """Packs as our encoder writes them: (name, base name, records, readings)."""
    d = Decimal
    samples: list[tuple[str, str, Any, Any]] = [
        ("RFC 8428 §5.1.1, one value", "urn:dev:ow:10e2073a01080063",
         [{BN: "urn:dev:ow:10e2073a01080063", N: "", U: "Cel", V: d("23.1")}],
         [["urn:dev:ow:10e2073a01080063", "Cel", {"decimal": [231, -1]}, 0]]),
        ("two values at one time", "urn:dev:",
         [{BN: "urn:dev:", BT: NOW, N: "voltage", U: "V", V: d("120.1")},
          {N: "current", U: "A", V: d("1.2")}],
         [["urn:dev:voltage", "V", {"decimal": [1201, -1]}, NOW_MS],
          ["urn:dev:current", "A", {"decimal": [12, -1]}, NOW_MS]]),
        ("seconds and thirds of them", "a/",
         [{BN: "a/", BT: d("1276020076.001"), N: "b", V: -5}, {N: "c", V: 5, T: d("0.25")},
          {N: "d", V: 0, T: -2}],
         [["a/b", "", -5, NOW_MS + 1], ["a/c", "", 5, NOW_MS + 251],
          ["a/d", "", 0, NOW_MS - 1999]]),
        ("times relative to now", "r",
         [{BN: "r", N: "1", V: 1}, {N: "2", V: 2, T: d("-0.5")}, {N: "3", V: 3, T: -60}],
         [["r1", "", 1, 0], ["r2", "", 2, -500], ["r3", "", 3, -60000]]),
        ("a relative time beside an absolute one", "m",
         [{BN: "m", BT: NOW, N: "1", V: 1}, {N: "2", V: 2, T: -NOW - 3}],
         [["m1", "", 1, NOW_MS], ["m2", "", 2, -3000]]),
        ("every kind of value", "k",
         [{BN: "k", N: "b", VB: True}, {N: "f", VB: False}, {N: "s", VS: "\u00b5m"},
          {N: "e", VS: ""}, {N: "d", VD: b"\x00\xff"}, {N: "i", V: -(HIGH - 1)}],
         [["kb", "", True, 0], ["kf", "", False, 0], ["ks", "", "\u00b5m", 0], ["ke", "", "", 0],
          ["kd", "", {"bytes": "00ff"}, 0], ["ki", "", -(HIGH - 1), 0]]),
        ("the smallest absolute time", "x", [{BN: "x", BT: 1 << 28, N: "", V: 1}],
         [["x", "", 1, (1 << 28) * 1000]]),
        ("the largest relative time", "x", [{BN: "x", N: "", V: 1, T: d("268435455.999")}],
         [["x", "", 1, (1 << 28) * 1000 - 1]]),
        ("all letters a name may have", "A0z-:./_", [{BN: "A0z-:./_", N: "9", V: 1}],
         [["A0z-:./_9", "", 1, 0]]),
        ("a name of 64 letters", "n" * 32, [{BN: "n" * 32, N: "m" * 32, V: 1}],
         [["n" * 32 + "m" * 32, "", 1, 0]]),
        ("128 records", "b", [{BN: "b", N: "", V: 1}] + [{N: "", V: 1}] * 127,
         [["b", "", 1, 0]] * 128),
    ]  # fmt: skip
    return [
        _case(name, records, base_name=base, readings=readings)
        for name, base, records, readings in samples
    ]


def _resolved() -> list[dict[str, Any]]:
    """Packs others may write: read, though our encoder has another spelling for them."""
    d = Decimal
    samples: list[tuple[str, Any, Any]] = [
        ("a base unit, and one over it", [{BU: "W", N: "a", V: 1}, {N: "b", V: 2, U: "A"},
         {N: "c", V: 3}], [["a", "W", 1, 0], ["b", "A", 2, 0], ["c", "W", 3, 0]]),
        ("no base name", [{N: "a", V: 1}], [["a", "", 1, 0]]),
        ("a base name alone", [{BN: "a", V: 1}, {V: 2}], [["a", "", 1, 0], ["a", "", 2, 0]]),
        ("a base name that changes", [{BN: "a", V: 1}, {BN: "b", N: "c", V: 2}],
         [["a", "", 1, 0], ["bc", "", 2, 0]]),
        ("a base time that changes", [{BN: "a", BT: NOW, V: 1}, {BT: NOW + 1, T: 1, V: 2}],
         [["a", "", 1, NOW_MS], ["a", "", 2, NOW_MS + 2000]]),
        ("tenths and millionths of a second", [{N: "a", V: 1, T: d("0.1")},
         {N: "a", V: 1, T: d("0.001999")}, {N: "a", V: 1, T: d("-0.000001")}],
         [["a", "", 1, 100], ["a", "", 1, 1], ["a", "", 1, -1]]),
        ("the largest time", [{N: "a", V: 1, T: d("9223372036854775.807")}],
         [["a", "", 1, HIGH - 1]]),
    ]  # fmt: skip
    return [_case(name, records, readings=readings) for name, records, readings in samples]


def _refused() -> list[dict[str, Any]]:
    nan = bytes.fromhex("81a200616102f97e00")
    wrong: list[tuple[str, str, Any]] = [
        ("malformed", "no record", []),
        ("malformed", "a record alone", {N: "a", V: 1}),
        ("malformed", "a number", 1),
        ("malformed", "a record that is an array", [[N, "a"]]),
        ("malformed", "a record in a record", [{N: "a", V: {N: "b", V: 1}}]),
        ("malformed", "a value that is an array", [{N: "a", V: [1]}]),
        ("malformed", "no value", [{N: "a"}]),
        ("malformed", "the second without a value", [{BN: "a", V: 1}, {N: "b"}]),
        ("malformed", "two values", [{N: "a", V: 1, VB: True}]),
        ("malformed", "a text where a number belongs", [{N: "a", V: "1"}]),
        ("malformed", "a boolean where a number belongs", [{N: "a", V: True}]),
        ("malformed", "null where a number belongs", [{N: "a", V: None}]),
        ("malformed", "bytes where a number belongs", [{N: "a", V: b"1"}]),
        ("malformed", "a number where a text belongs", [{N: "a", VS: 1}]),
        ("malformed", "a number where a boolean belongs", [{N: "a", VB: 1}]),
        ("malformed", "a text where bytes belong", [{N: "a", VD: "AA"}]),
        ("malformed", "a text where a time belongs", [{N: "a", V: 1, T: "0"}]),
        ("malformed", "a boolean where a time belongs", [{N: "a", V: 1, T: False}]),
        ("malformed", "a text where a base time belongs", [{N: "a", V: 1, BT: "0"}]),
        ("malformed", "a number where a name belongs", [{N: 1, V: 1}]),
        ("malformed", "a number where a base name belongs", [{BN: 1, N: "a", V: 1}]),
        ("malformed", "a number where a unit belongs", [{N: "a", U: 1, V: 1}]),
        ("malformed", "a number for a base unit nobody uses", [{BU: 1, N: "a", U: "W", V: 1}]),
        ("malformed", "no name at all", [{V: 1}]),
        ("malformed", "a name that starts with a dot", [{N: ".a", V: 1}]),
        ("malformed", "a name with a space", [{N: "a b", V: 1}]),
        ("malformed", "a name with a letter of no alphabet of ours", [{N: "\u00e4", V: 1}]),
        ("malformed", "a name with a line end", [{N: "a\n", V: 1}]),
        ("malformed", "a name that starts with an underscore", [{N: "_a", V: 1}]),
        ("malformed", "a name with a wide digit", [{N: "a\uff11", V: 1}]),
        ("malformed", "both halves 64 letters", [{BN: "a" * 64, N: "b" * 64, V: 1}]),
        ("too-large", "a name of 65 letters", [{N: "a" * 65, V: 1}]),
        ("too-large", "a unit of 65 letters", [{N: "a", U: "u" * 65, V: 1}]),
        ("too-large", "129 records", [{N: "a", V: 1}] * 129),
        ("too-large", "a time over 63 bits", [{N: "a", V: 1, T: HIGH}]),
        ("too-large", "two times over 63 bits together",
         [{N: "a", V: 1, BT: HIGH // 1000, T: HIGH // 1000}]),
        ("too-large", "a time under 63 bits", [{N: "a", V: 1, T: -HIGH}]),
        ("too-large", "a value over 63 bits", [{N: "a", V: HIGH}]),
        ("too-large", "a value under 63 bits", [{N: "a", V: -HIGH}]),
        ("unsupported", "a sum", [{N: "a", 5: 1}]),
        ("unsupported", "an update time", [{N: "a", V: 1, 7: 1}]),
        ("unsupported", "a base version", [{-1: 10, N: "a", V: 1}]),
        ("unsupported", "a base value", [{-5: 1, N: "a", V: 1}]),
        ("unsupported", "a label one must understand", [{N: "a", V: 1, "x_": 1}]),
        ("unsupported", "labels as JSON has them", [{"n": "a", "v": 1}]),
    ]  # fmt: skip
    cases = [_case(name, records, error=reason) for reason, name, records in wrong]
    cases.append({"name": "NaN", "hex": nan.hex(), "error": "unsupported"})
    cases.append({"name": "nothing", "hex": "", "error": "malformed"})
    return cases
