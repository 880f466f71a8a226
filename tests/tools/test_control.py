"""What devices are told through the command line, with no gateway running."""

import json

import pytest

from gateway.directory import Directory
from gateway.store.control import MAX_WAITING, ControlStore, Heard
from tests.tools.test_commands import garden, refusal, run

__all__ = ["garden"]


@pytest.fixture
def shed(garden, tmp_path):
    run("device", "add", "shed", "--dir", garden, "--out", tmp_path / "config.json")
    return garden


def config(shed, *more):
    result = run("device", "config", "shed", "--dir", shed, "--json", *more)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def hear(shed, **said):
    store = ControlStore(Directory(shed).control)
    store.hear(Heard("shed", **said))
    store.close()


def test_a_device_that_was_told_nothing_says_so(shed):
    shown = config(shed)

    assert (shown["desired"], shown["config"], shown["asked"]) == (0, {}, None)


def test_each_change_is_a_version_and_keeps_what_was_told_before(shed, tmp_path):
    config(shed, "--set", "pack_age_ms=5000")
    file = tmp_path / "told.json"
    file.write_text('{"ack_timeout_ms": 500}')

    second = config(shed, "--set", "readings_per_pack=4", "--unset", "nothing")
    third = config(shed, "--unset", "pack_age_ms")
    fourth = config(shed, "--file", file)

    assert second["config"] == {"pack_age_ms": 5000, "readings_per_pack": 4}
    assert third["config"] == {"readings_per_pack": 4}
    assert (fourth["desired"], fourth["config"]) == (4, {"ack_timeout_ms": 500})


@pytest.mark.parametrize(
    "change",
    [
        ("--set", "readings_per_pack=many"),
        ("--set", "colour=red"),
        ("--set", "name=cellar"),
        ("--set", f"secret={'00' * 32}"),
        ("--set", f"update_key={'00' * 64}"),
        ("--set", "pack_age_ms"),
        ("--file", "nowhere.json"),
        ("--set", "sensors=" + json.dumps([{"driver": "simulated", "name": "n" * 50}] * 40)),
    ],
    ids=["wrong", "unknown", "its name", "its secret", "whose releases", "no value", "no file",
         "too long"],
)  # fmt: skip
def test_what_a_board_would_refuse_is_never_told_it(shed, change):
    assert refusal("device", "config", "shed", "--dir", shed, *change)

    assert config(shed)["desired"] == 0


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({}, "not told yet"),
        ({"known": 1, "runs": 1}, "it runs"),
        ({"known": 1}, "it went back, or refused it"),
    ],
)
def test_how_far_it_has_come_is_shown(shed, said, state):
    config(shed, "--set", "pack_age_ms=5000")
    hear(shed, **said)

    assert config(shed)["state"] == state


def test_a_password_is_kept_from_view_and_its_way_is_said(shed):
    wifi = json.dumps({"ssid": "garden", "password": "rosebud!"})

    result = run("device", "config", "shed", "--dir", shed, "--set", f"wifi={wifi}")

    assert "rosebud" not in result.output
    assert "under OSCORE" in result.stderr


def test_commands_wait_are_told_and_are_done(shed):
    for words in (["report"], ["log", "5"], ["sample"]):
        assert run("device", "command", "shed", *words, "--dir", shed).exit_code == 0
    hear(shed, done=1, told=2)

    shown = json.loads(run("device", "commands", "shed", "--dir", shed, "--json").stdout)

    assert [(one["command"], one["argument"]) for one in shown] == [
        ("report", ""), ("log", "5"), ("sample", ""),
    ]  # fmt: skip
    assert [one["state"] for one in shown] == ["done", "told", "waiting"]


def test_too_many_commands_are_refused_with_what_to_type(shed):
    for _ in range(MAX_WAITING):
        run("device", "command", "shed", "report", "--dir", shed)

    assert refusal("device", "command", "shed", "report", "--dir", shed)


def test_a_device_that_is_not_there_is_told_nothing(garden):
    for words in (["config", "shed"], ["command", "shed", "report"], ["commands", "shed"]):
        assert refusal("device", *words, "--dir", garden)
