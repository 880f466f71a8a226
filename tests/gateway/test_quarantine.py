"""Why nothing is signed stays on file until the ledger is right again."""

import json

import pytest

from gateway import quarantine
from gateway.errors import ConfigError, RolledBackError
from gateway.ledger.signer import Signer
from gateway.quarantine import Quarantine
from tests.fakes import ORIGIN, SEED
from tests.gateway.ledger_files import Made, make

STRANGER = Signer(ORIGIN, SEED)
FIX = "restore the newer copy"


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return make(tmp_path_factory.mktemp("sound") / "garden", size=30)


@pytest.fixture
def made(sound, tmp_path):
    return sound.copy(tmp_path)


def opened(made: Made) -> int:
    store, _, size = made.directory.open_checked(made.signer)
    store.close()
    return size


def put(made: Made, note: str) -> None:
    error = RolledBackError("the upstream has seen 31 entries", FIX, note)
    quarantine.keep(made.directory.quarantine, error)


def test_what_is_kept_is_loaded_again_and_can_be_read_by_people(made):
    note = made.signer.sign(31, bytes(32))
    put(made, note)

    held = quarantine.load(made.directory.quarantine)

    assert held == Quarantine("the upstream has seen 31 entries", FIX, note)
    assert json.loads(made.directory.quarantine.read_text())["fix"] == FIX


def test_no_file_is_no_quarantine(made):
    assert quarantine.load(made.directory.quarantine) is None
    assert opened(made) == 30


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"reason": 1, "fix": ""}'])
def test_a_file_that_cannot_be_read_is_not_taken_for_a_pardon(made, content):
    made.directory.quarantine.write_bytes(content)

    with pytest.raises(ConfigError, match="must not be signed") as refusal:
        opened(made)

    assert "verify DIR --checkpoint FILE" in refusal.value.fix


# what was shown -> whether the ledger goes on from it
SHOWN = {
    "more than there is": (lambda m: m.signer.sign(31, bytes(32)), False),
    "another tree": (lambda m: m.signer.sign(7, bytes(32)), False),
    "by a key that is gone": (lambda m: STRANGER.sign(7, bytes(32)), False),
    "its own past": (lambda m: m.older, True),
    "its end": (lambda m: m.note, True),
    "nothing: the start check had failed": (lambda m: "", True),
}


@pytest.mark.parametrize(("note", "goes_on"), SHOWN.values(), ids=SHOWN)
def test_a_start_explains_the_same_until_the_ledger_goes_on_from_the_note(made, note, goes_on):
    put(made, note(made))

    if goes_on:
        assert opened(made) == 30
    else:
        with pytest.raises(RolledBackError, match="the upstream has seen 31 entries") as refusal:
            opened(made)
        assert (refusal.value.fix, refusal.value.note) == (FIX, note(made))


def test_a_ledger_behind_its_checkpoint_names_the_note(made):
    note = made.note
    made.execute("DELETE FROM entries WHERE idx >= 20")

    with pytest.raises(RolledBackError) as refusal:
        opened(made)

    assert refusal.value.note == note
