import msgspec
import pytest

from gateway import config as configs
from gateway.config import CollectorConfig, GatewayConfig
from gateway.errors import ConfigError


def load(tmp_path, text, kind=GatewayConfig):
    file = tmp_path / "tallystick.toml"
    file.write_text(text)
    return configs.load(file, kind)


def test_an_origin_is_all_that_has_to_be_said(tmp_path):
    config = load(tmp_path, 'origin = "a"')

    assert (config.origin, config.coap.port, config.http.host) == ("a", 5683, "127.0.0.1")
    assert config.forward is None


def test_what_is_said_counts(tmp_path):
    text = """
    origin = "a"
    [coap]
    host = "::"
    [ledger]
    durability = "balanced"
    commit_delay_ms = 80
    [forward]
    url = "http://collector"
    token_file = "token"
    """

    config = load(tmp_path, text)

    assert (config.coap.host, config.ledger.delay_ms) == ("::", 80)
    assert (config.forward.url, config.forward.batch_entries) == ("http://collector", 500)


def test_what_is_deleted_and_when_can_be_said_for_all_and_for_some(tmp_path):
    config = load(tmp_path, RULE.format('keep_days = 29\nsource = "cellar-1"')).retention

    assert (config.keep_days, config.max_bytes, config.prune_unforwarded) == (30, None, False)
    assert [(rule.keep_days, rule.source, rule.kind) for rule in config.rules] == [
        (29, "cellar-1", None)
    ]


def test_by_default_nothing_is_ever_deleted(tmp_path):
    config = load(tmp_path, 'origin = "a"').retention

    assert (config.keep_days, config.max_bytes, config.rules) == (None, None, [])


RULE = 'origin = "a"\n[retention]\nkeep_days = 30\n[[retention.rules]]\n{}'
BALANCED = 'origin = "a"\n[ledger]\ndurability = "balanced"\n'
REFUSED = [
    ("", "missing required field `origin`", "start again"),
    ('orgin = "a"', "unknown field `orgin`", "did you mean `origin`?"),
    ('origin = "a"\n[coap]\nprot = 1', "unknown field `prot`", "did you mean `port`?"),
    (
        'origin = "a"\n[ledger]\ncheckpoint_every = 1',
        "unknown field `checkpoint_every`",
        "did you mean `checkpoint_every_ms`?",
    ),
    ('origin = "a"\nxyzzy = 1', "unknown field `xyzzy`", "correct it"),
    ("origin = 5", "Expected `str`", "correct it"),
    ('origin = "a"\n[http]\nport = "8080"', "Expected `int`", "correct it"),
    ('origin = "a"\n[http]\nport = 65536', "<= 65535", "correct it"),
    ('origin = "a"\n[coap]\nport = -1', ">= 0", "correct it"),
    ('origin = "a"\n[ledger]\nmax_batch = 0', ">= 1", "correct it"),
    ('origin = "a"\n[ledger]\nmax_pending = 0', ">= 1", "correct it"),
    ('origin = "a"\n[ledger]\ncheckpoint_every_ms = 0', ">= 1", "correct it"),
    (BALANCED + "commit_delay_ms = 81", "commit_delay_ms is 81", "use 1 to 80"),
    (BALANCED + "commit_delay_ms = 0", "commit_delay_ms is 0", "use 1 to 80"),
    ('origin = "a"\n[ledger]\ncommit_delay_ms = 20', "strict durability", '"balanced"'),
    (
        'origin = "a"\n[ledger]\ndurability = "strict"\ncommit_delay_ms = 0',
        "strict durability",
        "leave commit_delay_ms out",
    ),
    ('origin = "a"\n[ledger]\ndurability = "none"', "Invalid enum value 'none'", "correct it"),
    ('origin = "a"\n[forward]\nurl = "x"', "missing required field `token_file`", "correct it"),
    ('origin = "a"\n[retention]\nkeep_day = 1', "unknown field `keep_day`", "`keep_days`?"),
    ('origin = "a"\n[retention]\nkeep_days = 0', ">= 1", "correct it"),
    ('origin = "a"\n[retention]\nmax_bytes = 0', ">= 1", "correct it"),
    (RULE.format("keep_days = 1"), "neither source nor kind", "retention.keep_days"),
    (RULE.format('keep_days = 1\nkind = "enrolled"'), "never deleted", "remove it"),
    (RULE.format('keep_days = 30\nsource = "a"'), "what goes after 30 anyway", "only shorten"),
    ('origin = "a"\n[disk]\nhard_free_byte = 1', "unknown field", "`hard_free_bytes`?"),
    ('origin = "a"\n[disk]\nreserve_bytes = -1', ">= 0", "correct it"),
    ('origin = "a"\n[disk]\nsoft_free_bytes = 0', "less than disk.hard_free_bytes", "to more"),
    ('origin = "a', "tallystick.toml", "correct it"),
]


@pytest.mark.parametrize(("text", "message", "fix"), REFUSED, ids=range(len(REFUSED)))
def test_a_wrong_configuration_is_refused_with_the_key_and_the_fix(tmp_path, text, message, fix):
    with pytest.raises(ConfigError) as refusal:
        load(tmp_path, text)

    assert message in str(refusal.value)
    assert fix in refusal.value.fix


@pytest.mark.parametrize(
    ("text", "delay_ms"),
    [('origin = "a"', 0), (BALANCED, 20), (BALANCED + "commit_delay_ms = 1", 1)],
)
def test_only_balanced_durability_waits_before_it_syncs(tmp_path, text, delay_ms):
    assert load(tmp_path, text).ledger.delay_ms == delay_ms


def test_a_missing_file_names_the_command_that_makes_it(tmp_path):
    with pytest.raises(ConfigError) as refusal:
        configs.load(tmp_path / "none.toml", GatewayConfig)

    assert f"tallystick init {tmp_path}" in refusal.value.fix


def test_a_directory_in_its_place_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="Is a directory"):
        configs.load(tmp_path, GatewayConfig)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    file = tmp_path / "tallystick.toml"
    file.write_bytes(b'origin = "\xff"')

    with pytest.raises(ConfigError):
        configs.load(file, GatewayConfig)


def test_a_collector_has_defaults_of_its_own(tmp_path):
    config = load(tmp_path, "", CollectorConfig)

    assert (config.http.port, config.trust) == (8090, [])


# a configuration -> the same one with the origin "new"
RENAMED = {
    'origin = "a"\n': 'origin = "new"\n',
    'origin = "a"': 'origin = "new"\n',
    '# my origin = x\n  origin="a"  # old\n[http]\nport = 1\n': (
        '# my origin = x\norigin = "new"\n[http]\nport = 1\n'
    ),
}


@pytest.mark.parametrize(("text", "renamed"), RENAMED.items(), ids=range(len(RENAMED)))
def test_an_origin_is_changed_and_the_rest_of_the_file_stays(text, renamed):
    assert configs.with_origin(text, "new") == renamed


def test_a_new_origin_is_spelled_as_toml_reads_it():
    text = configs.with_origin('origin = "a"\n', 'a"\\b')

    assert msgspec.toml.decode(text)["origin"] == 'a"\\b'


NOT_TOUCHED = [
    '"origin" = "a"\n',
    'origin = "a"\norigin = "b"\n',
    'origin = """\na"""\n',
    'origin = "a"\n[http]\norigin = "b"\n',
    "origin = 5\n",
    "",
]


@pytest.mark.parametrize("text", NOT_TOUCHED, ids=range(len(NOT_TOUCHED)))
def test_a_file_whose_origin_is_not_one_plain_line_is_not_changed(text):
    with pytest.raises(ConfigError, match="cannot be changed safely") as refusal:
        configs.with_origin(text, "new")

    assert 'origin = "new"' in refusal.value.fix
