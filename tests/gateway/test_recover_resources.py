"""Resources in a new ledger: each that was whole is put again."""

import pytest
import structlog

from gateway.ledger.changes import Limits
from gateway.ledger.contents import assembled
from gateway.store.sqlite import SqliteStore
from protocol import resource
from protocol.limits import MAX_CONTENT_BYTES
from protocol.resource import Change
from tests.gateway.ledger_files import make, writer_on
from tests.gateway.recovering import NEW, recovered
from tests.gateway.resourceful import delete, post, put

WIDE = Limits(1 << 30, 1 << 30, 1 << 30)


@pytest.fixture
def made(tmp_path):
    """30 packs; then home/a 30, 31, home/gone 32, 33, home/large 34, 35, home/empty 36."""
    made = make(tmp_path / "garden", size=30)
    store = made.open()
    writer = writer_on(store, made.directory, made.signer)
    writer.commit([put("home/a", b"1", 0), post("home/a", b"2"), put("home/gone")], {})
    writer.commit([delete("home/gone")], {})
    large = [put("home/large", bytes(MAX_CONTENT_BYTES), limits=WIDE)]
    writer.commit([*large, post("home/large", b"more", limits=WIDE), put("home/empty", b"")], {})
    writer.sign_if_due(0, force=True)
    store.close()
    return made


def contents(made):
    store = SqliteStore(made.directory.ledger)
    paths = [part.path for part in store.read(lambda r: r.parts.lasts("", "", 999))]
    found = {path: store.read(lambda r, p=path: assembled(p, r.parts.of(p))) for path in paths}
    store.close()
    return found


def changes(made):
    """What the new ledger says after its first entry."""
    store = SqliteStore(made.directory.ledger)
    entries = store.read(lambda r: r.entries(1, 99))
    store.close()
    return [resource.decode(entry.kind, entry.body) for entry in entries]


def test_resources_are_put_again_by_the_gateway_itself(made):
    before = contents(made)

    done = recovered(made, although_sound=True)

    after, said = contents(made), changes(made)
    assert done.resources == 3
    assert {p: c[:2] for p, c in after.items()} == {p: c[:2] for p, c in before.items()}
    assert all(after[path].etag != before[path].etag for path in after)
    assert said[0] == Change("put", "", b"12", 0, None)
    assert [change.kind for change in said] == ["put", "put", "put", "post"]


def test_more_than_fits_a_transaction_is_put_all_the_same(made):
    store = made.open()
    writer = writer_on(store, made.directory, made.signer)
    writer.commit([put(f"var/{n}", b"%d" % n, limits=WIDE) for n in range(250)], {})
    writer.sign_if_due(0, force=True)
    store.close()

    done = recovered(made, although_sound=True)

    assert done.resources == 253
    assert contents(made)["var/249"].content == b"249"


def test_what_is_not_whole_is_left_behind_and_told(made):
    made.execute("UPDATE bodies SET body = x'00' WHERE idx = 31")

    with structlog.testing.capture_logs() as logs:
        done = recovered(made, although_sound=True)

    assert done.resources == 2
    assert [(log["path"], log["event"]) for log in logs if "path" in log] == [
        ("home/a", "a resource is left behind")
    ]


def test_a_ledger_that_cannot_be_read_leaves_them_all_behind(made):
    data = bytearray(made.directory.ledger.read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    made.directory.ledger.write_bytes(data)

    with structlog.testing.capture_logs() as logs:
        done = recovered(made, without_numbers=True)

    assert (done.origin, done.resources) == (NEW, 0)
    assert "resources are left behind" in [log["event"] for log in logs]
