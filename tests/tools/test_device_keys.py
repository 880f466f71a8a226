"""Keys of devices through the command line: made here or elsewhere, exchanged, listed."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.errors import ConfigError
from gateway.store.files import create_durable
from protocol.enrolment import kid_of
from tests.tools.test_commands import garden, refusal, run
from tools import enrolling

__all__ = ["garden"]


def public_of(private_hex):
    numbers = ec.derive_private_key(int(private_hex, 16), ec.SECP256R1()).public_key()
    point = numbers.public_numbers()
    return point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")


def listed(garden):
    return json.loads(run("device", "list", "--json", "--dir", garden).stdout)


def add(garden, folder, *more):
    result = run("device", "add", "shed", "--dir", garden, "--out", folder / "config.json", *more)
    assert result.exit_code == 0, result.output
    return result, json.loads((folder / "config.json").read_text())


def test_a_device_that_signs_gets_a_key_of_this_machine_s_and_that_is_said(garden, tmp_path):
    result, config = add(garden, tmp_path, "--profile", "sig")

    (device,) = listed(garden)
    public = public_of(config["key"])
    assert (config["profile"], device["profile"]) == ("sig", "sig")
    assert device["key"] == public.hex()
    assert device["kid"] == kid_of("shed", "sig", 0, public).hex()
    assert "this machine made the device's key" in result.stderr
    assert config["key"] not in result.output


def test_a_key_that_was_made_elsewhere_stays_there(garden, tmp_path):
    public = public_of("7")

    result, config = add(garden, tmp_path, "--profile", "sig", "--public-key", public.hex())

    assert listed(garden)[0]["key"] == public.hex()
    assert config["profile"] == "sig"
    assert "key" not in config
    assert "this machine made" not in result.stderr


def test_a_device_that_has_no_key_of_its_own_is_configured_as_ever(garden, tmp_path):
    _, config = add(garden, tmp_path, "--profile", "mac")

    assert set(config) == {"name", "secret", "gateway", "sensors"}


@pytest.mark.parametrize(
    ("key", "said"),
    [("x" * 128, "not in hex"), ("00" * 64, "no point"), ("00" * 63, "no point"), ("1", "not in")],
)
def test_what_is_no_public_key_is_refused(garden, key, said):
    arguments = ("device", "add", "shed", "--dir", garden, "--profile", "sig", "--public-key", key)

    assert said in str(refusal(*arguments))
    assert listed(garden) == []


def test_a_public_key_is_of_no_use_with_tags(garden):
    key = public_of("7").hex()
    arguments = ("device", "add", "shed", "--dir", garden, "--profile", "mac", "--public-key", key)

    assert "has no public key" in str(refusal(*arguments))


@pytest.mark.parametrize("profile", ["sig", "mac"])
def test_a_key_is_exchanged_and_the_rest_of_the_configuration_is_kept(garden, tmp_path, profile):
    _, old = add(garden, tmp_path, "--profile", profile)
    old["wifi"] = {"ssid": "garden", "password": "secret"}
    (tmp_path / "config.json").write_text(json.dumps(old))
    arguments = ("device", "rotate-key", "shed", "--dir", garden)

    result = run(*arguments, "--config", tmp_path / "config.json", "--out", tmp_path / "new.json")

    new = json.loads((tmp_path / "new.json").read_text())
    states = [(device["generation"], device["state"]) for device in listed(garden)]
    assert states == [(0, "retiring"), (1, "active")]
    assert (new["wifi"], new["gateway"], new["sensors"]) == (
        old["wifi"],
        old["gateway"],
        old["sensors"],
    )
    assert new["secret"] != old["secret"]
    assert ("key" in new, "generation" in new) == (profile == "sig", profile == "mac")
    assert new.get("key") != old.get("key") or profile == "mac"
    assert "copy " in result.stdout
    assert new["secret"] not in result.output


def test_a_key_can_be_exchanged_for_one_that_was_made_on_the_board(garden, tmp_path):
    _, config = add(garden, tmp_path, "--profile", "sig")

    new = enrolling.rotate(garden, "shed", config, public_key=public_of("7"))

    assert "key" not in new
    assert listed(garden)[1]["key"] == public_of("7").hex()


def test_nothing_is_exchanged_where_the_new_configuration_has_no_place(garden, tmp_path):
    add(garden, tmp_path)
    create_durable(tmp_path / "new.json", b"mine")
    arguments = ("device", "rotate-key", "shed", "--dir", garden, "--out", tmp_path / "new.json")

    assert "is there already" in str(refusal(*arguments))
    assert [device["state"] for device in listed(garden)] == ["active"]
    assert (tmp_path / "new.json").read_bytes() == b"mine"


def test_a_device_that_is_not_there_has_no_key_to_exchange(garden, tmp_path):
    arguments = ("device", "rotate-key", "shed", "--dir", garden, "--out", tmp_path / "new.json")

    assert "no active device 'shed'" in str(refusal(*arguments))
    assert not (tmp_path / "new.json").exists()


def test_all_public_keys_are_listed_for_who_verifies(garden, tmp_path):
    _, config = add(garden, tmp_path, "--profile", "sig")
    run("device", "add", "cellar", "--dir", garden, "--profile", "mac")
    new = enrolling.rotate(garden, "shed", config)

    result = run("device", "list", "--dir", garden, "--keys")

    keys = [public_of(one["key"]).hex() for one in (config, new)]
    assert result.stdout.splitlines() == [f"shed {key}" for key in keys]


def test_the_list_says_which_key_counts(garden, tmp_path):
    _, config = add(garden, tmp_path, "--profile", "mac")
    enrolling.rotate(garden, "shed", config)

    lines = run("device", "list", "--dir", garden).stdout.splitlines()

    assert ["retiring" in lines[0], "active   generation 1" in lines[1]] == [True, True]


def test_a_profile_that_there_is_not_is_refused(garden):
    with pytest.raises(ConfigError, match="no profile 'rot13'"):
        enrolling.enrol(garden, "shed", profile="rot13")
