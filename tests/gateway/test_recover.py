"""A new ledger in the place of one that must not be signed: whole, or not yet."""

import pytest

from gateway import quarantine, remains, rotate
from gateway.directory import Directory
from gateway.errors import ConfigError, ConflictError, RolledBackError
from gateway.ledger import damage
from gateway.ledger.batch import ALERT, CHANGES_KID, Kept
from gateway.ledger.signer import Signer
from gateway.store.keys import KeyStore
from protocol.checkpoint import unverified
from tests.fakes import ORIGIN, SEED, FakeDevice
from tests.gateway.ledger_files import make, writer_on
from tests.gateway.recovering import NEW, SIZE, check_whole, recovered

SHED = FakeDevice("shed")  # has used 0, 3, 6, … 27


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return make(tmp_path_factory.mktemp("sound") / "garden", size=SIZE)


@pytest.fixture
def made(sound, tmp_path):
    return sound.copy(tmp_path)


@pytest.fixture
def behind(made):
    """Its end was cut off; what was signed is known from the file beside it."""
    made.execute("DELETE FROM entries WHERE idx >= 20")
    return made


def test_the_new_ledger_names_the_largest_checkpoint_of_the_old_one(behind):
    note = behind.note

    done = recovered(behind)

    assert check_whole(behind.directory) == done.recovery == (ORIGIN, note, SIZE)
    assert (done.origin, unverified(note).size) == (NEW, SIZE)
    assert done.verifier_key.startswith(f"{NEW}+")


def test_the_old_ledger_is_set_aside_and_its_key_is_nowhere(behind):
    note, seed = behind.note, behind.signer.seed

    retired = recovered(behind).retired

    assert (retired / "checkpoint").read_text() == note
    assert (retired / "verifier.key").read_text() == f"{behind.vkey}\n"
    assert f'"{ORIGIN}"' in (retired / "tallystick.toml").read_text()
    assert remains.count_numbers(Directory(retired)) == SIZE
    everything = [p.read_bytes() for p in behind.directory.path.rglob("*") if p.is_file()]
    assert not [data for data in everything if seed in data]


def test_a_number_that_was_used_stays_used_and_its_bytes_become_an_alert(behind):
    recovered(behind)
    signer = behind.directory.load_signer(NEW)
    store, note, size = behind.directory.open_checked(signer)
    writer = writer_on(store, behind.directory, signer)
    writer.resume(size, note)

    used, fresh = writer.commit([SHED.submission(3), SHED.submission(99)], {})

    (alert,) = store.read(lambda reader: reader.entries(1, 2))
    store.close()
    assert isinstance(used, ConflictError)
    assert "epoch 1 sequence 3 was taken before this ledger" in str(used)
    assert (alert.kind, alert.body) == (ALERT, SHED.submission(3).draft.body)
    assert (fresh.index, fresh.repeat) == (2, False)


def test_devices_keep_their_secrets_and_are_enrolled_in_the_new_ledger_again(made):
    keys = KeyStore(made.directory.keys)
    keys.add("shed", SHED.secret)
    keys.close()
    store = made.open()
    store.transact(lambda transaction: transaction.put_numbers([(CHANGES_KID, 0, 1, 5)]))
    store.close()

    done = recovered(made, although_sound=True)

    keys = KeyStore(made.directory.keys)
    (device,) = keys.devices()
    keys.close()
    store = made.open()
    taken = store.read(lambda reader: reader.number(CHANGES_KID, 0, 1))
    store.close()
    assert (device.secret, taken, done.recovery.numbers) == (SHED.secret, None, SIZE)


def test_what_damage_the_old_ledger_told_of_the_new_one_can_tell_of_itself(made):
    store = made.open()
    writer_on(store, made.directory, made.signer).commit([damage.record(3)], {})
    store.close()

    done = recovered(made, although_sound=True)

    store = made.open()
    writer = writer_on(store, made.directory, made.directory.load_signer(NEW))
    told = writer.commit([damage.record(3)], {})
    store.close()
    assert (done.recovery.numbers, told) == (SIZE, [Kept(1, repeat=False)])


def test_a_ledger_that_could_go_on_is_not_given_up_by_mistake(made):
    before = {path.name: path.read_bytes() for path in made.directory.path.iterdir()}

    with pytest.raises(ConfigError, match="is sound, and its key would be destroyed") as refusal:
        recovered(made)

    assert "--although-sound" in refusal.value.fix
    after = {path.name: path.read_bytes() for path in made.directory.path.iterdir()}
    assert {name: after[name] for name in before} == before


def test_a_ledger_in_quarantine_is_not_sound(made):
    note = made.signer.sign(SIZE + 5, bytes(32))
    quarantine.keep(made.directory.quarantine, RolledBackError("seen", "fix", note))

    done = recovered(made)

    assert done.recovery.note == note
    assert not made.directory.quarantine.exists()
    assert (done.retired / "quarantine").exists()


# damage -> what the new ledger can say of the old one: its note's size, its numbers
DAMAGE = {
    "no SQLite file": (lambda d: d.ledger.write_bytes(b"garbage" * 999), SIZE),
    "no ledger": (lambda d: d.ledger.unlink(), SIZE),
    "no ledger, no key": (lambda d: (d.ledger.unlink(), d.signer.unlink()), SIZE),
    "a key of nobody": (lambda d: (d.ledger.unlink(), d.signer.write_text("x")), SIZE),
    "no ledger, no checkpoint": (lambda d: (d.ledger.unlink(), d.checkpoint.unlink()), None),
    "no key at all": (
        lambda d: (d.ledger.unlink(), d.signer.unlink(), d.verifier.write_text("none")),
        None,
    ),
    "a quarantine that cannot be read": (
        lambda d: (d.ledger.unlink(), d.quarantine.write_text("?")),
        SIZE,
    ),
    "a forged checkpoint": (
        lambda d: (d.ledger.unlink(), d.checkpoint.write_text(_forged())),
        None,
    ),
}


def _forged() -> str:
    return Signer(ORIGIN, SEED).sign(99, bytes(32))


@pytest.mark.parametrize(("damage", "size"), DAMAGE.values(), ids=DAMAGE)
def test_a_ledger_that_cannot_be_read_is_left_loudly_and_only_when_asked(made, damage, size):
    damage(made.directory)

    with pytest.raises(ConfigError, match="the old ledger cannot be read") as refusal:
        recovered(made)
    done = recovered(made, without_numbers=True)

    assert "--without-numbers" in refusal.value.fix
    assert done.recovery.numbers is None
    assert size == (unverified(done.recovery.note).size if done.recovery.note else None)
    check_whole(made.directory)


def test_the_note_of_a_rotated_ledger_is_known_by_its_own_keys(made):
    rotate.rotate(made.directory, ORIGIN)
    note = made.note
    made.directory.signer.unlink()
    made.directory.verifier.unlink()

    assert recovered(made).recovery.note == note


def test_a_ledger_can_be_recovered_again_and_all_its_numbers_stay_taken(behind):
    recovered(behind)
    behind.directory.checkpoint.unlink()

    done = recovered(behind, "test.invalid/ledger-3")

    assert done.recovery[0::2] == (NEW, SIZE)
    with pytest.raises(ConfigError, match="was the name of a ledger here before"):
        recovered(behind, NEW, although_sound=True)
    with pytest.raises(ConfigError, match="was the name of a ledger here before"):
        recovered(behind, ORIGIN, although_sound=True)


def test_asking_again_tells_the_same_and_changes_nothing(behind):
    first = recovered(behind)

    assert recovered(behind) == first


@pytest.mark.parametrize("name", ["", "two words", "a+b", "x" * 256])
def test_a_name_that_no_ledger_can_have_is_refused(behind, name):
    with pytest.raises(ConfigError, match=r"is no origin|an origin is"):
        recovered(behind, name)


def test_the_name_it_has_is_no_new_name(made):
    with pytest.raises(ConfigError, match=r"is called .* already"):
        recovered(made, ORIGIN)


@pytest.mark.parametrize(
    "text", [f'"origin" = "{ORIGIN}"\n', f'x = """\norigin = 1\n"""\norigin = "{ORIGIN}"\n']
)
def test_a_configuration_that_it_does_not_understand_is_not_touched(behind, text):
    behind.directory.config.write_text(text)

    with pytest.raises(ConfigError):
        recovered(behind)

    assert behind.directory.config.read_text() == text
    assert behind.directory.load_signer(ORIGIN).seed == behind.signer.seed
