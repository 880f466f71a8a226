import pytest

from gateway import tokens
from gateway.errors import ConfigError, ForbiddenError, UnauthorizedError
from gateway.tokens import SCOPES, Token, Tokens, digest_of
from tests.fakes import NOW_MS

ALLOWED = {
    "read": {"read"},
    "ingest": {"read", "ingest"},
    "write": {"read", "write"},
    "admin": set(SCOPES),
}


@pytest.mark.parametrize("held", SCOPES)
@pytest.mark.parametrize("wanted", SCOPES)
def test_a_scope_allows_itself_and_reading_and_admin_allows_all(held, wanted):
    known = Tokens([Token("t", digest_of("secret"), held)])

    if wanted in ALLOWED[held]:
        assert known.check("secret", wanted, NOW_MS) == "t"
        return
    with pytest.raises(ForbiddenError, match=f"may {held}, not {wanted}"):
        known.check("secret", wanted, NOW_MS)


@pytest.mark.parametrize("presented", ["", "Secret", "secret ", digest_of("secret"), "\u00e9"])
def test_an_unknown_token_is_refused(presented):
    known = Tokens([Token("t", digest_of("secret"), "admin")])

    with pytest.raises(UnauthorizedError, match="not known"):
        known.check(presented, "read", NOW_MS)


def test_a_token_ends_when_it_says():
    known = Tokens([Token("t", digest_of("secret"), "read", expires_ms=NOW_MS)])

    assert known.check("secret", "read", NOW_MS - 1) == "t"
    with pytest.raises(UnauthorizedError, match="expired"):
        known.check("secret", "read", NOW_MS)


def test_what_is_dumped_is_loaded_again(tmp_path):
    file = tmp_path / "tokens.json"
    file.write_bytes(tokens.dump([Token("t", digest_of("secret"), "read", 5)]))

    loaded = tokens.load(file)

    assert len(loaded) == 1
    assert loaded.check("secret", "read", 4) == "t"
    assert b"secret" not in file.read_bytes()


def test_no_file_is_no_tokens(tmp_path):
    assert len(tokens.load(tmp_path / "none")) == 0


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[1]", b'[{"name": "t"}]', b"\xff", b'[{"key": "secret"}]']
)
def test_a_damaged_file_is_refused_and_not_taken_for_none(tmp_path, text):
    file = tmp_path / "tokens.json"
    file.write_bytes(text)

    with pytest.raises(ConfigError, match=r"tokens\.json"):
        tokens.load(file)


@pytest.mark.parametrize(
    ("held", "damaged"),
    [(b": 5", b": 7"), (b'"read"', b'"reae"'), (b'"t"', b'"u"'), (b"read", b"re\xe1d")],
)
def test_a_damaged_token_is_refused_with_a_fix(tmp_path, held, damaged):
    file = tmp_path / "tokens.json"
    data = tokens.dump([Token("t", digest_of("secret"), "read", 5)])
    assert held in data
    file.write_bytes(data.replace(held, damaged))

    with pytest.raises(ConfigError, match=r"tokens\.json"):
        tokens.load(file)
