"""CBOR: the values of RFC 8949 Appendix A that we speak, and what is not canonical."""

from typing import Any

from tests.protocol import oracles

VALUES: list[Any] = [
    0, 1, 10, 23, 24, 25, 100, 255, 256, 1000, 65535, 65536, 1000000, 4294967295, 4294967296,
    1000000000000, 18446744073709551615, -1, -10, -24, -25, -100, -256, -257, -1000,
    -18446744073709551616, False, True, None, "", "a", "IETF", '"\\', "\u00fc", "\u6c34",
    {"utf8": "f0908591"}, [], [1, 2, 3], [1, [2, 3], [4, 5]], list(range(1, 26)),
    {"bytes": ""}, {"bytes": "01020304"}, {"bytes": "00" * 24}, {"bytes": "ab" * 256},
    {"map": []}, {"map": [[1, 2], [3, 4]]}, {"map": [["a", 1], ["b", [2, 3]]]},
    ["a", {"map": [["b", "c"]]}],
    {"map": [["a", "A"], ["b", "B"], ["c", "C"], ["d", "D"], ["e", "E"]]},
    {"map": [[24, 0], [-1, 1], ["a", 2], ["", 3], [0, 4], ["aa", 5]]},
    {"decimal": [27315, -2]}, {"decimal": [-1, -1]}, {"decimal": [1, -18]},
    {"decimal": [9223372036854775807, -3]}, {"decimal": [-9223372036854775807, -3]},
    [{"map": [[2, {"decimal": [-5, -1]}]]}], [[[[1]]]], [[[[[]]]]],
]  # fmt: skip

MALFORMED = {
    "nothing": "",
    "head of one byte, cut": "18",
    "head of two bytes, cut": "1900",
    "head of four bytes, cut": "1a000000",
    "head of eight bytes, cut": "1b00000000000000",
    "byte string, cut": "43aabb",
    "text, cut": "6261",
    "array, cut": "8201",
    "map without its value": "a101",
    "byte after the value": "0000",
    "two values": "0102",
    "17 in a byte": "1817",
    "255 in two bytes": "1900ff",
    "65535 in four bytes": "1a0000ffff",
    "2**32-1 in eight bytes": "1b00000000ffffffff",
    "-24 in a byte": "3817",
    "length of a string in a byte": "580161",
    "length of a text in two bytes": "79000161",
    "length of an array in a byte": "980100",
    "length of a map in four bytes": "ba000000010000",
    "tag 4 in a byte": "d804822001",
    "reserved head 28": "1c",
    "reserved head 29 of a string": "5d",
    "reserved head 30 of a simple value": "fe",
    "indefinite byte string": "5f42010243030405ff",
    "indefinite text": "7f657374726561646d696e67ff",
    "indefinite array": "9f0102ff",
    "indefinite map": "bf6161019fff",
    "break alone": "ff",
    "keys in the wrong order": "a202000100",
    "keys by length first": "a22000181800",
    "text before integers": "a26161000000",
    "key twice": "a201000100",
    "text key twice": "a2616101616102",
    "array of 2**64-1 values": "9bffffffffffffffff",
    "map of 2**64-1 pairs": "bbffffffffffffffff",
    "string of 2**64-1 bytes": "5bffffffffffffffff",
    "text of 2**64-1 bytes": "7bffffffffffffffff",
    "array of 65536 values in seven bytes": "9a000100000000",
    "text that starts with a continuation": "6180",
    "text that ends in a letter": "62c3c3",
    "text with an overlong NUL": "62c080",
    "text with an overlong slash": "63e080af",
    "text with an overlong letter of four bytes": "64f08080af",
    "text with a surrogate": "63eda080",
    "text with a surrogate pair": "66eda081edb085",
    "text past the last letter": "64f4908080",
    "text with byte f8": "65f888808080",
    "decimal of a text": "c46161",
    "decimal of one part": "c48120",
    "decimal of three parts": "c483200101",
    "decimal with a text exponent": "c482613101",
    "decimal with a boolean mantissa": "c48220f5",
    "decimal with a boolean exponent": "c482f501",
    "decimal with a trailing zero": "c482210a",
    "decimal that is zero": "c4822000",
    "decimal with exponent zero": "c4820001",
    "decimal with a positive exponent": "c4820101",
    "decimal with exponent -19": "c4823201",
    "decimal with an endless exponent": "c4823bffffffffffffffff01",
}

UNSUPPORTED = {
    "float 0.0": "f90000",
    "float 1.5": "f93e00",
    "float 1.1": "fb3ff199999999999a",
    "float 100000.0": "fa47c35000",
    "infinity": "f97c00",
    "NaN": "f97e00",
    "NaN of eight bytes": "fb7ff8000000000000",
    "float in a record": "81a102f93e00",
    "simple value 32": "f820",
    "undefined": "f7",
    "simple value 0": "e0",
    "simple value 16": "f0",
    "tag 0, a date": "c074323031332d30332d32315432303a30343a30305a",
    "tag 1, a time": "c11a514b67b0",
    "tag 2, a big number": "c249010000000000000000",
    "tag 5, a big float": "c5822003",
    "decimal with a big number": "c48220c24101",
    "tag 17, a COSE_Mac0": "d18443a10105a04040",
    "tag 55799, self-described": "d9d9f700",
    "key that is a byte string": "a1410100",
    "key that is false": "a1f400",
    "key that is true": "a1f500",
    "key that is null": "a1f600",
    "key that is an array": "a18000",
    "key that is a decimal": "a1c482200100",
}

TOO_LARGE = {
    "six arrays": "818181818180",
    "six maps": "a100a100a100a100a100a0",
    "key six deep": "a1" * 6 + "00" * 6,
    "decimal in three arrays and no room": "818181c4822001",
    "a thousand arrays": "81" * 1000,
    "a hundred tags": "c4" * 100,
    "mantissa of 64 bits": "c482201b8000000000000001",
    "negative mantissa of 64 bits": "c482203b8000000000000000",
}


def cases() -> list[dict[str, Any]]:
    values = [
        {"name": _name(value), "value": value, "hex": oracles.cbor(oracles.plain(value)).hex()}
        for value in VALUES
    ]
    refused = {"malformed": MALFORMED, "unsupported": UNSUPPORTED, "too-large": TOO_LARGE}
    return values + [
        {"name": name, "hex": data, "error": reason}
        for reason, group in refused.items()
        for name, data in group.items()
    ]


def _name(value: Any) -> str:
    text = ascii(value)
    return text if len(text) < 60 else f"{text[:50]}... of {len(text)} characters"
