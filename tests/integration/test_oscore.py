"""OSCORE with a running gateway: other people's client, kills, replays, devices that go."""

import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO

import pytest

from protocol import cbor_reader, coap, receipt_reader
from protocol.coap import Message
from protocol.envelope import DOWN, direction_key
from protocol.oscore_parts import OBSERVE, OSCORE, Plain
from tests.integration.commands import tallystick
from tests.integration.harness import Site, packs
from tests.integration.oscore import UNAUTHORIZED, AiocoapClient, RawClient, is_protected
from tests.load import LoadDevice
from tools.enrolling import revoke
from tools.token import add as add_token

pytestmark = pytest.mark.integration

COSE_MAC0 = 17
BAD_REQUEST, BAD_OPTION = 0x80, 0x82
PUT, CREATED, TOKEN = 3, 0x41, 65001
TIME = Plain(coap.GET, [(11, b"time")], b"")


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.stop()


@pytest.fixture
def board(site):
    """Its config.json; the gateway runs."""
    config = site.enrol("board")
    site.start_gateway()
    return config


@pytest.fixture
def client(site, board, tmp_path) -> Iterator[AiocoapClient]:
    client = AiocoapClient(site, "board", tmp_path / "oscore")
    yield client
    client.close()


def index_of(sealed_receipt: bytes, config, sealed: bytes) -> int:
    """The entry that a receipt for this envelope names."""
    down = direction_key(bytes.fromhex(config["secret"]), DOWN)
    return receipt_reader.open_sealed(down, sealed_receipt, sealed)[0]


def test_aiocoaps_client_asks_and_is_answered_under_oscore(client):
    answers = [client.ask("get", "/time"), client.ask("get", "/time")]
    links, missing = client.ask("get", "/.well-known/core"), client.ask("get", "/nothing")

    assert [(answer.code, answer.protected) for answer in answers] == [("2.05", True)] * 2
    assert cbor_reader.decode(answers[0].payload) <= cbor_reader.decode(answers[1].payload)
    assert (links.code, b"</r>" in links.payload, links.protected) == ("2.05", True, True)
    assert (missing.code, missing.protected) == ("4.04", True)


def test_an_envelope_that_is_posted_under_oscore_is_kept_and_its_receipt_is_good(
    site, board, client
):
    device = LoadDevice(board)
    first, second = device.seal(0), device.seal(1)
    sent = [first, second, second]

    answers = [client.ask("post", "/r", sealed, format=COSE_MAC0) for sealed in sent]

    assert [(answer.code, answer.protected) for answer in answers] == [("2.04", True)] * 3
    found = [
        index_of(answer.payload, board, sealed)
        for answer, sealed in zip(answers, sent, strict=True)
    ]
    assert found == [1, 2, 2]
    assert sorted(packs(site.gateway_dir / "ledger.sqlite").values()) == [[1], [2]]


def test_a_device_writes_and_reads_its_own_resources_in_blocks(client):
    content = bytes(index & 255 for index in range(5000))

    written = client.ask("put", "/home/board/image", content, format=42)
    read = client.ask("get", "/home/board/image")
    others = client.ask("put", "/home/other/image", b"x", format=42)

    assert (written.code, written.protected) == ("2.01", True)
    assert (read.code, read.payload, read.protected) == ("2.05", content, True)
    assert (others.code, others.protected) == ("4.03", True)


def test_an_observer_hears_of_changes_under_oscore(site, client):
    with redirect_stdout(StringIO()) as shown:
        add_token("house", site.gateway_dir, scope="write", days=0)
    site.gateway.stop()
    site.start_gateway()
    writer = RawClient(site, site.enrol("writer"))
    token = (TOKEN, shown.getvalue().split()[-1].encode())
    path = [(11, b"home"), (11, b"board"), (11, b"door")]

    def write(content: bytes) -> int:
        return writer.ask(Plain(PUT, [*path, token], content)).code

    assert write(b"0") == CREATED
    client.send("get", "/home/board/door", answers=3)
    heard = [client.next()]
    for content in (b"1", b"2"):
        assert write(content) == coap.CHANGED
        heard.append(client.next())

    assert [(one.code, one.payload, one.protected) for one in heard] == [
        ("2.05", content, True) for content in (b"0", b"1", b"2")
    ]


def test_after_a_kill_the_client_is_challenged_and_goes_on(site, client):
    before = client.ask("get", "/time")
    site.gateway.kill()
    site.start_gateway()

    after = [client.ask("get", "/time") for _ in range(3)]

    assert [(answer.code, answer.protected) for answer in [before, *after]] == [("2.05", True)] * 4


def test_what_was_sent_before_a_kill_does_nothing_after_it(site, board):
    raw = RawClient(site, board)
    assert raw.ask(TIME).code == coap.CONTENT
    recorded = [raw.sealed(TIME) for _ in range(3)]
    for sealed, asked in recorded:
        assert raw.opened(asked, raw.exchange(sealed)).code == coap.CONTENT

    replayed = [raw.exchange(sealed) for sealed, _ in recorded]
    site.gateway.kill()
    site.start_gateway()
    challenged = [raw.exchange(sealed) for sealed, _ in recorded]
    assert raw.ask(TIME).code == coap.CONTENT
    late = [raw.exchange(sealed) for sealed, _ in recorded]

    for answer in [*replayed, *late]:
        assert (answer.code, is_protected(answer), answer.payload) == (UNAUTHORIZED, False, b"")
    opened = [
        raw.opened(asked, answer) for (_, asked), answer in zip(recorded, challenged, strict=True)
    ]
    assert [plain.code for plain in opened] == [UNAUTHORIZED] * 3


def test_no_number_of_the_gateways_own_comes_twice_over_kills(site, board):
    raw = RawClient(site, board)
    sealed, _ = raw.sealed(TIME)
    used = []

    for _ in range(3):
        used += [raw.exchange(sealed).option(OSCORE) for _ in range(3)]
        site.gateway.kill()
        site.start_gateway()

    assert len(set(used)) == len(used) == 9


@pytest.mark.parametrize(
    "plain", [TIME, Plain(coap.GET, [(OBSERVE, b""), (11, b"time")], b"")], ids=["POST", "FETCH"]
)
def test_a_datagram_that_comes_again_gets_the_same_bytes(site, board, plain):
    """Message deduplication is before OSCORE, which would call it a replay."""
    raw = RawClient(site, board)
    assert raw.ask(TIME).code == coap.CONTENT
    sealed, asked = raw.sealed(plain)

    answers = raw.repeated(sealed, 3)

    assert len(answers) == 3
    assert len(set(answers)) == 1
    message = coap.decode(answers[0])
    assert raw.opened(asked, message).code == coap.CONTENT


def test_a_device_that_is_revoked_is_refused_at_once(site, board):
    raw = RawClient(site, board)
    assert raw.ask(TIME).code == coap.CONTENT

    revoke(site.gateway_dir, "board")
    answer = raw.exchange(raw.sealed(TIME)[0])

    assert (answer.code, is_protected(answer), answer.payload) == (UNAUTHORIZED, False, b"")


def test_a_device_that_was_just_added_is_known_at_once(site, board):
    assert RawClient(site, site.enrol("newcomer")).ask(TIME).code == coap.CONTENT


def test_wrong_keys_unknown_devices_and_nonsense_get_a_code_and_nothing_else(site, board):
    wrong = RawClient(site, {**board, "secret": bytes(32).hex()})
    stranger = RawClient(site, {"name": "stranger", "secret": bytes(32).hex()})
    sealed, _ = wrong.sealed(TIME)

    answers: list[tuple[Message, int]] = [
        (wrong.exchange(sealed), BAD_REQUEST),
        (stranger.exchange(stranger.sealed(TIME)[0]), UNAUTHORIZED),
        (wrong.exchange(sealed._replace(options=[(OSCORE, b"\x09")])), BAD_OPTION),
        (wrong.exchange(sealed._replace(options=[(OSCORE, b"")])), BAD_OPTION),
    ]

    for answer, code in answers:
        assert (answer.code, answer.options, answer.payload) == (code, [], b"")


def test_our_own_commands_ask_under_oscore(site, board, tmp_path):
    file, url = tmp_path / "config.json", f"coap://127.0.0.1:{site.coap_port}/home/board/image"
    file.write_text(json.dumps(board))
    image = tmp_path / "image"
    image.write_bytes(bytes(index & 255 for index in range(5000)))

    done = [
        tallystick("put", url, "--file", image, "--oscore", file),
        tallystick("get", url, "--output", tmp_path / "again", "--oscore", file),
        tallystick("observe", url, "--count", "1", "--json", "--oscore", file),
        tallystick("put", url, "--file", image),
    ]

    assert [one.returncode for one in done] == [0, 0, 0, 1], [one.stderr for one in done]
    assert (tmp_path / "again").read_bytes() == image.read_bytes()
    assert board["secret"] not in "".join(one.stdout + one.stderr for one in done)


def test_a_secret_that_is_not_the_devices_is_told_with_what_to_do(site, board, tmp_path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**board, "secret": bytes(32).hex()}))

    done = tallystick("get", f"coap://127.0.0.1:{site.coap_port}/time", "--oscore", file)

    assert done.returncode == 2
    assert "not protected" in done.stderr
    assert "device list" in done.stderr
