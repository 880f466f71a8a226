"""What `/r` refuses, it refuses without a word: on the short way and the long one, sealed or not.

All of it from the loopback, to whom every other path explains itself.
"""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol import coap
from protocol.coap import CON, GET, POST, Message
from protocol.oscore_parts import Plain
from tests.integration.harness import Site
from tests.integration.oscore import RawClient

pytestmark = pytest.mark.integration

ACCEPT, IF_NONE_MATCH, URI_QUERY, SIZE1 = 17, 5, 15, 60
READINGS = [(11, b"r"), (12, b"\x11")]

# The method, its options, its payload, and the code of the answer. The first two take the short
# way: their options are those of a device.
REFUSED = {
    "no envelope": (POST, READINGS, b"\x00", 0x80),
    "too large": (POST, READINGS, bytes(1100), 0x8D),
    "no format": (POST, [(11, b"r")], b"\x00", 0x8F),
    "no envelope, the long way": (POST, [*READINGS, (ACCEPT, b"\x11")], b"\x00", 0x80),
    "another format wanted": (POST, [*READINGS, (ACCEPT, b"\x3c")], b"\x00", 0x86),
    "a condition": (POST, [(IF_NONE_MATCH, b""), *READINGS], b"\x00", 0x82),
    "a query": (POST, [*READINGS, (URI_QUERY, b"a")], b"\x00", 0x80),
    "a method": (GET, [(11, b"r")], b"", 0x85),
    "too large to begin with": (POST, [*READINGS, (SIZE1, b"\x10\x00")], b"\x00", 0x8D),
}
EXPLAINED = (GET, [(11, b"nothing")], b"", 0x84)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawClient]:
    folder: Path = tmp_path_factory.mktemp("refusals")
    site = Site(folder)
    config = site.enrol("board")
    site.start_gateway()
    yield RawClient(site, config)
    site.stop()


def asked(board: RawClient, method: int, options: list[tuple[int, bytes]], payload: bytes) -> Plain:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.settimeout(10)
        message = Message(CON, method, 7, b"t", options, payload)
        door.sendto(coap.encode(message), board.gateway)
        answer = coap.decode(door.recv(2048))
    return Plain(answer.code, answer.options, answer.payload)


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "OSCORE"])
@pytest.mark.parametrize(("method", "options", "payload", "code"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_of_readings_has_a_code_and_no_words(
    board, sealed, method, options, payload, code
):
    answer = (
        board.ask(Plain(method, options, payload))
        if sealed
        else asked(board, method, options, payload)
    )

    assert (answer.code, answer.payload) == (code, b"")
    assert 12 not in dict(answer.options)


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "OSCORE"])
def test_other_paths_explain_themselves_to_the_same_asker(board, sealed):
    method, options, payload, code = EXPLAINED

    answer = (
        board.ask(Plain(method, options, payload))
        if sealed
        else asked(board, method, options, payload)
    )

    assert (answer.code, dict(answer.options)[12]) == (code, b"\x01\x01")
    assert b"not-found" in answer.payload
