"""The HTTP door of a witness: the statuses of tlog-witness, and what an asker can cost."""

import asyncio
import hashlib
import threading

import pytest

from gateway.config import HttpConfig
from gateway.errors import StoreFailedError
from protocol import checkpoint as checkpoints
from protocol import witnessing
from protocol.witnessing import MAX_REQUEST_BYTES
from tests.fakes import ORIGIN
from tests.gateway.web import PUBLIC
from tests.gateway.witnesses import Clock, Door, asking, grown, made, note_of, opened

HASH = hashlib.sha256(ORIGIN.encode()).hexdigest()


@pytest.fixture(scope="module")
def ledger():
    return grown(12)


@pytest.fixture
def witness(tmp_path):
    witness = opened(made(tmp_path / "neighbour"))
    yield witness
    witness.close()


@pytest.fixture
def door(witness):
    return Door(witness)


def counted(door, outcome):
    found = door.metrics.registry.get_sample_value(
        "tallystick_requests_total", {"door": "witness", "outcome": outcome}
    )
    return found or 0


async def test_a_checkpoint_is_answered_with_the_cosignature_line(door, witness, ledger):
    answer = await door.add(asking(ledger, 0, 7))

    assert (answer.status_code, answer.headers["content-type"]) == (
        200,
        "text/plain; charset=utf-8",
    )
    assert note_of(ledger, 7) + answer.text == witness.latest(ORIGIN)
    assert counted(door, "cosign") == 1


async def test_another_old_size_is_answered_with_the_right_one(door, ledger):
    await door.add(asking(ledger, 0, 7))

    answer = await door.add(asking(ledger, 0, 9))

    assert (answer.status_code, answer.text) == (409, "7\n")
    assert answer.headers["content-type"] == "text/x.tlog.size"
    assert counted(door, "conflict") == 1


async def test_what_does_not_continue_the_last_one_is_422(door, ledger):
    await door.add(asking(ledger, 0, 7))

    answer = await door.add(asking(grown(9, other_from=4), 7, 9))

    assert (answer.status_code, answer.json()["title"]) == (422, "forked")


REFUSED = {
    "nothing": (b"", 400, "malformed"),
    "no text": (b"\xff", 400, "malformed"),
    "no checkpoint": (b"old 0\n\ntext\n", 400, "malformed"),
    "an old size past the new one": (
        witnessing.format_request(asking(grown(3), 0, 3)).replace(b"old 0", b"old 9"),
        400,
        "malformed",
    ),
    "an unknown origin": (
        witnessing.format_request(asking(grown(3), 0, 3)).replace(ORIGIN.encode(), b"other"),
        404,
        "unknown-origin",
    ),
    "another size than was signed": (
        witnessing.format_request(asking(grown(3), 0, 3)).replace(b"\n3\n", b"\n4\n"),
        403,
        "bad-signature",
    ),
    "far too long": (b"x" * (MAX_REQUEST_BYTES + 1), 413, "too-large"),
}


@pytest.mark.parametrize(("body", "status", "title"), REFUSED.values(), ids=REFUSED)
async def test_a_refusal_has_the_status_of_the_standard(door, witness, body, status, title):
    answer = await door.ask("POST", "/add-checkpoint", content=body)

    assert (answer.status_code, answer.json()["title"]) == (status, title)
    assert witness.origins() == []
    assert counted(door, title) == 1


async def test_a_body_that_says_it_is_too_long_is_not_read(door):
    async def body():
        yield b"old 0\n"
        raise AssertionError("the body was read")

    headers = {"Content-Length": str(10**9)}
    answer = await door.ask("POST", "/add-checkpoint", content=body(), headers=headers)

    assert answer.status_code == 413


async def test_a_body_without_a_length_is_read_up_to_the_limit(door):
    read = []

    async def body():
        for _ in range(1000):
            read.append(4096)
            yield bytes(4096)

    answer = await door.ask("POST", "/add-checkpoint", content=body())

    assert (answer.status_code, len(read)) == (413, MAX_REQUEST_BYTES // 4096 + 1)


@pytest.mark.parametrize("config", [HttpConfig(), PUBLIC])
async def test_the_last_one_cosigned_is_shown_to_anyone(witness, ledger, config):
    door = Door(witness, config)
    before = await door.ask("GET", f"/{HASH}/checkpoint")
    await door.add(asking(ledger, 0, 7))

    after = await door.ask("GET", f"/{HASH}/checkpoint")

    assert before.status_code == 404
    assert (after.status_code, after.text) == (200, witness.latest(ORIGIN))
    assert checkpoints.unverified(after.text).size == 7


@pytest.mark.parametrize("asked", ["0" * 64, HASH.upper(), HASH[:-1], "tile", ORIGIN[:4]])
async def test_no_other_hash_is_that_of_an_origin(door, ledger, asked):
    await door.add(asking(ledger, 0, 7))

    assert (await door.ask("GET", f"/{asked}/checkpoint")).status_code == 404


async def test_the_evidence_is_shown_to_readers(witness, ledger):
    door, other = Door(witness, PUBLIC), grown(9, other_from=4)
    await door.add(asking(ledger, 0, 7))
    await door.add(asking(other, 7, 9))
    headers = {"Authorization": "Bearer read-secret"}

    refused = await door.ask("GET", "/evidence", params={"origin": ORIGIN})
    unnamed = await door.ask("GET", "/evidence", headers=headers)
    shown = await door.ask("GET", "/evidence", params={"origin": ORIGIN}, headers=headers)

    assert (refused.status_code, unnamed.json()["title"]) == (401, "bad-query")
    (found,) = shown.json()["evidence"]
    assert (found["held"], found["note"]) == (witness.latest(ORIGIN), note_of(other, 9))
    assert (found["proven"], len(found["proof"])) == (True, len(asking(other, 7, 9).proof))


class SlowWitness:
    """Holds up its first asker until it is told to go on, or fails."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def add(self, request):
        self.go_on.wait(10)
        raise StoreFailedError("the disk")


async def test_a_crowd_is_told_to_come_again_and_a_disk_that_fails_is_told(ledger):
    slow = SlowWitness()
    door = Door(slow)
    asked = [asyncio.create_task(door.add(asking(ledger, 0, 7))) for _ in range(40)]

    while counted(door, "busy") < 8:  # noqa: ASYNC110  # a turn, not a wait
        await asyncio.sleep(0)
    slow.go_on.set()
    answers = [await task for task in asked]

    told = [(answer.status_code, answer.json()["title"]) for answer in answers]
    assert sorted(set(told)) == [(503, "busy"), (503, "store-failed")]
    assert told.count((503, "store-failed")) == 32
    assert all(answer.headers["retry-after"] for answer in answers)


async def test_a_clock_that_is_not_set_is_waited_out(tmp_path, ledger):
    clock = Clock()
    clock.now_ms = 0
    witness = opened(made(tmp_path / "young"), clock=clock)

    answer = await Door(witness).add(asking(ledger, 0, 7))

    assert (answer.status_code, answer.json()["title"]) == (503, "busy")
    witness.close()
