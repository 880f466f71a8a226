"""Every file a board may get compiles for it, and all of them stay small."""

from tests.interpreters import compiled_sizes

# Types and the other interpreter's board never go to one.
NOT_ON_BOARDS = ("device/shapes.py", "device/board/cpython.py", "device/board/unix.py")
# The small profile is one file, made of what it needs of the others.
SMALL = ("device/small.py", "device/board/small.py")
MAX_SMALL_BYTES = 16 * 1024
MAX_MPY_BYTES = 41 * 1024
DRIVERS = "device/sensors/"  # a device loads those that its config.json names
MAX_DRIVER_BYTES = 2048
# Loaded by devices that sleep between samples.
SLEEPING = ("device/sleeping.py", "device/waking.py", "device/board/rest.py")
MAX_SLEEPING_BYTES = 5 * 1024
# What changes the files themselves: it runs alone, and the agent never loads it.
UPDATING = ("slots", "slot_files", "update")
MAX_UPDATING_BYTES = 12 * 1024
# Loaded where a configuration or a program on the board asks for it: OSCORE with its cipher and
# keys, blocks, observations, resources.
ASKING = (
    *(f"device/{name}.py" for name in ("oscore", "sending", "fetching", "observing", "resources")),
    "device/listening.py",
    *(f"protocol/{name}.py" for name in ("oscore_client", "oscore_parts", "oscore_keys")),
    *(f"protocol/{name}.py" for name in ("pairing", "ccm")),
)
MAX_ASKING_BYTES = 12 * 1024
# Loaded for a turn in which something was told, and forgotten after it.
TOLD = (
    *(f"device/{name}.py" for name in ("news", "control", "settling", "commands", "standing")),
    *("device/remote.py", "device/between.py", "protocol/asking.py", "protocol/told.py"),
)
MAX_TOLD_BYTES = 9 * 1024
# What a device of the profile `sig` has beyond that.
CRYPTO = tuple(f"protocol/{name}.py" for name in ("p256", "ecdsa", "sign1"))
MAX_CRYPTO_BYTES = 4096
SIGNING = (
    *(f"device/{name}.py" for name in ("signer", "signing", "table", "table_file", "keys")),
    "device/enrol.py",
    "protocol/keypair.py",
)
MAX_SIGNING_BYTES = 8192


def test_every_file_compiles_for_a_board_and_the_device_fits_its_budget():
    sizes = compiled_sizes()

    updating = [f"device/{name}.py" for name in UPDATING]
    optional = (*updating, *ASKING, *TOLD, *SIGNING, *SLEEPING, *SMALL)
    device = {
        name: size
        for name, size in sizes.items()
        if name.startswith("device/") and name not in optional
    }
    needed = ("errors", "limits", "cbor", "mac", "cose", "envelope", "senml", "coap")
    protocol = [sizes[f"protocol/{name}.py"] for name in (*needed, "exchange", "receipt_reader")]
    drivers = [device.pop(name) for name in list(device) if name.startswith(DRIVERS)]
    flashed = sum(protocol) + sum(device[name] for name in device if name not in NOT_ON_BOARDS)
    flashed -= min(sizes["device/board/esp32.py"], sizes["device/board/rp2.py"])  # one of them
    print(f"{sum(sizes.values())} bytes of .mpy in all, {flashed} on a board")
    assert flashed + max(drivers) <= MAX_MPY_BYTES
    assert max(drivers) <= MAX_DRIVER_BYTES
    assert sum(sizes[name] for name in TOLD) <= MAX_TOLD_BYTES


def test_the_same_files_do_for_every_processor(compiled):
    """Bytecode only, and whole numbers of 31 bits (MicroPython's docs, "MPY files")."""
    heads = {one.name: one.read_bytes()[:4] for one in compiled.rglob("*.mpy")}
    native = [name for name, (_, _, flags, _) in heads.items() if flags >> 2]
    assert len(heads) > 40
    assert native == []
    assert {(head[0], head[1], head[3]) for head in heads.values()} == {(ord("M"), 6, 31)}


def test_what_updates_a_board_fits_a_budget_of_its_own():
    sizes = compiled_sizes()

    protocol = [f"protocol/{name}.py" for name in ("manifest", "ecdsa_verify")]
    flashed = sum(sizes[name] for name in [*protocol, *(f"device/{one}.py" for one in UPDATING)])
    print(f"{flashed} bytes of .mpy for updates")
    assert flashed <= MAX_UPDATING_BYTES


def test_what_sleeps_fits_a_budget_of_its_own():
    sizes = compiled_sizes()

    flashed = sum(sizes[name] for name in SLEEPING)
    print(f"{flashed} bytes of .mpy to sleep with")
    assert flashed <= MAX_SLEEPING_BYTES


def test_what_a_board_asks_with_fits_a_budget_of_its_own():
    sizes = compiled_sizes()

    flashed = sum(sizes[name] for name in ASKING)
    print(f"{flashed} bytes of .mpy to ask with")
    assert flashed <= MAX_ASKING_BYTES


def test_what_signs_fits_a_budget_of_its_own():
    sizes = compiled_sizes()

    crypto = sum(sizes[name] for name in CRYPTO)
    flashed = crypto + sum(sizes[name] for name in SIGNING)
    print(f"{flashed} bytes of .mpy to sign with, {crypto} of them p256, ecdsa and sign1")
    assert crypto <= MAX_CRYPTO_BYTES
    assert flashed <= MAX_SIGNING_BYTES


def test_the_small_profile_is_one_small_file():
    sizes = compiled_sizes()

    flashed = sizes["device/small.py"] + sizes["device/main.py"] + sizes["device/__init__.py"]
    print(f"{flashed} bytes of .mpy for the small profile, without a driver")
    assert flashed <= MAX_SMALL_BYTES
