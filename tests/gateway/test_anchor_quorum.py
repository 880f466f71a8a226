"""Which witnesses are enough: from the configuration, or from a policy file."""

import pytest

from gateway.anchor.quorum import policy_of
from gateway.config import AnchorConfig, AnchorWitness
from gateway.errors import ConfigError
from gateway.ledger.signer import Signer
from gateway.witness.cosigner import Cosigner
from tests.fakes import ORIGIN

VKEYS = [Cosigner(f"w{n}", bytes((n,)) * 32).verifier_text for n in range(3)]
LEDGER_KEY = Signer(ORIGIN, bytes(32)).verifier_text


def configured(**options):
    witnesses = [AnchorWitness(vkey=vkey, url="http://w") for vkey in VKEYS]
    return AnchorConfig(**{"witnesses": witnesses} | options)


def test_a_quorum_is_so_many_of_the_witnesses():
    policy = policy_of(configured(quorum=2), collector=False)

    assert [witness.key.name for witness in policy.witnesses] == ["w0", "w1", "w2"]
    assert (policy.groups[0].threshold, policy.groups[0].name) == (2, policy.quorum)


def test_a_policy_file_says_which_witnesses_are_enough(tmp_path):
    file = tmp_path / "policy"
    file.write_text(f"witness a {VKEYS[0]} http://a\nwitness b {VKEYS[1]}\nquorum a\n")

    policy = policy_of(AnchorConfig(policy=str(file)), collector=False)

    assert [(w.name, w.url) for w in policy.witnesses] == [(b"a", "http://a"), (b"b", "")]


def listed(*vkeys, url="http://w"):
    return [AnchorWitness(vkey=vkey, url=url) for vkey in vkeys]


WRONG = {
    "nothing": (AnchorConfig(), "needs witnesses, or a policy file"),
    "both": (configured(policy="x"), "and not both"),
    "no such file": (AnchorConfig(policy="/nowhere"), "anchor.policy /nowhere: No such file"),
    "three of two": (configured(quorum=3, witnesses=listed(*VKEYS[:2])), "3, of 2 witnesses"),
    "no key": (configured(witnesses=listed("nonsense")), "number 1: a verifier key is"),
    "a ledger's key": (configured(witnesses=listed(VKEYS[0], LEDGER_KEY)), "number 2 is the key"),
    "one twice": (configured(witnesses=listed(VKEYS[0], VKEYS[0])), "number 2 has the key"),
    "a key under two names": (
        configured(witnesses=listed(VKEYS[0], Cosigner("other", bytes(32)).verifier_text)),
        "number 2 has the key",
    ),
    "no url": (configured(witnesses=listed(VKEYS[0], url="")), "one has no url"),
}


@pytest.mark.parametrize(("config", "message"), WRONG.values(), ids=WRONG)
def test_a_quorum_that_cannot_be_is_refused_with_what_to_change(config, message):
    with pytest.raises(ConfigError, match=message) as refusal:
        policy_of(config, collector=False)

    assert refusal.value.fix


def test_a_witness_without_a_url_is_the_collector():
    policy = policy_of(configured(witnesses=listed(VKEYS[0], url="")), collector=True)

    assert policy.witnesses[0].url == ""


@pytest.mark.parametrize(
    ("text", "message"), [("quorum x\n", "line 1: no witness"), ("quorum none\n", "nobody's word")]
)
def test_a_policy_file_that_anchors_nothing_is_refused(tmp_path, text, message):
    (tmp_path / "policy").write_text(text)

    with pytest.raises(ConfigError, match=message):
        policy_of(AnchorConfig(policy=str(tmp_path / "policy")), collector=True)
