"""Resources against a dict of paths and bytes, and against what an auditor makes of the entries."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.ledger.batch import Applied
from gateway.ledger.changes import ALWAYS, Conditions, Totals
from gateway.ledger.contents import assembled
from gateway.store.memory import MemoryStore
from gateway.store.sqlite import SqliteStore
from protocol import resource
from protocol.merkle import leaf_hash
from protocol.resource import CHANGES, DELETE, POST
from tests.fakes import FakeDevice, FakeGateway
from tests.gateway.resourceful import wanted

# (kind, path, content, conditions); the last of them is to be read when it is submitted
STEP = st.tuples(
    st.sampled_from(CHANGES),
    st.sampled_from(["home/a", "home/b", "etc/c"]),
    st.binary(max_size=6),
    st.sampled_from(["always", "must exist", "must not exist", "if match"]),
)
BATCHES = st.lists(st.lists(STEP, min_size=1, max_size=6), max_size=12)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(batches=BATCHES)
def test_the_resources_are_what_a_dict_would_hold_and_what_the_entries_say(
    tmp_path_factory, batches
):
    path = tmp_path_factory.mktemp("store") / "ledger.sqlite"
    for store in (MemoryStore(), SqliteStore(path, create=True)):
        gateway, model = FakeGateway(store), {}

        for number, batch in enumerate(batches):
            known = {path: etag for path, (_, etag) in held(gateway).items()}
            submissions = [submission(step, known) for step in batch]
            answers = gateway.commit(*submissions, FakeDevice().submission(number))
            changed = set()
            for step, answer in zip(batch, answers, strict=False):
                assert isinstance(answer, Applied) == _apply(model, step, known, changed)

        found = held(gateway)
        assert {path: content for path, (content, _) in found.items()} == model
        assert found == replayed(gateway)
        store.close()


def submission(step, known):
    kind, path, content, condition = step
    conditions = {
        "always": ALWAYS,
        "must exist": Conditions(must_exist=True),
        "must not exist": Conditions(must_not_exist=True),
        "if match": Conditions(if_match=(known.get(path, bytes(8))[:8],)),
    }[condition]
    return wanted(kind, path, content, conditions=conditions)


def _apply(model, step, known, changed):
    """Whether the model lets it; then it is done."""
    kind, path, content, condition = step
    there = path in model
    is_let = {
        "always": True,
        "must exist": there,
        "must not exist": not there,
        "if match": path in known and path not in changed,
    }[condition]
    if not is_let or (kind == DELETE and not there):
        return False
    changed.add(path)
    if kind == DELETE:
        del model[path]
    else:
        model[path] = model.get(path, b"") + content if kind == POST else content
    return True


def held(gateway):
    """path -> (content, ETag), as a reader finds them."""

    def read(reader):
        lasts = reader.parts.lasts("", "", 99)
        assert Totals.read(reader) == Totals(len(lasts), sum(part.size_bytes for part in lasts))
        return {p.path: assembled(p.path, reader.parts.of(p.path))[::2] for p in lasts}

    return gateway.store.read(read)


def replayed(gateway):
    """path -> (content, ETag), from the entries alone, each of which follows the one before it."""
    found, ends = {}, {}
    for entry in gateway.store.read(lambda r: r.entries(0, gateway.writer.size)):
        if entry.kind not in CHANGES:
            continue
        path, change = entry.source, resource.decode(entry.kind, entry.body)
        assert change.before == ends.get(path)
        if entry.kind == DELETE:
            del found[path], ends[path]
            continue
        before = found[path][0] if entry.kind == POST and path in found else b""
        found[path], ends[path] = (before + change.content, leaf_hash(entry.leaf)), entry.index
    return found
