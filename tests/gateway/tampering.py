"""What somebody with the disk can change in a ledger file, and which entry that damages."""

from tests.gateway.ledger_files import Made

SAMPLES = (0, 1, 255, 256, 511, 512, 599)
WHERE = ("first", "middle", "last")
TEXT, NUMBER = ("kind", "source"), "received_ms"
TABLES = {"hash": ("nodes", "n"), "body": ("bodies", "idx"), "salt": ("bodies", "idx")}


def _flips():
    for index in SAMPLES:
        for column in ("body", "leaf", "chain", "salt", *TEXT):
            for position in WHERE:
                yield column, index, position, index
        yield NUMBER, index, "", index
    for n in (0, 1):
        for position in WHERE:
            # a subtree's hash is not one entry's: its first one stands for it
            yield "hash", n, position, n * 256


# (column, index, position, the entry that must be named)
FLIPS = list(_flips())


def flip(made: Made, column: str, index: int, position: str) -> None:
    """Changes one byte (of a time: one bit) of what is stored, and nothing else."""
    if column == NUMBER:
        made.execute("UPDATE entries SET received_ms = received_ms | 1 << 40 WHERE idx = ?", index)
        return
    table, key = TABLES.get(column, ("entries", "idx"))
    data = bytearray(made.value(f"SELECT {column} FROM {table} WHERE {key} = {index}"))  # noqa: S608  # our own names
    data[{"first": 0, "middle": len(data) // 2, "last": -1}[position]] ^= 0x81
    kept_as = "TEXT" if column in TEXT else "BLOB"
    made.execute(
        f"UPDATE {table} SET {column} = CAST(? AS {kept_as}) WHERE {key} = ?",  # noqa: S608  # our own names
        bytes(data),
        index,
    )


_SWAP = [
    f"UPDATE {table} SET idx = {new} WHERE idx = {old}"  # noqa: S608  # our own names
    for table in ("entries", "bodies")
    for old, new in ((40, -1), (41, 40), (-1, 41))
]
# name -> statements, the entry that must be named, a part of the reason
STRUCTURAL = {
    "deleted first": (["DELETE FROM entries WHERE idx = 0"], 0, "missing"),
    "deleted middle": (["DELETE FROM entries WHERE idx = 300"], 300, "missing"),
    "closed gap": (
        ["DELETE FROM entries WHERE idx = 599", "UPDATE entries SET idx = 599 WHERE idx = 598"],
        598,
        "missing",
    ),
    "swapped neighbours": (_SWAP, 40, "chain breaks"),
    "swapped bodies": (
        [
            "UPDATE bodies SET (salt, body) = (SELECT salt, body FROM bodies WHERE idx = 9)"
            " WHERE idx = 8"
        ],
        8,
        "the body is not the one in the leaf",
    ),
    "copied over": (
        [
            "UPDATE entries SET (leaf, source, kind, received_ms, chain) = (SELECT"
            " leaf, source, kind, received_ms, chain FROM entries WHERE idx = 21) WHERE idx = 20",
            "UPDATE bodies SET (salt, body) = (SELECT salt, body FROM bodies WHERE idx = 21)"
            " WHERE idx = 20",
        ],
        20,
        "chain breaks",
    ),
    "a body's first byte moved into the salt": (
        [
            "UPDATE bodies SET salt = CAST(salt || substr(body, 1, 1) AS BLOB),"
            " body = CAST(substr(body, 2) AS BLOB) WHERE idx = 8"
        ],
        8,
        "the body is not the one in the leaf",
    ),
    "cut tail": (["DELETE FROM entries WHERE idx >= 590"], 590, "missing"),
}
