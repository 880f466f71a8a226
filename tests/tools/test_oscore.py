"""`device oscore`: a device's context for other people's clients."""

import json
import stat

import pytest

from gateway.directory import Directory
from gateway.store.keys import KeyStore
from protocol import pairing
from protocol.envelope import kid_of
from tests.fakes import ORIGIN, TWINS
from tests.tools.test_commands import refusal, run


@pytest.fixture
def garden(tmp_path):
    run("init", tmp_path / "garden", "--name", ORIGIN)
    run("device", "add", "alice", "--dir", tmp_path / "garden", "--profile", "mac")
    return tmp_path / "garden"


@pytest.fixture
def master(garden):
    store = KeyStore(Directory(garden).keys)
    (device,) = store.devices()
    store.close()
    return pairing.master_secret(device.secret)


def export(garden, folder, *more):
    return run("device", "oscore", "alice", "--dir", garden, "--out", folder, *more)


def test_aiocoaps_client_gets_a_folder_that_it_reads(garden, master, tmp_path):
    folder = tmp_path / "alice"

    done = export(garden, folder, "--gateway", "192.0.2.1:5683")

    files = {path.name: json.loads(path.read_text()) for path in folder.iterdir()}
    kid = kid_of("alice")[:7].hex()
    assert files["settings.json"] == {"sender-id_hex": kid, "recipient-id_hex": "01"}
    assert files["secret.json"] == {"secret_hex": master.hex()}
    assert files["client.json"] == {"coap://192.0.2.1:5683/*": {"oscore": {"basedir": str(folder)}}}
    assert f"aiocoap-client --credentials {folder}/client.json" in done.stdout


def test_libcoaps_client_gets_its_two_files(garden, master, tmp_path):
    folder = tmp_path / "alice"

    done = export(garden, folder, "--client", "libcoap")

    lines = (folder / "coap-oscore.conf").read_text().splitlines()
    kid = kid_of("alice")[:7].hex()
    assert lines == [
        f'master_secret,hex,"{master.hex()}"',
        f'sender_id,hex,"{kid}"',
        'recipient_id,hex,"01"',
    ]
    assert int((folder / "numbers").read_text()) > 0
    assert f"coap-client -E {folder}/coap-oscore.conf,{folder}/numbers" in done.stdout


@pytest.mark.parametrize("client", ["aiocoap", "libcoap"])
def test_secrets_are_for_their_owner_and_never_printed(garden, master, tmp_path, client):
    folder = tmp_path / "alice"

    done = export(garden, folder, "--client", client)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert master.hex() not in done.output


def test_a_later_copy_starts_at_later_numbers(garden, tmp_path):
    numbers = []
    for name in ("first", "second"):
        export(garden, tmp_path / name)
        sequence = json.loads((tmp_path / name / "sequence.json").read_text())
        numbers.append(sequence["next-to-send"])

    assert numbers[0] < numbers[1]


def test_nothing_is_written_over(garden, tmp_path):
    (tmp_path / "alice").mkdir()

    assert "there already" in str(refusal(*_export(garden, tmp_path / "alice", "alice")))
    assert list((tmp_path / "alice").iterdir()) == []


def test_only_a_device_that_may_speak_has_a_context(garden, tmp_path):
    run("device", "revoke", "alice", "--dir", garden)

    for name in ("alice", "nobody"):
        assert "no active device" in str(refusal(*_export(garden, tmp_path / "x", name)))
    assert not (tmp_path / "x").exists()


def test_a_device_whose_kid_begins_like_anothers_is_not_enrolled(garden):
    run("device", "add", TWINS[0], "--dir", garden, "--profile", "mac")

    told = refusal("device", "add", TWINS[1], "--dir", garden, "--profile", "mac")

    assert "OSCORE Sender ID" in str(told)
    assert "choose another name" in told.fix


def _export(garden, folder, name):
    return "device", "oscore", name, "--dir", garden, "--out", folder
