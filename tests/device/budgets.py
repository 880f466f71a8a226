"""What a device may take: the limits that its tests hold it to, beside the goals of the design.

A limit above its goal is a gap. Lower it when the device has become smaller.
"""

KIB = 1024

# Heaps in which a whole device carries what the test gives it.
LEAST_HEAP = {"mac": 88, "sig": 96}  # KiB
LEAST_SMALL_HEAP = {3: 48, 10: 48}  # KiB by readings in a pack
HEAP_GOAL, SMALL_HEAP_GOAL = 96, 48
# What it has in use when its parts are made.
HEAP_AT_START = {"mac": 72 * KIB, "sig": 78 * KIB, "small": 40 * KIB}
# What its modules take of the heap, and those beside them that ask: OSCORE, blocks, observations.
CODE_IN_RAM, CODE_IN_RAM_GOAL = 66 * KIB, 40 * KIB
ASKING_IN_RAM = 19 * KIB
UPDATING_IN_RAM = 57 * KIB  # without the agent's, and it needs more room to work in
# Bytecode of a device as `device add` makes it.
MPY = 36 * KIB
DRIVER = 2 * KIB
# Bytes of heap that a record takes on its way, until they are collected: by records in a pack.
# Most of it is the envelope's, so the goal is that of packs of ten.
GARBAGE = {("mac", 1): 10_000, ("mac", 10): 1440, ("sig", 1): 11_400, ("sig", 10): 1536}
GARBAGE_GOAL = 1536
# Of the least heap in use, from the first half of a run to the second, by envelopes. What is in use
# moves by 2 KB with what waits in the outbox; the least of many looks by 0.9 KB in a short run, and
# by less than 0.1 in a long one. A leak of 32 bytes an envelope, the least there is, would be 8 KB.
GROWTH = {600: 2 * KIB, 10_000: 512}
FIRST_DATAGRAM_S = 0.1
# Erases of flash blocks for each envelope, in the default mode.
ERASES = 0.15
ERASES_WHILE_ANSWERED = 0.01
ERASES_A_DAY = 1300  # of an outage alone, with no more than ten envelopes in 95 s

# A device as `device add` makes it, with its Wi-Fi; a file that another has in it has no bytes.
_AGENT = (
    *("__init__", "main", "choosing", "start", "config_file", "counter", "identity", "endpoint"),
    *("agent", "telling", "forgetting", "store", "failing", "sensors/__init__", "board/__init__"),
    *("board/cause", "board/wifi", "sensors/board_temperature"),
)
_PACKAGE = ("protocol/__init__.py", "protocol/limits.py")
_PORTS = ("device/board/esp32.py", "device/board/rp2.py")  # one of them
DRIVERS = "device/sensors/"  # a device loads those that its config.json names
# Loaded by drivers with pins, and where there are limits for what is read.
_WIRED = ("board/wiring", "band")
# Loaded where a configuration or a program on the board asks for it: OSCORE with its cipher and
# keys, blocks, observations, resources.
_ASKING = ("oscore", "sending", "fetching", "observing", "resources", "listening")
_PROTECTED = ("oscore_client", "oscore_parts", "oscore_keys", "pairing", "ccm")
# Loaded for a turn in which something was told, and forgotten after it.
_TOLD = ("news", "control", "settling", "commands", "standing", "remote", "between")
_SLEEPING = ("sleeping", "waking", "board/rest")
_SMALL = ("small", "main", "choosing", "forgetting", "__init__")
# Of these the first stays loaded, with p256; it has ecdsa and sign1 in it.
_SIGNING = ("signer", "signing", "enrol")
# What changes the files themselves: it runs alone, but for what tries a new release.
_UPDATING = ("slots", "slot_start", "slot_files", "update", "updating")


def _files(device: "tuple[str, ...]", protocol: "tuple[str, ...]" = ()) -> tuple[str, ...]:
    return (
        *(f"device/{name}.py" for name in device),
        *(f"protocol/{name}.py" for name in protocol),
    )


PARTS = {
    "to ask with: OSCORE, blocks, observations": (_files(_ASKING, _PROTECTED), 12 * KIB),
    "for a turn in which something was told": (_files(_TOLD, ("asking", "told")), 9 * KIB),
    "for pins, and limits of what is read": (_files(_WIRED), 1536),
    "to sleep with": (_files(_SLEEPING), 5 * KIB),
    "to sign with": (_files(_SIGNING, ("p256",)), 8 * KIB),
    "of that, what stays: p256, ecdsa, sign1": (_files(_SIGNING[:1], ("p256",)), 4 * KIB),
    "to update with": (_files(_UPDATING, ("manifest", "ecdsa_verify")), 12 * KIB),
    "the small profile, without a driver": (_files(_SMALL), 17 * KIB),
}
_COUNTED = {*_files(_AGENT), *_PACKAGE, *_PORTS, "device/board/unix.py", "device/board/small.py"}
_COUNTED |= {name for names, _ in PARTS.values() for name in names}


def on_a_board(sizes: dict[str, int]) -> int:
    """Bytes of .mpy of a device as `device add` makes it, of `sizes` by source file."""
    total = sum(sizes[name] for name in (*_files(_AGENT), *_PACKAGE) if name in sizes)
    return total + max(sizes[name] for name in _PORTS)


def uncounted(sizes: dict[str, int]) -> list[str]:
    """Files that are in none of the budgets."""
    return [name for name in sizes if name not in _COUNTED and not name.startswith(DRIVERS)]


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
