"""Which paths there may be, and what is said of those that may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadPathError, NotFoundError
from gateway.resources import paths
from protocol.limits import MAX_PATH_BYTES, MAX_PATH_SEGMENTS

GOOD = [
    "home/lamp",
    "/home/lamp",
    "tmp/a/b/c",
    "proc/version",
    "var/log/deletes",
    "home/...",
    "home/.hidden",
    "home/a b",
    "home/*:?#&=;,",
    "home/100%",
    "home/%2e%2e",
    "home/\u00e9\u4e16\U0001f600",
    "home/" + "n" * (MAX_PATH_BYTES - 5),
    "home/" + "/".join("n" * (MAX_PATH_SEGMENTS - 1)),
]


@pytest.mark.parametrize("text", GOOD)
def test_a_path_is_what_it_was_without_the_first_slash(text):
    assert paths.of_text(text) == text.removeprefix("/")


BAD = {
    "": "empty segment",
    "/": "empty segment",
    "home//lamp": "empty segment",
    "home/lamp/": "empty segment",
    "//home/lamp": "empty segment",
    "home/./lamp": "a path goes one way",
    "home/../etc/lamp": "a path goes one way",
    "home/..": "a path goes one way",
    "home/a\\b": "backslash",
    "home/a\0b": "control character",
    "home/a\nb": "control character",
    "home/a\x7f": "control character",
    "home/a\x9f": "control character",
    "home/\ud800": "not UTF-8",
    "home": "is a namespace",
    "/proc": "is a namespace",
    "home/" + "n" * (MAX_PATH_BYTES - 4): "bytes",
    "home/" + "n" * 10_000: "bytes",
    "home/" + "\u4e16" * 84: "257 bytes",
    "home/" + "/".join("n" * MAX_PATH_SEGMENTS): "segments",
}


@pytest.mark.parametrize(("text", "words"), BAD.items(), ids=lambda text: repr(text)[:30])
def test_what_no_path_may_have_is_named(text, words):
    with pytest.raises(BadPathError, match=words):
        paths.of_text(text)


@pytest.mark.parametrize("text", ["lamp", "HOME/lamp", "r", "time", "opt/x", ".well-known/core"])
def test_what_is_in_no_namespace_is_not_put_elsewhere(text):
    with pytest.raises(NotFoundError, match="begins with one of home, "):
        paths.of_text(text)


def test_a_slash_inside_a_segment_is_no_way_around():
    with pytest.raises(BadPathError, match="slash"):
        paths.of_segments(["home", "shed/../roof"])


def test_no_segments_are_no_path():
    with pytest.raises(NotFoundError):
        paths.of_segments([])


@given(
    st.lists(st.text(max_size=8), max_size=20) | st.text(max_size=40).map(lambda t: t.split("/"))
)
def test_a_path_that_is_taken_is_taken_again_as_it_is(segments):
    try:
        path = paths.of_segments(["home", *segments])
    except BadPathError:
        return

    assert paths.of_text(path) == path == paths.of_segments(path.split("/"))
    assert paths.namespace_of(path) == "home"
