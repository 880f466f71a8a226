"""Boards that ask for themselves, through a bad network: blocks, resources, OSCORE, observing."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device import fetching
from protocol import coap, oscore
from protocol.oscore_parts import OSCORE
from tests.integration.commands import tallystick
from tests.integration.harness import Site, allow_tokens, device_folder, packs
from tests.interpreters import ROOT, environment, micropython, with_public_names
from tests.relay import Address, Relay

pytestmark = pytest.mark.integration

BAD = {"loss": 0.3, "duplicate": 0.2, "reorder": 0.1}
NAME = "shed"
LIMIT_S = 120
_ACK_TIMEOUT_MS = 40  # half of all requests are repeated: else they would wait most of the time
_SOME_S = 0.4  # long enough for a start and a few blocks
BODY = bytes(range(256)) * 80  # 20 KB


class Tap(Relay):
    """A relay that keeps what was sealed under each number of a device."""

    def __init__(self, upstream: Address, **how: Any) -> None:
        super().__init__(upstream, **how)
        self._behind = upstream
        self.sealed: dict[int, set[bytes]] = {}

    def _pass(self, out: Any, datagram: bytes, to: Address) -> None:
        if to == self._behind and len(datagram) > 4:
            message = coap.decode(datagram)
            option = message.option(OSCORE)
            if option is not None:
                iv = oscore.decode_option(option).partial_iv
                assert iv is not None
                number = int.from_bytes(iv, "big")
                self.sealed.setdefault(number, set()).add(message.payload)
        super()._pass(out, datagram, to)


class Board:
    """A board whose program is tests.integration.device_client, in a real MicroPython."""

    def __init__(self, site: Site, port: int, **config: object) -> None:
        self._compiled = with_public_names()
        self.folder = device_folder(site, NAME, port, ack_timeout_ms=_ACK_TIMEOUT_MS, **config)

    def start(self, *arguments: object) -> "subprocess.Popen[str]":
        program = [micropython(), "-X", "heapsize=256K", "-m", "tests.integration.device_client"]
        return subprocess.Popen(
            [*program, str(self.folder), *[str(argument) for argument in arguments]],
            env=environment(self.folder) | {"MICROPYPATH": f"{self._compiled}:{ROOT}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: object) -> list[dict[str, Any]]:
        """What it says until it ends, which it does well."""
        with self.start(*arguments) as process:
            try:
                said, _ = process.communicate(timeout=LIMIT_S)
            finally:
                process.kill()
        assert process.returncode == 0, said[-3000:]
        return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


class House:
    """A gateway, a bad network before it, and a board behind that."""

    def __init__(self, site: Site, **how: Any) -> None:
        self.site = site
        self.token = allow_tokens(site)["admin"]
        site.start_gateway()
        self.tap = Tap(("127.0.0.1", site.coap_port), **how)
        self.board = Board(site, self.tap.port)

    def put(self, path: str, content: Path | str) -> None:
        """As the owner types it."""
        token_file = self.board.folder / "admin.token"
        token_file.write_text(self.token)
        url = f"coap://127.0.0.1:{self.site.coap_port}/{path}"
        what = ["--file", content] if isinstance(content, Path) else [content]
        done = tallystick("put", url, *what, "--token-file", token_file)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def house(site: Site) -> Iterator[House]:
    house = House(site, seed=3, **BAD)
    with house.tap:
        yield house


def test_a_program_puts_appends_and_gets_and_hears_why_not(house: House) -> None:
    said = house.board.run("resources", house.board.folder)

    assert said[0] == {"got": "on and off"}
    assert [one["refused"] for one in said[1:3]] == ["4.04", "4.03"]


def test_a_long_resource_comes_whole_though_the_board_is_killed_again_and_again(
    house: House, tmp_path: Path
) -> None:
    (tmp_path / "body").write_bytes(BODY)
    house.put(f"home/{NAME}/long", tmp_path / "body")
    target = house.board.folder / "long"

    kills = 0
    while not target.exists() or target.stat().st_size < 3 * len(BODY) // 4:
        with house.board.start("fetch", f"home/{NAME}/long", target) as process:
            time.sleep(_SOME_S)
            process.kill()
        kills += 1
    (said, *_) = house.board.run("fetch", f"home/{NAME}/long", target)

    print(f"{kills} kills; went on at {said['started']}")
    assert said["started"] > 0
    assert kills > 1
    assert target.read_bytes() == BODY
    assert all(len(sealed) == 1 for sealed in house.tap.sealed.values())


def test_what_changes_meanwhile_is_never_mixed(house: House, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(BODY)
    (tmp_path / "other").write_bytes(BODY[::-1])
    house.put(f"home/{NAME}/long", tmp_path / "body")
    target = house.board.folder / "long"
    while not target.exists() or target.stat().st_size < 1024:
        with house.board.start("fetch", f"home/{NAME}/long", target) as process:
            time.sleep(_SOME_S)
            process.kill()
    house.put(f"home/{NAME}/long", tmp_path / "other")

    (said, *_) = house.board.run("fetch", f"home/{NAME}/long", target)

    assert said["codes"] == [fetching.CHANGED_MEANWHILE, coap.CONTENT]
    assert target.read_bytes() == BODY[::-1]


def test_packs_that_go_in_blocks_are_kept_once(house: House) -> None:
    said = house.board.run("packs", 5)

    assert {one["code"] for one in said[:5]} == {0x44}
    assert said[0]["size"] > 3 * 64
    held = packs(house.site.gateway_dir / "ledger.sqlite")
    assert held.keys() == {(NAME, 1, sequence) for sequence in range(5)}
    assert all(len(indexes) == 1 for indexes in held.values())


def test_a_board_is_told_again_who_it_is_when_the_gateway_starts_anew(house: House) -> None:
    with house.board.start("put_often", "count", 40) as process:
        for _ in range(3):
            time.sleep(_SOME_S)
            assert house.site.gateway is not None
            house.site.gateway.kill()
            house.site.start_gateway()
        said, _ = process.communicate(timeout=LIMIT_S)

    assert process.returncode == 0, said
    assert all(len(sealed) == 1 for sealed in house.tap.sealed.values())
    assert len(house.tap.sealed) > 40


def test_a_new_source_port_now_and_then_is_harmless(site: Site) -> None:
    house = House(site, seed=4, rebind_s=0.3, **BAD)
    with house.tap:
        house.board.run("put_often", "count", 8)

    assert house.tap.rebound > 1


def test_an_observer_is_told_of_each_new_state(house: House) -> None:
    path = f"home/{NAME}/light"
    house.put(path, "off")
    heard = []
    with house.board.start("observe", path, 4) as process:
        assert process.stdout is not None
        for state in ("on", "dim", "off again", ""):
            heard.append(json.loads(process.stdout.readline())["state"])
            if state:
                house.put(path, state)
        rest = process.stdout.read()

    assert heard == ["off", "on", "dim", "off again"], rest
    assert process.returncode == 0, rest
