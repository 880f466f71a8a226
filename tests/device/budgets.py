"""What a device may take: the limits that its tests hold it to, beside the goals of the design.

A limit above its goal is a gap. Lower it when the device has become smaller.
"""

KIB = 1024

# Heaps in which a whole device carries what the test gives it.
LEAST_HEAP = {"mac": 96, "sig": 110}  # KiB; the goal is 96
LEAST_SMALL_HEAP = {3: 50, 10: 52}  # KiB by readings in a pack; the goal is 48
HEAP_GOAL, SMALL_HEAP_GOAL = 96, 48
# What it has in use when its parts are made.
HEAP_AT_START = {"mac": 80 * KIB, "sig": 90 * KIB, "small": 46 * KIB}
# What its modules take of the heap, and those beside them that ask: OSCORE, blocks, observations.
CODE_IN_RAM, CODE_IN_RAM_GOAL = 76 * KIB, 40 * KIB
ASKING_IN_RAM = 19 * KIB
# Bytecode that every board gets, with the largest driver.
MPY, MPY_GOAL = 42 * KIB, 36 * KIB
DRIVER = 2 * KIB
# Bytes of heap that an envelope takes on its way, until they are collected.
GARBAGE = {"mac": 13 * KIB, "sig": 15 * KIB}
GARBAGE_GOAL = 1536
# Of the least heap in use, from the first half of a run to the second, by envelopes. What is in use
# moves by 2 KB with what waits in the outbox; the least of many looks by 0.9 KB in a short run, and
# by less than 0.1 in a long one. A leak of 32 bytes an envelope, the least there is, would be 8 KB.
GROWTH = {600: 2 * KIB, 10_000: 512}
FIRST_DATAGRAM_S = 0.1
# Erases of flash blocks for each envelope, in the default mode.
ERASES = 0.15
ERASES_WHILE_ANSWERED = 0.01
ERASES_A_DAY = 1300  # however often it measures, if no more than eight times in 75 s

# Loaded where a configuration or a program on the board asks for it: bytes of .mpy.
_ASKING = (
    *(f"device/{name}.py" for name in ("oscore", "sending", "fetching", "observing", "resources")),
    "device/listening.py",
    *(f"protocol/{name}.py" for name in ("oscore_client", "oscore_parts", "oscore_keys")),
    *(f"protocol/{name}.py" for name in ("pairing", "ccm")),
)
_TOLD = (
    *(f"device/{name}.py" for name in ("news", "control", "settling", "commands", "standing")),
    *("device/remote.py", "device/between.py", "protocol/asking.py", "protocol/told.py"),
)
_SLEEPING = ("device/sleeping.py", "device/waking.py", "device/board/rest.py")
# The small profile is one file, made of what it needs of the others.
_SMALL = ("device/small.py", "device/main.py", "device/__init__.py")
_CRYPTO = tuple(f"protocol/{name}.py" for name in ("p256", "ecdsa", "sign1"))
_SIGNING = (
    *(f"device/{name}.py" for name in ("signer", "signing", "table", "table_file", "keys")),
    "device/enrol.py",
    "protocol/keypair.py",
)
# What changes the files themselves: it runs alone, and the agent never loads it.
_UPDATING = tuple(f"device/{name}.py" for name in ("slots", "slot_start", "slot_files", "update"))
_VERIFYING = ("protocol/manifest.py", "protocol/ecdsa_verify.py")
PARTS = {
    "to ask with: OSCORE, blocks, observations": (_ASKING, 12 * KIB),
    "for a turn in which something was told": (_TOLD, 9 * KIB),
    "to sleep with": (_SLEEPING, 5 * KIB),
    "to sign with": (_CRYPTO + _SIGNING, 8 * KIB),
    "of that, p256, ecdsa and sign1": (_CRYPTO, 4 * KIB),
    "to update with": (_UPDATING + _VERIFYING, 12 * KIB),
    "the small profile, without a driver": (_SMALL, 16 * KIB),
}

# Types and the other interpreter's board never go to one, and of two ports' modules only one.
_NOT_ON_BOARDS = ("device/shapes.py", "device/board/cpython.py", "device/board/unix.py")
_PORTS = ("device/board/esp32.py", "device/board/rp2.py")
_ALWAYS = ("errors", "limits", "cbor", "mac", "cose", "envelope", "senml", "coap")
_NEEDED = tuple(f"protocol/{name}.py" for name in (*_ALWAYS, "exchange", "receipt_reader"))
_OPTIONAL = (*_ASKING, *_TOLD, *_SLEEPING, *_SIGNING, *_UPDATING, "device/small.py")
_OFF = (*_OPTIONAL, *_NOT_ON_BOARDS, "device/board/small.py")
DRIVERS = "device/sensors/"  # a device loads those that its config.json names


def on_a_board(sizes: dict[str, int]) -> int:
    """Bytes of .mpy that every board gets, without a driver, of `sizes` by source file."""
    device = [name for name in sizes if name.startswith("device/") and name not in _OFF]
    total = sum(sizes[name] for name in [*_NEEDED, *device] if not name.startswith(DRIVERS))
    return total - min(sizes[name] for name in _PORTS)


class Table:
    """Rows of what was measured; printed as one, and each held to its limit at once."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, ...]] = []

    def hold(self, what: str, measured: float, *, limit: float, goal: float = 0) -> None:
        """`goal` is that of the design, where it has one."""
        self._add(what, goal, limit, measured)
        assert measured <= limit, f"{what}: {measured}, over {limit}"

    def tell(self, what: str, measured: float, *, goal: float = 0) -> None:
        """What depends on the machine, or is held by the test itself."""
        self._add(what, goal, 0, measured)

    def text(self) -> str:
        rows = [("what", "goal", "limit", "measured", ""), *self._rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join(["", *lines])

    def _add(self, what: str, goal: float, limit: float, measured: float) -> None:
        bounds = [f"{one:,.6g}" if one else "" for one in (goal, limit)]
        gap = "over its goal" if goal and measured > goal else ""
        self._rows.append((what, *bounds, f"{measured:,.6g}", gap))
