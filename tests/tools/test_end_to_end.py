"""What devices have signed, checked past their gateway: what is right, and what was done to it."""

import pytest

from gateway.ledger.batch import PACK
from protocol import sign1
from tests.fakes import FakeDevice, SigningDevice
from tests.tools.sent import checked, enrolled, fault, keys_of, missing, pack, packs
from tools.end_to_end import outcome, reason

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture
def roof():
    return SigningDevice("roof")


# --- what is right --------------------------------------------------------------------------


def test_what_a_device_has_signed_and_is_all_here_holds(roof):
    entries = [enrolled(roof), *packs(roof, *range(20)), *packs(roof, *range(5), epoch=2)]

    result = checked(entries)

    assert (result.holds, result.signed, result.fault_count) == (True, 25, 0)
    assert [device.name for device in result.devices] == ["roof"]


def test_packs_with_tags_are_counted_as_the_gateways_word(roof):
    shed = FakeDevice("shed")
    entries = [enrolled(roof), *packs(roof, 0), *[pack(shed, shed.seal(n)) for n in range(3)]]

    result = checked(entries)

    assert (result.holds, result.signed, result.by_gateway) == (True, 1, 3)
    assert any("3 packs with tags: by the gateway's word" in line for line in outcome(result))


def test_both_names_of_the_algorithm_hold(roof):
    payload = b"\x81\xa2\x00\x66roof/t\x02\x01"
    body = roof.sign_payload(payload).replace(b"\xa3\x01\x28", b"\xa3\x01\x26", 1)
    protected = body[3:45]
    signed = body[:-64] + roof._signature(sign1.digest(protected, payload, b"up"))

    assert checked([enrolled(roof), pack(roof, signed)]).holds


# --- what is withheld, swapped, forged ------------------------------------------------------


def test_a_pack_that_is_withheld_in_the_middle_is_found_out(roof):
    entries = [enrolled(roof), *packs(roof, *range(10))]
    del entries[5]

    result = checked(entries)

    assert not result.holds
    assert missing(result) == (1, ["1.4"])
    assert "1 of roof: 1.4; 1 withheld, or lost on their way" in reason(result)


def test_several_are_named_as_far_as_they_stand_together(roof):
    entries = [enrolled(roof), *packs(roof, *range(10))]
    del entries[3:6], entries[1]

    assert missing(checked(entries)) == (4, ["1.0", "1.2 to 1.4"])


def test_the_end_of_a_start_that_is_withheld_shows_at_the_next(roof):
    entries = [enrolled(roof), *packs(roof, *range(5)), *packs(roof, 0, 1, epoch=2)]
    del entries[5]

    result = checked(entries)

    assert not result.holds
    assert missing(result) == (1, ["the one before 2.0"])


def test_a_whole_start_that_is_withheld_shows_at_the_next(roof):
    entries = [enrolled(roof)]
    for epoch in (1, 2, 3):
        entries += packs(roof, 0, 1, epoch=epoch)
    del entries[3:5]

    assert missing(checked(entries)) == (1, ["the one before 3.0"])


def test_two_packs_in_another_order_are_found_out(roof):
    entries = [enrolled(roof), *packs(roof, *range(6))]
    entries[3], entries[4] = entries[4], entries[3]

    result = checked(entries)

    assert fault(result) == (4, "roof: pack 1.2 came too late: not the order it was signed in")
    assert missing(result)[0] == 0


def test_two_starts_in_another_order_are_found_out(roof):
    first, second = packs(roof, 0, 1), packs(roof, 0, epoch=2)

    result = checked([enrolled(roof), *second, *first])

    assert {what for _, what in result.faults} == {
        "roof: epoch 1 after epoch 2: not the order it was signed in"
    }


def test_a_pack_that_is_there_twice_is_found_out(roof):
    entries = [enrolled(roof), *packs(roof, 0, 1)]

    assert fault(checked([*entries, entries[1]])) == (3, "roof: pack 1.0 is there twice")


def test_a_forged_signature_is_found_out(roof):
    entries = [enrolled(roof), *packs(roof, 0, 1, 2)]
    kind, source, body = entries[2]
    entries[2] = kind, source, body[:60] + bytes([body[60] ^ 1]) + body[61:]

    result = checked(entries)

    assert result.faults[0] == (2, "roof: the signature is forged")
    assert not result.holds


def test_a_reading_that_was_signed_twice_under_one_number_breaks_the_chain(roof):
    """The device that went on from the other one says so."""
    entries = [enrolled(roof), *packs(roof, 0)]
    before = roof.before
    other = roof.sign(1, value=99)
    roof.before = before
    entries += packs(roof, 1, 2)
    entries[2] = pack(roof, other)

    index, what = fault(checked(entries))

    assert (index, "another was signed there" in what) == (3, True)


def test_the_twin_of_a_signature_is_no_envelope(roof):
    entries = [enrolled(roof), *packs(roof, 0, 1)]
    body = entries[1][2]
    twin = ORDER - int.from_bytes(body[-32:], "big")
    entries[1] = pack(roof, body[:-32] + twin.to_bytes(32, "big"))

    index, what = fault(checked(entries))

    assert (index, "not the lower" in what) == (1, True)


# --- keys -----------------------------------------------------------------------------------


def test_a_gateway_that_enrols_a_device_anew_with_its_own_key_is_found_out_by_who_has_the_key(roof):
    own = SigningDevice("roof", key=99)
    entries = [enrolled(roof), *packs(roof, 0, 1), enrolled(own), *packs(own, 0)]

    believed, told = checked(entries), checked(entries, keys=keys_of(roof))

    assert believed.holds  # the gateway's word
    assert fault(told)[0] == 4
    assert "the file has another key of this name" in fault(told)[1]


def test_a_gateway_that_says_that_a_signing_device_has_a_tag_is_found_out(roof):
    shed = FakeDevice("roof")
    entries = [enrolled(roof), *packs(roof, 0), pack(shed, shed.seal(1))]

    for keys in (None, keys_of(roof)):
        assert fault(checked(entries, keys=keys)) == (2, "roof signs, and this pack is not signed")


def test_who_is_not_enrolled_has_signed_nothing(roof):
    index, what = fault(checked(packs(roof, 0)))

    assert (index, "no entry enrols its key" in what) == (0, True)


def test_a_device_cannot_sign_for_another(roof):
    shed = SigningDevice("shed", key=8)
    entries = [enrolled(roof), enrolled(shed), (PACK, "shed", roof.sign(0))]

    assert fault(checked(entries)) == (2, "shed: signed with a key of roof")


def test_a_device_that_the_file_does_not_name_is_not_checked_and_that_is_said(roof):
    shed = SigningDevice("shed", key=8)
    entries = [*packs(roof, 0), *packs(shed, 0, 1)]

    result = checked(entries, keys=keys_of(roof))

    assert (result.holds, result.signed, result.strangers) == (True, 1, {"shed": 2})
    assert "  not      2 packs of shed, whose key you did not give" in outcome(result)


def test_a_device_with_a_new_key_goes_on_from_what_it_signed_with_the_old_one(roof):
    new = SigningDevice("roof", key=8)
    entries = [enrolled(roof), *packs(roof, 0, 1), enrolled(new)]
    new.before = roof.before
    entries += packs(new, 0, 1, epoch=2)

    assert checked(entries).holds
    assert checked(entries, keys=keys_of(roof, new)).holds
    del entries[2]
    assert missing(checked(entries)) == (1, ["the one before 2.0"])
