"""`tallystick firmware`: a key, a release that is signed with it, and where it is published."""

import io
import json

import pytest
from typer.testing import CliRunner

from gateway.errors import ConfigError
from protocol import manifest
from protocol.errors import BadSignatureError
from tests.fakes import ORIGIN
from tests.tools.program import app


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def refusal(*arguments) -> ConfigError:
    error = run(*arguments).exception
    assert isinstance(error, ConfigError), error
    return error


@pytest.fixture
def key(tmp_path):
    made = run("firmware", "keygen", tmp_path / "release.key")
    assert made.exit_code == 0, made.output
    return tmp_path / "release.key"


@pytest.fixture
def garden(tmp_path):
    assert run("init", tmp_path / "garden", "--name", ORIGIN).exit_code == 0
    return tmp_path / "garden"


def public_key(key):
    shown = json.loads("{" + run("firmware", "key", key).stdout + "}")
    return bytes.fromhex(shown["update_key"])


def test_the_key_is_for_its_owner_only_and_is_never_written_over(key):
    before = key.read_bytes()

    assert "there already" in str(refusal("firmware", "keygen", key))
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_bytes() == before


def test_a_release_is_what_a_device_takes_under_that_key_and_no_other(key, garden, tmp_path):
    out = tmp_path / "release"
    built = run("firmware", "build", "--key", key, "--out", out, "--version", "1.1.0")
    assert built.exit_code == 0, built.output
    listed = io.BytesIO((out / manifest.NAME).read_bytes())

    head = manifest.open_signed(listed, public_key(key))

    paths = [file.path for file in manifest.files(listed)]
    assert (head.version, head.mpy, head.arch) == ("1.1.0", 6, 0)
    assert {"device/main.mpy", "device/update.mpy", "device/board/esp32.mpy"} <= set(paths)
    assert not {"device/slots.mpy", "device/slot_start.mpy"} & set(
        paths
    )  # what chooses the slot is never updated
    with pytest.raises(BadSignatureError):
        manifest.open_signed(listed, public_key(other_key(tmp_path)))
    assert run("firmware", "publish", out, "--dir", garden).exit_code == 0
    shown = json.loads(run("firmware", "list", "--dir", garden, "--json").stdout)
    assert [(one["version"], one["files"]) for one in shown] == [("1.1.0", len(paths))]


def test_nothing_is_left_of_a_release_that_cannot_be(key, tmp_path):
    asked = ("firmware", "build", "--key", key, "--out", tmp_path / "r")

    assert "version" in str(refusal(*asked, "--version", "1/2"))

    assert [one.name for one in tmp_path.iterdir()] == ["release.key"]


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused_with_the_fix(content, tmp_path):
    (tmp_path / "none").write_bytes(content)

    error = refusal("firmware", "build", "--key", tmp_path / "none", "--out", tmp_path / "r")

    assert "no release key" in str(error)
    assert "keygen" in error.fix


def test_a_release_is_published_to_a_gateway_only(key, tmp_path):
    assert "no gateway's directory" in str(refusal("firmware", "list", "--dir", tmp_path))


def other_key(tmp_path):
    assert run("firmware", "keygen", tmp_path / "other.key").exit_code == 0
    return tmp_path / "other.key"
