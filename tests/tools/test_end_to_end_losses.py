"""What is missing of what devices have signed, and whose doing it is; and how that is told."""

import hashlib
import json

import pytest
from typer.testing import CliRunner

from gateway import directory as directories
from gateway.directory import Directory
from gateway.ledger.batch import PACK, Submission
from gateway.ledger.log import Draft
from gateway.store.sqlite import SqliteStore
from protocol import senml, sign1
from protocol.senml import Reading
from tests.fakes import ORIGIN, SigningDevice
from tests.gateway.ledger_files import CONFIG, Made, writer_on
from tests.tools.program import app
from tests.tools.sent import checked, enrolled, keys_of, missing, pack, packs
from tools.end_to_end import Checking, outcome
from tools.senders import load
from tools.verify import Held, verdicts_of

OK, WRONG, WRONG_USE = 0, 1, 2


@pytest.fixture
def roof():
    return SigningDevice("roof")


# --- what is known to be lost, deleted, or elsewhere ----------------------------------------


def lossy(roof, sequence, epoch=1, **counts):
    """A pack in which the device says what it lost."""
    records = b"".join(
        b"\xa2\x00" + bytes([0x60 + len(f"roof/{word}")]) + f"roof/{word}".encode() + b"\x02"
        + bytes([count])
        for word, count in counts.items()
    )  # fmt: skip
    body = roof.sign_payload(bytes([0x80 + len(counts)]) + records, sequence, epoch)
    roof.before = sign1.link(body)
    return pack(roof, body)


def test_what_the_device_says_that_it_lost_is_missing_and_nobody_withheld_it(roof):
    entries = [enrolled(roof), *packs(roof, *range(5))]
    del entries[2:4]
    entries.append(lossy(roof, 5, dropped=1, quarantined=1))

    result = checked(entries)

    assert result.holds
    assert missing(result) == (2, ["1.1 to 1.2"])
    assert any("the device says that it lost 2" in line for line in outcome(result))


def test_more_is_missing_than_the_device_lost(roof):
    entries = [enrolled(roof), *packs(roof, *range(8))]
    del entries[2:5]
    entries += [lossy(roof, 8, dropped=1), lossy(roof, 9, dropped=2)]

    result = checked(entries)

    assert not result.holds
    assert result.devices[0].withheld == 1


def test_each_start_of_a_device_counts_anew_what_it_lost(roof):
    entries = [enrolled(roof), *packs(roof, 0)]
    for epoch in (2, 3):
        roof.before = hashlib.sha256(bytes([epoch])).digest()[:16]  # of one that was dropped
        entries += [lossy(roof, 0, epoch, dropped=1)]

    assert checked(entries).holds


def test_what_the_flash_gave_back_damaged_nobody_withheld(roof):
    entries = [enrolled(roof), *packs(roof, *range(3))]
    del entries[2]
    entries.append(lossy(roof, 3, corrupt=1))

    assert checked(entries).holds


def started(roof, epoch, ended):
    """The first pack of a start, which says where the one before ended."""
    payload = senml.encode_pack("roof/", [Reading("roof/ended", "", ended, 0)])
    body = roof.sign_payload(payload, 0, epoch)
    roof.before = sign1.link(body)
    return pack(roof, body)


@pytest.mark.parametrize(
    ("ended", "count", "named"),
    [
        ("1 5", 3, "1.3 to 1.5"),
        ("1 3", 1, "1.3"),
        ("2 1", 2, "2.0 to 2.1"),
        # what cannot be says nothing
        ("1 2", 1, "the one before 4.0"),
        ("4 7", 1, "the one before 4.0"),
        ("0 9", 1, "the one before 4.0"),
        ("unknown", 1, "the one before 4.0"),
        ("1 x", 1, "the one before 4.0"),
        (b"1 5", 1, "the one before 4.0"),
    ],
)
def test_a_start_says_how_many_of_the_last_packs_before_it_are_missing(roof, ended, count, named):
    entries = [enrolled(roof), *packs(roof, 0, 1, 2)]
    packs(roof, 3, 4, 5)  # withheld

    result = checked([*entries, started(roof, 4, ended)])

    assert missing(result) == (count, [named])
    assert not result.holds


def test_a_start_whose_last_pack_is_here_misses_nothing(roof):
    entries = [enrolled(roof), *packs(roof, 0, 1, 2), started(roof, 2, "1 2")]

    assert checked(entries).holds


def test_a_first_start_that_names_an_earlier_one_misses_one_pack_at_least(roof):
    packs(roof, 0, 1)

    result = checked([enrolled(roof), started(roof, 2, "1 1")])

    assert missing(result) == (1, ["the one before 2.0"])


def test_deleted_bodies_are_counted_and_take_the_place_of_what_is_missing(roof):
    entries = [enrolled(roof), *packs(roof, *range(8))]
    for n in (1, 2, 5):
        entries[n] = (PACK, "roof", None)

    result = checked(entries)

    assert (result.holds, result.deleted, result.signed) == (True, 3, 5)
    del entries[5], entries[3]
    assert missing(checked(entries)) == (2, ["among 1.0 to 1.2", "1.4"])


def test_what_came_before_a_ledger_that_goes_on_from_another_is_not_missing(roof):
    packs(roof, 0, 1)
    entries = [("recovered", "", b""), enrolled(roof), *packs(roof, 2, 3)]

    assert checked(entries).holds
    assert missing(checked(entries[1:])) == (2, ["1.0 to 1.1"])


def test_a_start_that_knows_of_none_before_it_is_told(roof):
    entries = [enrolled(roof), *packs(roof, 0, 1)]
    roof.before = bytes(16)
    entries += packs(roof, 0, epoch=2)

    result = checked(entries)

    assert result.holds
    assert any("what came before 1 of its starts" in line for line in outcome(result))


def test_many_faults_are_counted_and_the_first_are_told():
    devices = [SigningDevice(f"d{n}", key=n + 1) for n in range(30)]

    result = checked([entry for device in devices for entry in packs(device, 0)])

    assert (result.fault_count, len(result.faults)) == (30, 20)
    assert list(outcome(result))[-1] == "  WRONG    and 10 more"


# --- the command ----------------------------------------------------------------------------


@pytest.fixture
def garden(tmp_path, roof):
    return make(tmp_path / "garden", [enrolled(roof), *packs(roof, *range(300))])


def make(path, entries):
    """A gateway's directory whose ledger has these entries."""
    signer = directories.create(path, ORIGIN, CONFIG)
    made = Directory(path)
    made.path.joinpath("verifier.key").write_text(f"{signer.verifier_text}\n")
    store = SqliteStore(made.ledger)
    writer = writer_on(store, made, signer)
    writer.commit([Submission(Draft(*entry)) for entry in entries], {})
    writer.sign_if_due(0, force=True)
    store.close()
    return Made(made, signer, "")


def run(*arguments):
    return CliRunner().invoke(app, ["verify", *map(str, arguments)])


def test_a_ledger_is_verified_end_to_end(garden, roof, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"# ours\n\nroof {roof.public_key.hex()}\n")

    told = run(garden.directory.path, "--end-to-end")
    held = run(garden.directory.path, "--keys", keys)

    assert (told.exit_code, held.exit_code) == (OK, OK), told.output + held.output
    assert "the gateway's own entries say it; give --keys FILE" in told.stdout
    assert "give --keys FILE" not in held.stdout
    assert "devices  1 have signed 300 packs; keys: those you gave" in held.stdout
    assert "verdict  ok" in held.stdout


def test_what_is_withheld_is_wrong_and_a_script_hears_it(tmp_path, roof):
    entries = [enrolled(roof), *packs(roof, *range(5))]
    del entries[3]
    made = make(tmp_path / "garden", entries)

    people, script = (
        run(made.directory.path, "--end-to-end"),
        run(made.directory.path, "--end-to-end", "--json"),
    )

    (verdict,) = json.loads(script.stdout)
    assert (people.exit_code, script.exit_code) == (WRONG, WRONG)
    assert "missing  1 of roof: 1.2; 1 withheld" in people.stdout
    assert (verdict["valid"], verdict["first_bad"]) == (False, None)
    assert verdict["end_to_end"]["devices"][0]["missing"] == 1
    assert run(made.directory.path).exit_code == OK


def test_a_forged_pack_is_named_by_its_entry(tmp_path, roof):
    entries = [enrolled(roof), *packs(roof, 0)]
    entries[1] = pack(roof, entries[1][2][:-1] + b"\0")
    made = make(tmp_path / "garden", entries)

    (verdict,) = verdicts_of(str(made.directory.path), held=Held(senders=Checking))

    assert (verdict.valid, verdict.first_bad) == (False, 1)
    assert "forged" in verdict.reason


@pytest.mark.parametrize(
    "text", ["", "roof", "roof 00", f"roof {'00' * 64}", f"roof {'zz' * 64}", "a b c"]
)
def test_a_file_that_has_no_keys_is_wrong_use(garden, tmp_path, text):
    (tmp_path / "keys").write_text(text)

    result = run(garden.directory.path, "--keys", tmp_path / "keys")

    assert result.exit_code == WRONG_USE
    assert "device list --keys" in result.stderr


def test_several_keys_of_one_name_count(roof, tmp_path):
    other = SigningDevice("roof", key=8)
    lines = [f"roof {device.public_key.hex()}" for device in (roof, other)]
    (tmp_path / "keys").write_text("\n".join(lines))

    assert load(tmp_path / "keys") == keys_of(roof, other)
