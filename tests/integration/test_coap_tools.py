"""`tallystick get|put|post|delete|observe` and libcoap's client on resources of a gateway."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol import coap
from protocol.coap import ACK, CON, RST, Message
from tests.integration import coap_clients
from tests.integration.coap_clients import Ask, ask
from tests.integration.commands import tallystick
from tests.integration.harness import Site, allow_tokens, listen_on_both
from tests.interpreters import ROOT

pytestmark = pytest.mark.integration

BODY = bytes(range(256)) * 100
PUT = 3
OBSERVE, BLOCK2, TOKEN = 6, 23, 65001
_LIMIT_S = 20


class House:
    """A gateway that takes tokens in plain text, and one of them in a file."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder)
        listen_on_both(self.site)
        self.token = allow_tokens(self.site)["admin"]
        self.token_file = folder / "house.token"
        self.token_file.write_text(self.token + "\n")
        self.site.start_gateway()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"coap://{host}:{self.site.coap_port}/{path}"

    def type(self, command: str, path: str, *more: object) -> "subprocess.CompletedProcess[str]":
        return tallystick(command, self.url(path), "--token-file", self.token_file, *more)

    def observe(self, path: str, *more: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "tools", "observe", self.url(path), *more]
        return subprocess.Popen(
            [*command, "--token-file", str(self.token_file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("house"))
    try:
        yield house
    finally:
        house.site.stop()
    assert [verdict for verdict in house.site.verdicts() if not verdict.valid] == []
    assert "Traceback" not in house.site.gateway_log()


def test_a_resource_is_put_got_appended_to_and_deleted_by_what_is_typed(house, tmp_path):
    put = house.type("put", "home/light", "on", "--content-format", "text")
    got = house.type("get", "home/light")
    posted = house.type("post", "home/light", ", off")
    shown = json.loads(house.type("get", "home/light", "--json").stdout)
    deleted = house.type("delete", "home/light", "--if-match", shown["etag"])
    gone = house.type("get", "home/light")

    assert [run.returncode for run in (put, got, posted, deleted, gone)] == [0, 0, 0, 0, 1]
    assert got.stdout == "on"
    assert (shown["text"], shown["content_format"]) == ("on, off", 0)
    assert gone.stderr.startswith("tallystick: 4.04")
    assert "\n  fix: " in gone.stderr


def test_a_large_file_goes_there_and_back_in_blocks_over_both_families(house, tmp_path):
    (tmp_path / "there").write_bytes(BODY)
    put = house.type("put", "home/large", "--file", tmp_path / "there", "--block-size", "256")

    back = tmp_path / "back"
    for host in ("127.0.0.1", "[::1]"):
        url = house.url("home/large", host)
        got = tallystick("get", url, "--token-file", house.token_file, "--output", back)

        assert (put.returncode, got.returncode, got.stdout) == (0, 0, "")
        assert back.read_bytes() == BODY


def test_what_is_wrong_is_said_with_its_exit_code_and_a_fix(house):
    runs = {
        "nobody": (tallystick("put", house.url("home/a"), "x"), 1, "4.01"),
        "exists": (house.type("put", "home/a", "x", "--if-match", "*"), 1, "4.12"),
        "nobody there": (tallystick("get", "coap://127.0.0.1:1/a", "--timeout", "2"), 1, "nobody"),
        "no address": (tallystick("get", "http://127.0.0.1/a"), 2, "no address"),
        "two contents": (house.type("put", "home/a"), 2, "one content"),
        "no format": (house.type("put", "home/a", "x", "--content-format", "?"), 2, "no Content"),
    }

    for name, (run, code, said) in runs.items():
        assert (run.returncode, said in run.stderr) == (code, True), f"{name}: {run.stderr}"
        assert "fix: " in run.stderr, name
        assert house.token not in run.stderr + run.stdout


def test_observe_prints_each_state_and_says_good_bye(house):
    house.type("put", "home/light", "0")
    process = house.observe("home/light", "--json", "--count", "4")
    assert json.loads(process.stdout.readline())["text"] == "0"

    for n in (1, 2, 3):
        house.type("put", "home/light", str(n))
    rest = [
        json.loads(line)["text"]
        for line in process.communicate(timeout=_LIMIT_S)[0].split("\n")
        if line
    ]

    assert rest == ["1", "2", "3"]
    assert process.returncode == 0


def test_ctrl_c_ends_an_observation_with_0_and_deregisters(house):
    house.type("put", "home/light", "0")
    process = house.observe("home/light", "--json")
    process.stdout.readline()

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=_LIMIT_S)

    assert process.returncode == 0


def test_an_observation_ends_with_the_resource(house):
    house.type("put", "home/light", "0")
    process = house.observe("home/light")
    process.stdout.readline()

    house.type("delete", "home/light")
    _, said = process.communicate(timeout=_LIMIT_S)

    assert process.returncode == 1
    assert "4.04" in said


def test_libcoap_puts_gets_and_deletes_in_blocks(house):
    client = coap_clients.libcoap()
    token = ((TOKEN, house.token.encode()),)
    url = house.url("home/libcoap")

    put = ask(client, Ask("put", url, BODY, block=64, options=token, timeout_s=30))
    got = ask(client, Ask("get", url, block=128, options=token, timeout_s=30))
    deleted = ask(client, Ask("delete", url, options=token))

    assert (put.code, deleted.code) == ("2.01", "2.02")
    assert got.payload == BODY


class Raw:
    """One socket, as an observer that says exactly what it means."""

    def __init__(self, house: House) -> None:
        self._token = (TOKEN, house.token.encode())
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", house.site.coap_port))
        self._socket.settimeout(5)
        self._message_id = 0

    def get(self, path, *options, token=b"obs"):
        self.send(coap.GET, path, *options, token=token)
        return self.receive()

    def send(self, code, path, *options, token=b"", payload=b""):
        self._message_id += 1
        segments = [(coap.URI_PATH, part.encode()) for part in path.split("/")]
        every = sorted([*segments, *options, self._token], key=lambda option: option[0])
        message = Message(CON, code, self._message_id, token, every, payload)
        self._socket.send(coap.encode(message))

    def receive(self, timeout_s=5):
        self._socket.settimeout(timeout_s)
        return coap.decode(self._socket.recv(2048))

    def answer(self, kind, message):
        self._socket.send(coap.empty(kind, message.message_id))

    def is_silent(self, timeout_s):
        try:
            self.receive(timeout_s)
        except TimeoutError:
            return True
        return False

    def close(self):
        self._socket.close()


@pytest.fixture
def raw(house):
    raw = Raw(house)
    yield raw
    raw.close()


def test_a_notification_is_a_con_of_one_block_and_the_rest_is_there_to_get(house, raw):
    house.type("put", "home/large", "small")
    first = raw.get("home/large", (OBSERVE, b""))
    (house.site.gateway_dir / "large").write_bytes(BODY[:1500])
    house.type("put", "home/large", "--file", house.site.gateway_dir / "large")

    notification = raw.receive()
    raw.answer(ACK, notification)
    rest = raw.get("home/large", (BLOCK2, b"\x16"), token=b"rest")

    assert (notification.type, notification.token, first.type) == (CON, b"obs", ACK)
    assert int.from_bytes(notification.option(OBSERVE), "big") > int.from_bytes(
        first.option(OBSERVE), "big"
    )
    assert notification.payload + rest.payload == BODY[:1500]
    assert notification.option(4) == rest.option(4)


def test_a_reset_ends_an_observation(house, raw):
    house.type("put", "home/light", "0")
    raw.get("home/light", (OBSERVE, b""))
    house.type("put", "home/light", "1")
    raw.answer(RST, raw.receive())

    house.type("put", "home/light", "2")

    assert raw.is_silent(3)  # past the first retransmission


def test_a_silent_observer_gets_the_newest_state_when_it_is_sent_again(house, raw):
    house.type("put", "home/light", "0")
    raw.get("home/light", (OBSERVE, b""))
    house.type("put", "home/light", "1")
    first = raw.receive()
    writer = Raw(house)  # at once: a command takes longer than a retransmission waits
    for n in (2, 3):
        writer.send(PUT, "home/light", payload=str(n).encode())
        writer.receive()

    again = raw.receive()
    writer.close()
    raw.answer(ACK, again)

    assert (first.payload, again.payload) == (b"1", b"3")
    assert first.message_id != again.message_id
    assert raw.is_silent(1)
