"""Keys made on a board: once, from two entropies, told as often as asked, never shown."""

import json

import pytest

from device import enrol, keys, store
from device.config import ConfigError
from protocol.envelope import kid_of
from tests.device.board import FakeBoard
from tests.device.signatures import Signatures
from tests.device.signed import NAME, identity_of, settings, started
from tests.protocol import oracles


def made(signing_folder, capsys):
    (signing_folder / "entropy").write_bytes(bytes(32))
    enrol.make_key(str(signing_folder), FakeBoard())
    return json.loads(capsys.readouterr().out)


def test_a_key_is_made_once_and_told_again(signing_folder, capsys):
    first = made(signing_folder, capsys)
    again = made(signing_folder, capsys)

    assert first["event"] == "key"
    assert first == again
    assert not (signing_folder / "entropy").exists()
    private, public = keys.load(str(signing_folder))
    assert public.hex() == first["public_key"] == oracles.p256_public(private).hex()
    assert private.hex() not in json.dumps(first)


def test_a_board_signs_with_the_key_it_made(signing_folder, capsys):
    public = bytes.fromhex(made(signing_folder, capsys)["public_key"])

    own = started(signing_folder, profile="sig")

    Signatures(public).opened(own.seal(0, b"pack"))
    assert own.kid == kid_of(NAME, "sig", public_key=public)
    assert identity_of(signing_folder, settings(), 2).profile == "sig"


def test_without_entropy_of_the_host_no_key_is_made(signing_folder, capsys):
    for entropy in (None, b"", bytes(31)):
        if entropy is not None:
            (signing_folder / "entropy").write_bytes(entropy)

        enrol.make_key(str(signing_folder) + "/", FakeBoard())

        told = json.loads(capsys.readouterr().out)
        assert told["event"] == "refused"
        assert "entropy" in told["reason"]
        assert keys.load(str(signing_folder)) is None


def test_other_entropy_makes_another_key(signing_folder, capsys):
    first = made(signing_folder, capsys)
    (signing_folder / "key").unlink()
    (signing_folder / "entropy").write_bytes(b"\x01" * 32)

    enrol.make_key(str(signing_folder), FakeBoard())

    assert json.loads(capsys.readouterr().out) != first


def test_a_damaged_key_is_no_key(signing_folder, capsys):
    made(signing_folder, capsys)
    store.save(FakeBoard(), str(signing_folder / "key"), bytes(95))

    assert keys.load(str(signing_folder)) is None
    with pytest.raises(ConfigError, match="enrol the device again"):
        started(signing_folder, profile="sig")
