"""Releases as the gateway keeps them: whole, unchanged, and nothing beside them."""

import hashlib

import pytest

from gateway.errors import ConfigError, NotFoundError
from gateway.releases import Releases
from tests.device.releases import release

FILES = {"device/main.mpy": b"main" * 300, "protocol/coap.mpy": b"coap"}


@pytest.fixture
def releases(tmp_path):
    return Releases(tmp_path / "gateway" / "fw")


@pytest.fixture
def built(tmp_path):
    return release(tmp_path / "built", FILES, version="1.1.0", counter=7)


def test_what_is_published_is_read_with_the_start_of_its_hash(releases, built):
    published = releases.publish(built)

    found = releases.read("1.1.0", "device/main.mpy")
    assert found.content == FILES["device/main.mpy"]
    assert found.etag == hashlib.sha256(found.content).digest()[:8]
    assert releases.read("1.1.0", "manifest").content == (built / "manifest").read_bytes()
    assert published.head.counter == 7


def test_the_newest_release_is_listed_first(releases, tmp_path):
    for version, counter in (("1.1.0", 7), ("1.0.9", 9), ("2.0.0", 8)):
        releases.publish(release(tmp_path / "built", FILES, version=version, counter=counter))

    assert [one.head.version for one in releases.versions()] == ["1.0.9", "2.0.0", "1.1.0"]


def test_there_are_none_before_the_first_is_published(releases):
    assert releases.versions() == []
    with pytest.raises(NotFoundError):
        releases.read("1.1.0", "manifest")


@pytest.mark.parametrize(
    ("version", "path"),
    [
        ("1.1.1", "manifest"),
        ("1.1.0", "device/other.mpy"),
        ("1.1.0", "device"),
        ("1.1.0", ""),
        ("1.1.0", "../../keys.sqlite"),
        ("1.1.0", "device/../manifest"),
        ("..", "signer.key"),
        ("", "manifest"),
        (".new", "manifest"),
        ("1.1.0", "config.json"),
    ],
)
def test_what_is_no_file_of_a_release_is_not_found(releases, built, version, path):
    releases.publish(built)

    with pytest.raises(NotFoundError):
        releases.read(version, path)


def test_a_link_to_somewhere_else_is_not_followed(releases, built, tmp_path):
    releases.publish(built)
    secret = tmp_path / "gateway" / "signer.key"
    secret.write_bytes(b"secret")
    (releases.folder / "1.1.0" / "device" / "key.mpy").symlink_to(secret)
    (releases.folder / "1.2.0").symlink_to(tmp_path / "gateway")

    for version, path in (("1.1.0", "device/key.mpy"), ("1.2.0", "manifest")):
        with pytest.raises(NotFoundError):
            releases.read(version, path)


def test_a_file_over_the_largest_a_release_may_have_is_not_served(releases, built):
    releases.publish(built)
    (releases.folder / "1.1.0" / "device" / "huge.mpy").write_bytes(bytes(65_537))

    with pytest.raises(NotFoundError):
        releases.read("1.1.0", "device/huge.mpy")


def test_a_file_that_was_exchanged_is_read_anew(releases, built):
    releases.publish(built)
    before = releases.read("1.1.0", "protocol/coap.mpy")
    (releases.folder / "1.1.0" / "protocol" / "coap.mpy").write_bytes(b"something longer")

    after = releases.read("1.1.0", "protocol/coap.mpy")

    assert (before.content, after.content) == (b"coap", b"something longer")
    assert before.etag != after.etag


def test_the_same_release_is_published_once(releases, built):
    releases.publish(built)

    assert releases.publish(built) == releases.publish(built)


def test_another_release_of_a_version_that_is_published_is_refused(releases, built, tmp_path):
    releases.publish(built)
    other = release(tmp_path / "other", {"device/main.mpy": b"x"}, version="1.1.0", counter=8)

    with pytest.raises(ConfigError, match="other content"):
        releases.publish(other)

    assert releases.read("1.1.0", "protocol/coap.mpy").content == b"coap"


@pytest.mark.parametrize("spoil", ["changed", "missing", "no manifest", "half a manifest"])
def test_a_release_that_is_not_what_it_says_is_not_published(releases, built, spoil):
    listed = built / "manifest"
    if spoil == "changed":
        (built / "device" / "main.mpy").write_bytes(b"other")
    elif spoil == "missing":
        (built / "device" / "main.mpy").unlink()
    elif spoil == "no manifest":
        listed.unlink()
    else:
        listed.write_bytes(listed.read_bytes()[:90])

    with pytest.raises(ConfigError):
        releases.publish(built)

    assert releases.versions() == []
