"""init, device, token and collect's trust through the command line; nothing is served."""

import json
import subprocess
import sys
import tomllib

import pytest
from typer.testing import CliRunner

from gateway import config as configs
from gateway import tokens
from gateway.config import CollectorConfig, GatewayConfig
from gateway.directory import Directory
from gateway.errors import ConfigError
from gateway.ledger.signer import Signer
from gateway.store.keys import KeyStore
from tests.fakes import NOW_MS, ORIGIN, SEED
from tests.tools.program import app
from tools.addresses import address
from tools.trust import remember_trust

KEYS = [Signer(f"example.org/{n}", SEED).verifier_text for n in range(3)]


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def refusal(*arguments) -> ConfigError:
    error = run(*arguments).exception
    assert isinstance(error, ConfigError), error
    return error


@pytest.fixture
def garden(tmp_path):
    assert run("init", tmp_path / "garden", "--name", ORIGIN).exit_code == 0
    return tmp_path / "garden"


@pytest.fixture
def upstream(tmp_path):
    assert run("init", tmp_path / "upstream", "--collector").exit_code == 0
    return tmp_path / "upstream"


def test_init_makes_a_gateway_that_opens_and_shows_its_token_once(tmp_path):
    shown = run("init", tmp_path / "garden", "--name", ORIGIN).stdout
    directory = Directory(tmp_path / "garden")

    signer = directory.load_signer(ORIGIN)
    store, _, size = directory.open_checked(signer)
    store.close()

    secret = shown.split("only its hash is kept):\n  ")[1].split()[0]
    assert size == 0
    assert tokens.load(directory.tokens).check(secret, "admin", NOW_MS) == "first-admin"
    assert secret not in directory.tokens.read_text()
    assert signer.verifier_text in shown
    assert configs.load(directory.config, GatewayConfig).origin == ORIGIN


def test_init_twice_is_refused_and_changes_nothing(garden):
    before = {path.name: path.read_bytes() for path in garden.iterdir()}

    error = refusal("init", garden, "--name", ORIGIN)

    assert "is there already" in str(error)
    assert {path.name: path.read_bytes() for path in garden.iterdir()} == before


@pytest.mark.parametrize("out", ["there", "no-folder/config.json"])
def test_a_device_whose_secret_has_no_place_to_go_is_not_enrolled(garden, tmp_path, out):
    (tmp_path / "there").write_text("mine")

    refusal("device", "add", "shed", "--dir", garden, "--out", tmp_path / out)

    assert json.loads(run("device", "list", "--dir", garden, "--json").stdout) == []
    assert (tmp_path / "there").read_text() == "mine"
    assert run("device", "add", "shed", "--dir", garden).exit_code == 0


def test_a_file_that_was_kept_for_a_device_that_is_refused_goes_again(garden, tmp_path):
    refusal("device", "add", "a b", "--dir", garden, "--out", tmp_path / "config.json")

    assert not (tmp_path / "config.json").exists()


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a'b", "[a]", "#a"])
def test_a_name_that_toml_would_read_otherwise_is_spelled_out(tmp_path, name):
    assert run("init", tmp_path / "garden", "--name", name).exit_code == 0

    config = configs.load(Directory(tmp_path / "garden").config, GatewayConfig)
    assert config.origin == name


@pytest.mark.parametrize("name", ["a b", "a+b", "\u00e9", "x" * 256])
def test_a_name_that_no_checkpoint_can_carry_is_refused(tmp_path, name):
    assert "cannot be an origin" in str(refusal("init", tmp_path / "garden", "--name", name))
    assert not (tmp_path / "garden").exists()


def test_forwarding_needs_both_its_options(tmp_path):
    assert "go together" in str(refusal("init", tmp_path / "garden", "--forward", "http://c"))


def test_forwarding_is_written_into_the_configuration(tmp_path):
    token = tmp_path / 'a "token"'
    run("init", tmp_path / "g", "--name", "g", "--forward", "http://c", "--token-file", token)

    forward = configs.load(Directory(tmp_path / "g").config, GatewayConfig).forward

    assert (forward.url, forward.token_file) == ("http://c", str(token))


def test_a_device_is_enrolled_with_the_only_copy_of_its_secret(garden, tmp_path):
    result = run("device", "add", "shed", "--dir", garden, "--out", tmp_path / "config.json")

    config = json.loads((tmp_path / "config.json").read_text())
    keys = KeyStore(Directory(garden).keys)
    (device,) = keys.devices()
    keys.close()
    assert result.exit_code == 0
    assert (config["name"], bytes.fromhex(config["secret"])) == ("shed", device.secret)
    assert config["secret"] not in result.stdout
    assert device.kid.hex() in result.stdout
    assert (tmp_path / "config.json").stat().st_mode & 0o077 == 0


def test_devices_are_listed_and_revoked(garden):
    for name in ("shed", "cellar"):
        run("device", "add", name, "--dir", garden)

    run("device", "revoke", "shed", "--dir", garden)

    listed = json.loads(run("device", "list", "--json", "--dir", garden).stdout)
    assert [(d["name"], d["revoked"]) for d in listed] == [("cellar", False), ("shed", True)]
    assert "secret" not in listed[0]
    assert "shed" in run("device", "list", "--dir", garden).stdout


@pytest.mark.parametrize("name", ["", "a b", "a/b", "/a", "-a", "x" * 33, "\u00e9"])
def test_a_name_no_device_can_have_is_refused(garden, name):
    error = run("device", "add", "--dir", garden, "--", name).exception

    assert "cannot be a device's name" in str(error)


def test_a_device_is_enrolled_and_revoked_once(garden):
    run("device", "add", "shed", "--dir", garden)
    again = refusal("device", "add", "shed", "--dir", garden)
    run("device", "revoke", "shed", "--dir", garden)

    assert "a device 'shed' already" in str(again)
    assert "no active device" in str(refusal("device", "revoke", "shed", "--dir", garden))


def test_a_token_is_shown_once_and_kept_as_a_hash(garden):
    shown = run("token", "add", "grafana", "--scope", "read", "--days", "1", "--dir", garden).stdout

    secret = shown.split()[-1]
    held = tokens.load(garden / "tokens.json")
    assert held.check(secret, "read", NOW_MS) == "grafana"
    assert len(held) == 2
    assert secret not in (garden / "tokens.json").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["first-admin"], "a token 'first-admin' already"),
        (["x", "--scope", "root"], "no scope 'root'"),
    ],
)
def test_a_wrong_token_is_refused(garden, arguments, message):
    before = (garden / "tokens.json").read_bytes()

    assert message in str(refusal("token", "add", *arguments, "--dir", garden))
    assert (garden / "tokens.json").read_bytes() == before


def test_a_second_key_of_a_ledger_is_refused_and_not_left_without_effect(upstream):
    other = Signer("example.org/0", bytes(32)).verifier_text
    remember_trust(upstream, KEYS[:1])

    with pytest.raises(ConfigError, match=r"trusts another key of 'example\.org/0'"):
        remember_trust(upstream, [KEYS[1], other])

    assert configs.load(upstream / "collector.toml", CollectorConfig).trust == KEYS[:1]


def test_a_witness_s_key_is_no_ledger_s(upstream):
    with pytest.raises(ConfigError, match="a witness's key"):
        remember_trust(upstream, [(upstream / "witness.vkey").read_text().strip()])


def test_trust_is_remembered_once_and_the_rest_of_the_file_stays(upstream):
    file = upstream / "collector.toml"
    file.write_text(file.read_text() + "# mine\n")

    remember_trust(upstream, KEYS[:2])
    remember_trust(upstream, [KEYS[1], KEYS[2], KEYS[2]])

    assert configs.load(file, CollectorConfig).trust == KEYS
    assert file.read_text().endswith("# mine\n")


def test_a_key_that_is_none_is_not_remembered(upstream):
    with pytest.raises(ConfigError, match="nonsense"):
        remember_trust(upstream, [KEYS[0], "nonsense"])

    assert configs.load(upstream / "collector.toml", CollectorConfig).trust == []


def test_a_list_over_several_lines_is_left_alone(upstream):
    file = upstream / "collector.toml"
    file.write_text(f'trust = [\n  "{KEYS[0]}",\n]\n')

    with pytest.raises(ConfigError, match="not on one line") as refused:
        remember_trust(upstream, [KEYS[1]])

    assert json.dumps(KEYS[:2]) in refused.value.fix
    assert tomllib.loads(file.read_text()) == {"trust": KEYS[:1]}


ADDRESSES = {"0.0.0.0:5683": ("0.0.0.0", 5683), "[::]:1": ("::", 1), "a.b:65535": ("a.b", 65535)}  # noqa: S104  # only parsed


@pytest.mark.parametrize(("text", "parts"), ADDRESSES.items())
def test_an_address_is_a_host_and_a_port(text, parts):
    assert address(text) == parts


@pytest.mark.parametrize("text", ["", "host", ":5683", "host:", "host:x", "host:65536", "host:-1"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ConfigError, match="no HOST:PORT"):
        address(text)


def test_a_file_that_is_not_there_is_wrong_use_and_named(tmp_path):
    command = ["status", "http://127.0.0.1:1", "--token-file", str(tmp_path / "none")]
    done = subprocess.run(
        [sys.executable, "-m", "tools", *command], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert f"{tmp_path / 'none'}: No such file" in done.stderr
    assert "Traceback" not in done.stderr
