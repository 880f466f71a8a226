"""Resources that a restart forgets: quotas, conditions, and ETags that never come again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import (
    ContentTooLargeError,
    GatewayError,
    NotFoundError,
    PreconditionError,
    QuotaError,
    UnsupportedFormatError,
)
from gateway.ledger.changes import ALWAYS, Conditions, Limits
from gateway.resources import Changed, Found
from gateway.resources.memory import MemoryTree

LIMITS = Limits(resource_bytes=10, resources=3, total_bytes=30)
PATH = "tmp/a"  # five bytes, which count


@pytest.fixture
def tree():
    return MemoryTree(LIMITS, bytes(32))


def put(tree, content=b"x", path=PATH, content_format=None, conditions=ALWAYS):
    return tree.put(path, content, content_format, conditions)


def post(tree, content=b"x", path=PATH, content_format=None, conditions=ALWAYS):
    return tree.post(path, content, content_format, conditions)


def test_what_was_put_is_there(tree):
    changed = put(tree, b"21.5", content_format=0)

    assert changed.created
    assert tree.get(PATH) == Found(b"21.5", 0, changed.etag)
    assert len(changed.etag) == 32


def test_a_put_replaces_content_and_format(tree):
    put(tree, b"21.5", content_format=0)

    changed = put(tree, b"{}", content_format=50)

    assert not changed.created
    assert tree.get(PATH) == Found(b"{}", 50, changed.etag)


def test_a_post_appends_and_keeps_the_format(tree):
    created = post(tree, b"a", content_format=0)
    changed = post(tree, b"b")

    assert (created.created, changed.created) == (True, False)
    assert tree.get(PATH) == Found(b"ab", 0, changed.etag)


def test_a_content_that_was_read_does_not_grow(tree):
    put(tree, b"a")
    read = tree.get(PATH)

    post(tree, b"b")

    assert read.content == b"a"


def test_another_format_is_not_appended(tree):
    put(tree, b"a", content_format=0)

    with pytest.raises(UnsupportedFormatError):
        post(tree, b"b", content_format=60)

    assert tree.get(PATH).content == b"a"


def test_what_is_deleted_is_gone(tree):
    put(tree)

    assert tree.delete(PATH, ALWAYS) == Changed(None, created=False)
    with pytest.raises(NotFoundError):
        tree.get(PATH)
    with pytest.raises(NotFoundError):
        tree.delete(PATH, ALWAYS)
    assert (len(tree), tree.size_bytes) == (0, 0)


def test_no_etag_comes_again(tree):
    etags = {change.etag for _ in range(20) for change in (put(tree, b"a"), put(tree, b"b"))}
    for _ in range(20):
        tree.delete(PATH, ALWAYS)
        etags |= {put(tree, b"a").etag, post(tree, b"").etag}
    after_a_restart = MemoryTree(LIMITS, b"another nonce")
    etags |= {put(after_a_restart, b"a").etag for _ in range(20)}

    assert len({etag[:8] for etag in etags}) == 100


def test_an_etag_of_another_life_does_not_match(tree):
    known = Conditions(if_match=(put(tree, b"a").etag[:8],))
    tree.delete(PATH, ALWAYS)
    put(tree, b"a")

    with pytest.raises(PreconditionError):
        put(tree, b"b", conditions=known)


@pytest.mark.parametrize("change", [put, post])
def test_conditions_are_held_to_what_is_there(tree, change):
    with pytest.raises(PreconditionError):
        change(tree, conditions=Conditions(must_exist=True))
    first = change(tree, conditions=Conditions(must_not_exist=True))
    with pytest.raises(PreconditionError):
        change(tree, conditions=Conditions(must_not_exist=True))
    known = Conditions(if_match=(first.etag,), must_exist=True)
    change(tree, conditions=known)
    with pytest.raises(PreconditionError):
        change(tree, conditions=known)
    with pytest.raises(PreconditionError):
        tree.delete(PATH, known)


REFUSED = {
    "too large": (lambda t: put(t, bytes(11)), ContentTooLargeError),
    "appended to what is too large": (lambda t: post(t, bytes(10)), ContentTooLargeError),
    "one more": (lambda t: put(t, b"", "tmp/d"), QuotaError),
    "one more by a post": (lambda t: post(t, b"", "tmp/d"), QuotaError),
    "more bytes": (lambda t: put(t, bytes(10)), QuotaError),
    "more bytes by a post": (lambda t: post(t, bytes(9)), QuotaError),
}


@pytest.mark.parametrize(("change", "refusal"), REFUSED.values(), ids=REFUSED)
def test_what_is_too_much_is_refused_and_nothing_is_pushed_out(tree, change, refusal):
    for path, size in (("tmp/a", 1), ("tmp/b", 7), ("tmp/c", 6)):
        put(tree, bytes(size), path)

    with pytest.raises(refusal):
        change(tree)

    assert tree.size_bytes == 29
    assert [size for _, size, _ in tree.listed("", "", 9)] == [1, 7, 6]


def test_paths_count(tree):
    put(tree, b"", "tmp/" + "n" * 26)

    with pytest.raises(QuotaError):
        put(tree, b"", "tmp/a")


def test_resources_are_listed_in_order_behind_a_path_and_under_a_prefix(tree):
    for path in ("tmp/b", "dev/x", "tmp/a"):
        put(tree, b"1", path, content_format=0)

    assert [path for path, *_ in tree.listed("", "", 9)] == ["dev/x", "tmp/a", "tmp/b"]
    assert tree.listed("dev/x", "", 1) == [("tmp/a", 1, 0)]
    assert [path for path, *_ in tree.listed("", "tmp/", 9)] == ["tmp/a", "tmp/b"]


STEPS = st.tuples(
    st.sampled_from(["put", "post", "delete"]), st.sampled_from("abcd"), st.binary(max_size=12)
)


@settings(deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_it_holds_what_a_dict_would(steps):
    tree, model = MemoryTree(LIMITS, bytes(32)), {}

    for kind, path, content in steps:
        before = dict(model)
        if kind == "delete":
            model.pop(path, None)
        else:
            model[path] = content if kind == "put" else model.get(path, b"") + content
        try:
            _do(tree, kind, path, content)
        except GatewayError:
            model = before

        assert {p: tree.get(p).content for p, _, _ in tree.listed("", "", 9)} == model
        assert tree.size_bytes == sum(1 + len(content) for content in model.values())


def _do(tree, kind, path, content):
    if kind == "delete":
        tree.delete(path, ALWAYS)
    else:
        getattr(tree, kind)(path, content, None, ALWAYS)
