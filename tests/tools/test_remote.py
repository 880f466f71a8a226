"""What `verify` makes of answers that no gateway gives."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlparse

import pytest
from typer.testing import CliRunner

from gateway.ledger.signer import Signer
from protocol import leaf as leaves
from protocol.leaf import Leaf
from protocol.merkle import Frontier, leaf_hash
from protocol.note import b64
from tests.fakes import ORIGIN, SEED
from tests.tools.program import app

OK, WRONG, WRONG_USE = 0, 1, 2
KEY = Signer(ORIGIN, SEED).verifier_text
pytestmark = pytest.mark.integration


@contextmanager
def serving(answers):
    """`answers[path](query)` is what to answer; what is not there is not found."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            url = urlparse(self.path)
            answer = answers.get(url.path)
            said = answer(parse_qs(url.query)) if answer else {"detail": "nothing here"}
            data = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(200 if answer else 404)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def run(url):
    return CliRunner().invoke(app, ["verify", url, "--vkey", KEY])


def forged(count):
    """Events that fit together, and the root that they have."""
    frontier, chain, events = Frontier(), leaves.CHAIN_START, []
    for index in range(count):
        salt, body, ms = bytes(16), b"forged", 1_790_000_000_000 + index
        leaf = leaves.encode(Leaf("pack", ms, 1, "shed", leaves.hash_body(salt, body)))
        chain = leaves.chain(chain, leaf_hash(leaf))
        frontier.add(leaf_hash(leaf))
        event = {"index": index, "kind": "pack", "source": "shed", "received_ms": ms}
        event |= {"leaf": b64(leaf), "chain": chain.hex(), "salt": b64(salt), "body": b64(body)}
        events.append(event)
    return events, frontier.root()


@pytest.mark.parametrize("index", [-1, 0, 2])
def test_entries_that_nobody_signed_are_wrong_whatever_is_shown_beside_them(index):
    """A rotation that does not hold, and only whoever asks for rotations gets to see it."""
    events, root = forged(3)
    note = Signer(ORIGIN, b"thief's key".ljust(32)).sign(3, root).encode()
    none = {**events[0], "index": index, "kind": "rotated", "body": b64(b"nonsense")}

    def page(query):
        shown = {"rotated": [none], "pruned": []}.get(query.get("kind", [""])[0], events)
        return {"events": shown, "next_after": 2}

    answers = {"/stats": {"size": 3}, "/checkpoint": note}
    with serving({path: lambda _, said=said: said for path, said in answers.items()}
                 | {"/events": page}) as url:  # fmt: skip
        said = run(url)

    assert said.exit_code == WRONG, said.output
    assert "WRONG at entry 0: the rotated entries that were shown first" in said.stdout


def test_an_empty_ledger_that_nothing_signed_speaks_of_is_wrong():
    with serving({"/stats": lambda _: {"size": 0}}) as url:
        said = run(url)

    assert said.exit_code == WRONG
    assert "no checkpoint: nothing signed speaks of these entries" in said.stdout


STATS = [
    b"<html>",
    b"{}",
    b"[]",
    b"[" * 100_000,
    b'{"size": "3"}',
    b'{"size": true}',
    b'{"size": -1}',
    b'{"size": 1e400}',
    b'{"size": null}',
]


@pytest.mark.parametrize("answer", STATS, ids=lambda answer: answer[:20].decode())
def test_what_is_no_gateway_is_wrong_use_and_says_what_to_give(answer):
    with serving({"/stats": lambda _: answer}) as url:
        said = run(url)

    assert said.exit_code == WRONG_USE, said.output
    assert said.stderr.startswith("tallystick: ")
    assert "give the URL of a gateway, such as http://127.0.0.1:8080" in said.stderr


def test_a_server_of_something_else_is_wrong_use():
    with serving({}) as url:
        said = run(url)

    assert said.exit_code == WRONG_USE, said.output
    assert "has no /stats; give the URL of a gateway" in said.stderr


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1:x", "http://127.0.0.1:1"])
def test_what_is_no_url_is_wrong_use(url):
    said = run(url)

    assert said.exit_code == WRONG_USE, said.output
    assert "give the URL of a gateway" in said.stderr


PAGES = [
    {},
    {"events": []},
    {"events": [], "next_after": "9"},
    {"events": [], "next_after": True},
    {"events": None, "next_after": 1},
    {"events": [5], "next_after": 1},
    {"events": ["index"], "next_after": 1},
    {"events": [{"index": "0"}], "next_after": 1},
    {"events": [{"index": 0}], "next_after": 1},
]


@pytest.mark.parametrize("page", PAGES, ids=json.dumps)
def test_a_page_that_is_none_is_wrong_use(page):
    with serving({"/stats": lambda _: {"size": 3}, "/events": lambda _: page}) as url:
        said = run(url)

    assert said.exit_code == WRONG_USE, said.output
    assert "Traceback" not in said.output


def test_pages_without_an_end_are_read_up_to_the_size_only():
    asked = []

    def page(query):
        asked.append(query)
        return {"events": [], "next_after": int(query["after"][0]) + 1}

    with serving({"/stats": lambda _: {"size": 3}, "/events": page}) as url:
        said = run(url)

    assert (said.exit_code, len(asked)) == (WRONG, 9)
    assert "entry 0: the entry is missing" in said.stdout
