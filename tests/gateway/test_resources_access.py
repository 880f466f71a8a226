"""Who may do what to which path."""

import pytest

from gateway.errors import ForbiddenError, UnauthorizedError
from gateway.resources import access
from gateway.resources.access import APPROVE, READ, WRITE, allows, tier_needed
from gateway.tokens import SCOPES

TIERS = {
    ("get", "home/a"): READ,
    ("get", "etc/a"): READ,
    ("get", "proc/df"): READ,
    ("put", "home/a"): WRITE,
    ("post", "tmp/a"): WRITE,
    ("put", "dev/a"): WRITE,
    ("put", "sys/a"): WRITE,
    ("post", "var/logbook"): WRITE,
    ("put", "var/a/log"): WRITE,
    ("put", "var/log"): APPROVE,
    ("post", "var/log/deletes"): APPROVE,
    ("put", "etc/a"): APPROVE,
    ("post", "lib/a"): APPROVE,
    ("put", "boot/a"): APPROVE,
    ("put", "usr/a"): APPROVE,
    ("delete", "home/a"): APPROVE,
    ("delete", "tmp/a"): APPROVE,
}


@pytest.mark.parametrize(("asked", "tier"), TIERS.items())
def test_each_method_of_a_path_has_its_tier(asked, tier):
    assert tier_needed(*asked) == tier


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(("asked", "tier"), TIERS.items())
def test_a_token_may_what_its_scope_says(scope, asked, tier):
    expected = {"read": [READ], "ingest": [READ], "write": [READ, WRITE]}.get(scope, TIERS.values())

    assert allows("ci", scope, *asked) == (tier in expected)


ITS_OWN = [(m, f"home/shed/{p}") for m in ("get", "put", "post", "delete") for p in ("a", "b/c")]
MAY = [
    *ITS_OWN,
    ("get", "etc/shed/config"),
    ("get", "lib/table"),
    ("get", "boot/firmware"),
    ("get", "usr/a"),
]
MAY_NOT = [
    *((m, p) for m in ("get", "put", "post", "delete") for p in ("home/shed", "home/shed2/a")),
    *((m, p) for m in ("get", "put", "post", "delete") for p in ("home/cellar/a", "var/shed/a")),
    *((m, p) for m in ("put", "post", "delete") for p in ("etc/shed/config", "boot/firmware")),
    ("put", "tmp/shed/a"),
    ("get", "tmp/shed/a"),
    ("get", "etc/cellar/config"),
    ("get", "etc/shed"),
    ("get", "proc/resources"),
]


@pytest.mark.parametrize("asked", MAY)
def test_a_device_may_what_it_needs_for_itself(asked):
    access.check("shed", None, *asked)


@pytest.mark.parametrize("asked", MAY_NOT)
def test_a_device_may_nothing_else(asked):
    with pytest.raises(ForbiddenError):
        access.check("shed", None, *asked)


@pytest.mark.parametrize(("asked", "tier"), TIERS.items())
def test_nobody_may_read_where_that_is_free_and_nothing_else(asked, tier):
    assert allows(None, None, *asked, reading_is_free=True) == (tier == READ)
    with pytest.raises(UnauthorizedError):
        access.check(None, None, *asked)


def test_a_token_that_may_not_is_known_all_the_same():
    with pytest.raises(ForbiddenError, match="'ci' may write; delete of home/a takes admin"):
        access.check("ci", "write", "delete", "home/a")


def test_a_token_is_no_device_in_the_ledger_though_it_has_its_name():
    assert access.author("shed", None) == "shed"
    assert access.author("shed", "write") == "@shed"
