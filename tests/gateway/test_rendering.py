"""What an entry says as JSON beside its bytes."""

import pytest

from gateway.http.rendering import entry_json
from gateway.ledger import pruning
from gateway.ledger.batch import Submission
from gateway.ledger.log import Draft
from gateway.store import Selection
from protocol.prune import REDACTION
from tests.fakes import FakeGateway
from tests.gateway.resourceful import delete, post, put


@pytest.fixture
def gateway():
    gateway = FakeGateway()
    gateway.fill(3)
    return gateway


def shown(gateway, index: int) -> dict[str, object]:
    (entry,) = gateway.store.read(lambda r: r.entries(index, index + 1))
    return entry_json(entry)


def test_a_prune_is_shown_in_words(gateway):
    done = pruning.commit(gateway.writer, Selection(0, 2, None, "shed"), REDACTION)

    assert shown(gateway, 3)["pruned"] == done.prune._asdict()
    assert (shown(gateway, 3)["pruned"]["why"], shown(gateway, 3)["source"]) == ("redaction", "")


def test_a_deleted_body_is_null_and_its_leaf_is_shown_as_ever(gateway):
    before = shown(gateway, 0)

    pruning.commit(gateway.writer, Selection(0, 1), REDACTION)

    after = shown(gateway, 0)
    assert (after["body"], after["salt"], "readings" in after) == (None, "", False)
    assert {name: after[name] for name in ("leaf", "leaf_hash", "chain", "source")} == {
        name: before[name] for name in ("leaf", "leaf_hash", "chain", "source")
    }


def test_what_says_it_is_a_prune_and_is_none_is_shown_as_bytes(gateway):
    gateway.commit(Submission(Draft("pruned", "", b"\x80")))

    assert "pruned" not in shown(gateway, 3)
    assert shown(gateway, 3)["body"] == "gA=="


def test_a_change_of_a_resource_is_shown_in_words(gateway):
    gateway.commit(put("home/a", b"21.5", 0), post("home/a", b"!"), delete("home/a"))

    assert [shown(gateway, n)["change"] for n in (3, 4, 5)] == [
        {"who": "@ci", "content_format": 0, "before": None, "size_bytes": 4},
        {"who": "@ci", "content_format": None, "before": 3, "size_bytes": 1},
        {"who": "@ci", "content_format": None, "before": 4, "size_bytes": None},
    ]
    assert shown(gateway, 3)["source"] == "home/a"


def test_what_says_it_is_a_change_and_is_none_is_shown_as_bytes(gateway):
    gateway.commit(Submission(Draft("put", "home/a", b"\x80")))

    assert "change" not in shown(gateway, 3)
    assert shown(gateway, 3)["body"] == "gA=="
