"""Proofs over HTTP, without a socket: what a stranger gets, and what is refused."""

import pytest

from gateway.ledger.signer import verify_signature
from protocol import checkpoint as checkpoints
from protocol import cose_receipt, merkle
from protocol import leaf as leaves
from protocol import note as notes
from protocol import proof as proofs
from tests.fakes import FakeDevice
from tests.gateway.web import PUBLIC, Web

SIZE = 10
COSE = "application/cose"


@pytest.fixture
def web():
    return Web()


def key(web):
    return web.gateway.signer.verifier_key


def signed(web):
    return checkpoints.open_note(web.gateway.writer.note, key(web), verify_signature)


def root(web, size):
    frontier = merkle.Frontier()
    for leaf in web.gateway.store.read(lambda r: r.leaves(0, size)):
        frontier.add(merkle.leaf_hash(leaf))
    return frontier.root()


@pytest.mark.parametrize("index", range(SIZE))
async def test_a_proof_is_all_that_a_stranger_with_the_key_needs(web, index):
    response = await web.get(f"/events/{index}/proof")

    proof = proofs.parse_proof(response.text)
    leaf, salt, body = leaves.decode_entry(proof.extra)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert checkpoints.open_note(proof.note, key(web), verify_signature) == signed(web)
    assert proofs.check(proof, merkle.leaf_hash(leaf)) == signed(web)
    assert leaves.commits_to(leaf, salt, body)
    assert proof.index == index


@pytest.mark.parametrize("index", [0, 4, 9])
async def test_a_receipt_is_for_whoever_accepts_cose(web, index):
    response = await web.get(f"/events/{index}/proof", accept=COSE)

    receipt = cose_receipt.decode(response.content)
    leaf, salt, body = leaves.decode_entry(receipt.proof.entry)
    hashed = merkle.leaf_hash(leaf)
    assert response.headers["content-type"] == 'application/cose; cose-type="cose-sign1"'
    found = cose_receipt.check_inclusion(receipt, hashed, key(web), verify_signature)
    assert (found, receipt.proof.index) == (signed(web), index)
    assert leaves.commits_to(leaf, salt, body)


ACCEPTED = [
    ("", "text/plain"),
    ("*/*", "text/plain"),
    ("text/plain", "text/plain"),
    ("application/*", "text/plain"),
    ("application/cose; q=0", "text/plain"),
    ("application/cose;q=0.000, */*", "text/plain"),
    ("application/cosette", "text/plain"),
    (COSE, COSE),
    ("Application/COSE", COSE),
    ('text/plain, application/cose; cose-type="cose-sign1"; q=0.5', COSE),
]


@pytest.mark.parametrize(("accept", "given"), ACCEPTED)
async def test_what_is_given_depends_on_what_is_accepted(web, accept, given):
    response = await web.get("/events/4/proof", accept=accept)

    assert response.headers["content-type"].split(";")[0] == given
    assert response.headers["vary"] == "Accept"


PROBLEMS = [
    ("/events/10/proof", 404, "not-found"),
    ("/events/ten/proof", 400, "bad-query"),
    ("/events/-1/proof", 400, "bad-query"),
    ("/proof/consistency", 400, "bad-query"),
    ("/proof/consistency?from=", 400, "bad-query"),
    ("/proof/consistency?from=1&to=x", 400, "bad-query"),
    ("/proof/consistency?from=4&to=3", 400, "bad-query"),
    ("/proof/consistency?from=1&size=3", 400, "bad-query"),
    ("/proof/consistency?from=1&to=11", 503, "unsigned"),
    ("/proof/consistency?from=11", 503, "unsigned"),
]


@pytest.mark.parametrize(("path", "status", "title"), PROBLEMS)
async def test_a_refusal_says_what_is_wrong(web, path, status, title):
    response = await web.get(path)

    assert (response.status_code, response.json()["title"]) == (status, title)


@pytest.mark.parametrize("accept", ["*/*", COSE])
async def test_an_entry_that_is_not_signed_yet_is_to_be_asked_for_again(web, accept):
    web.gateway.commit(FakeDevice("attic").submission(0))

    early = await web.get("/events/10/proof", accept=accept)
    web.gateway.sign()
    later = await web.get("/events/10/proof", accept=accept)

    assert (early.status_code, early.json()["title"]) == (503, "unsigned")
    assert int(early.headers["retry-after"]) > 0
    assert later.status_code == 200


async def test_before_the_first_checkpoint_nothing_is_proved(web):
    web.gateway.writer.note = ""

    refused = [
        await web.get(path, accept=accept)
        for path in ("/events/4/proof", "/proof/consistency?from=3&to=5")
        for accept in ("*/*", COSE)
    ]

    assert [response.json()["title"] for response in refused] == ["unsigned"] * 4
    assert (await web.get("/proof/consistency?from=0")).json()["hashes"] == []


@pytest.mark.parametrize("accept", ["*/*", COSE])
@pytest.mark.parametrize("index", [4, 5])
async def test_nothing_is_proved_in_a_ledger_that_was_changed_and_it_is_counted(web, index, accept):
    web.tamper(4, leaf=b"\x80", body=None)

    response = await web.get(f"/events/{index}/proof", accept=accept)

    counted = web.gateway.metrics.registry.get_sample_value(
        "tallystick_requests_total", {"door": "http", "outcome": "integrity"}
    )
    assert (response.status_code, response.json()["title"]) == (500, "integrity")
    assert (response.json()["index"], counted) == (index, 1)


@pytest.mark.parametrize("new", range(SIZE + 1))
async def test_every_signed_size_is_shown_to_continue_every_smaller_one(web, new):
    for old in range(new + 1):
        answer = (await web.get(f"/proof/consistency?from={old}&to={new}")).json()

        proof = [notes.unb64(node) for node in answer["hashes"]]
        assert (answer["from"], answer["to"]) == (old, new)
        assert merkle.is_consistent(old, root(web, old), new, root(web, new), proof)


async def test_consistency_is_with_the_signed_tree_where_nothing_else_is_said(web):
    answer = (await web.get("/proof/consistency?from=3")).json()

    assert answer["to"] == SIZE


@pytest.mark.parametrize("old", range(1, SIZE))
async def test_a_receipt_of_consistency_continues_a_checkpoint_that_somebody_kept(web, old):
    held = signed(web)._replace(size=old, root=root(web, old))

    response = await web.get(f"/proof/consistency?from={old}", accept=COSE)

    receipt = cose_receipt.decode(response.content)
    found = cose_receipt.check_consistency(receipt, held, key(web), verify_signature)
    assert found == signed(web)


@pytest.mark.parametrize("query", ["from=0", "from=10", "from=3&to=9", "from=3&to=3"])
async def test_only_the_signed_tree_has_receipts_of_consistency(web, query):
    response = await web.get(f"/proof/consistency?{query}", accept=COSE)

    assert (response.status_code, response.json()["title"]) == (400, "bad-query")


async def test_a_receipt_of_consistency_is_checked_before_it_is_given_away(web):
    web.tamper(4, leaf=b"\x80", body=None)

    response = await web.get("/proof/consistency?from=7", accept=COSE)

    assert (response.status_code, response.json()["title"]) == (500, "integrity")


@pytest.mark.parametrize("query", ["from=7", "from=7&to=8", "from=5&to=5", "from=0&to=6", "from=2"])
async def test_hashes_of_consistency_are_checked_before_they_are_given_away(web, query):
    web.tamper(4, leaf=b"\x80", body=None)

    response = await web.get(f"/proof/consistency?{query}")

    counted = web.gateway.metrics.registry.get_sample_value(
        "tallystick_requests_total", {"door": "http", "outcome": "integrity"}
    )
    assert (response.status_code, response.json()["title"], counted) == (500, "integrity", 1)


@pytest.mark.parametrize("path", ["/events/1/proof", "/proof/consistency?from=1"])
async def test_a_public_door_proves_things_to_whoever_has_a_token(path):
    web = Web(PUBLIC)

    assert (await web.get(path)).status_code == 401
    assert (await web.get(path, "read-secret")).status_code == 200
