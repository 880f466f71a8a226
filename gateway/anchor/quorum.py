"""Quorum: which witnesses are enough, from `[anchor]` or from a C2SP policy file."""

from pathlib import Path

from gateway.config import AnchorConfig
from gateway.errors import ConfigError
from protocol import note as notes
from protocol import policy as policies
from protocol.errors import MalformedError
from protocol.note import COSIGNATURE, VerifierKey
from protocol.policy import Group, Policy, Witness

_QUORUM = b"quorum"


def policy_of(config: AnchorConfig, *, collector: bool) -> Policy:
    """`collector`: there is one, that may cosign. ConfigError names what is wrong."""
    if bool(config.policy) == bool(config.witnesses):
        raise ConfigError(
            "[anchor] needs witnesses, or a policy file, and not both",
            'add [[anchor.witnesses]] with a vkey, or policy = "FILE"',
        )
    if config.policy:
        return _from_file(Path(config.policy))
    if not collector and not all(witness.url for witness in config.witnesses):
        raise ConfigError(
            "anchor.witnesses: one has no url, and nothing is forwarded to a collector",
            "give it its url, or add [forward]",
        )
    return _from_list(config)


def _from_file(path: Path) -> Policy:
    try:
        policy = policies.parse(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"anchor.policy {path}: {error.strerror}", "correct the path") from error
    except MalformedError as error:
        raise ConfigError(f"anchor.policy {path}: {error}", "correct that line") from error
    if policy.quorum == policies.NONE:
        raise ConfigError(
            f"anchor.policy {path} needs nobody's word: it anchors nothing",
            "name a quorum in it, or delete [anchor]",
        )
    return policy


def _from_list(config: AnchorConfig) -> Policy:
    witnesses: list[Witness] = []
    for number, listed in enumerate(config.witnesses, 1):
        key = _key(listed.vkey, number)
        if key.public in [other.key.public for other in witnesses]:
            raise ConfigError(
                f"anchor.witnesses: number {number} has the key of another", "name each once"
            )
        witnesses.append(Witness(listed.vkey.encode(), key, listed.url))
    if config.quorum > len(witnesses):
        raise ConfigError(
            f"anchor.quorum is {config.quorum}, of {len(witnesses)} witnesses",
            f"use 1 to {len(witnesses)}",
        )
    members = [witness.name for witness in witnesses]
    return Policy([], witnesses, [Group(_QUORUM, config.quorum, members)], _QUORUM)


def _key(text: str, number: int) -> VerifierKey:
    try:
        key = notes.parse_key(text)
    except MalformedError as error:
        raise ConfigError(
            f"anchor.witnesses: number {number}: {error}", "copy the witness's witness.vkey into it"
        ) from error
    if key.algorithm != COSIGNATURE:
        raise ConfigError(
            f"anchor.witnesses: number {number} is the key of a ledger, not of a witness",
            "copy the witness's witness.vkey into it",
        )
    return key
