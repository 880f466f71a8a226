"""What is put on a board, in which order, and what is left alone."""

import hashlib

from tools.board import layout

MODULES = {
    "device/agent.mpy": b"agent",
    "device/slot_start.mpy": b"start",
    "device/slots.mpy": b"slots",
    "protocol/cbor.mpy": b"cbor",
}


def held(files: dict[str, bytes]) -> dict[str, str]:
    """As `Board.tree` tells of a board with `files`."""
    found = {}
    for path, content in files.items():
        parts = path.split("/")
        found |= {"/".join(parts[:n]): "" for n in range(2, len(parts))}
        found[path] = hashlib.sha256(content).hexdigest()
    return found


def test_a_blank_board_gets_everything_the_start_last():
    wanted = layout.files(MODULES, b"table")

    plan = layout.plan(wanted, {})

    assert plan.remove == []
    assert plan.folders == ["/a", "/a/device", "/a/protocol"]
    assert plan.put == [
        "/a/device/agent.mpy",
        "/a/protocol/cbor.mpy",
        "/slots.mpy",
        "/slot_start.mpy",
        "/p256.tab",
        "/a/manifest",
        "/main.py",
    ]
    assert (wanted["/slots.mpy"], wanted["/slot_start.mpy"]) == (b"slots", b"start")


def test_a_board_that_does_not_sign_gets_no_table():
    assert "/p256.tab" not in layout.files(MODULES, b"")


def test_nothing_is_done_where_all_is_there():
    wanted = layout.files(MODULES, b"")

    assert layout.plan(wanted, held(wanted)).is_empty


def test_only_what_differs_is_put_and_the_start_goes_first_and_comes_last():
    wanted = layout.files(MODULES, b"")
    on_board = held(wanted | {"/a/device/agent.mpy": b"older"})

    plan = layout.plan(wanted, on_board)

    assert plan.remove == ["/main.py", "/a/manifest"]
    assert plan.folders == []
    assert plan.put == ["/a/device/agent.mpy", "/a/manifest", "/main.py"]


def test_what_does_not_belong_there_goes_a_folder_after_what_is_in_it():
    wanted = layout.files(MODULES, b"")
    on_board = held(wanted | {"/a/old/deep/one.mpy": b"", "/a/old/two.mpy": b""})

    plan = layout.plan(wanted, on_board)

    assert plan.remove == [
        "/main.py",
        "/a/manifest",
        "/a/old/deep/one.mpy",
        "/a/old/deep",
        "/a/old/two.mpy",
        "/a/old",
    ]


def test_half_a_first_run_is_completed():
    wanted = layout.files(MODULES, b"")
    on_board = held({"/a/device/agent.mpy": b"agent"})

    plan = layout.plan(wanted, on_board)

    assert plan.remove == []
    assert plan.folders == ["/a/protocol"]
    assert plan.put == [
        "/a/protocol/cbor.mpy",
        "/slots.mpy",
        "/slot_start.mpy",
        "/a/manifest",
        "/main.py",
    ]
