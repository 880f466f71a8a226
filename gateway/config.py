"""tallystick.toml and collector.toml -> frozen structs. Unknown keys are refused, by name.

Defaults are in the types, units in the names; secrets are paths, never values.
"""

import difflib
import ipaddress
import json
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from gateway.errors import ConfigError
from protocol.prune import KEPT_KINDS

GATEWAY_FILE, COLLECTOR_FILE = "tallystick.toml", "collector.toml"
Port = Annotated[int, Meta(ge=0, le=65535)]
Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]
_BALANCED_DELAY_MS, _MAX_DELAY_MS = 20, 80


class CoapConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Devices are known by their keys; bind where they can reach you ("0.0.0.0", "::")."""

    host: str = "127.0.0.1"
    port: Port = 5683
    max_per_source_s: Positive = 1000  # datagrams from one address; twice as many at once
    max_per_device_s: Positive = 200  # packs of one device; twice as many at once
    plain_tokens: bool = False  # take tokens that anyone on the way can read


class HttpConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Reading needs a token unless bound to loopback; a public bind without tokens is refused."""

    host: str = "127.0.0.1"
    port: Port = 8080
    require_token: bool = False


class LedgerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Both durabilities sync before the answer; `balanced` waits first, to sync more at once."""

    checkpoint_every_ms: Positive = 1000
    checkpoint_every_entries: Positive = 10_000
    durability: Literal["strict", "balanced"] = "strict"
    commit_delay_ms: int | None = None  # of balanced; see `delay_ms`
    max_pending: Positive = 4096  # waiting for the writer; one more is answered 5.03
    max_batch: Positive = 1024  # envelopes in one transaction

    @property
    def delay_ms(self) -> int:
        """How long a commit waits for company."""
        if self.durability == "strict":
            return 0
        return _BALANCED_DELAY_MS if self.commit_delay_ms is None else self.commit_delay_ms


class ForwardConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    url: str
    token_file: str
    batch_entries: Positive = 500
    timeout_ms: Positive = 10_000
    retry_min_ms: Positive = 1000
    retry_max_ms: Positive = 60_000


class WitnessConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Neighbours whose checkpoints this gateway cosigns."""

    trust: list[str] = []  # their verifier keys; of one origin the later replaces the earlier


class RetentionRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Deletes what is older, of one device or kind or both; it protects nothing."""

    keep_days: Positive
    source: str | None = None
    kind: str | None = None


class RetentionConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which bodies are deleted; by default none, ever. What they were stays provable."""

    keep_days: Positive | None = None
    max_bytes: Positive | None = None  # of the ledger's file and log together, never exceeded
    prune_unforwarded: bool = False  # also bodies that the collector does not have yet
    rules: list[RetentionRule] = []


class AnchorWitness(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Without a URL it is the collector: it cosigns in its answers."""

    vkey: str
    url: str = ""


class AnchorConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a checkpoint counts as anchored: `quorum` of the witnesses, or a policy file."""

    every_ms: Positive = 10_000  # ask neighbours at most this often
    quorum: Positive = 1
    witnesses: list[AnchorWitness] = []
    policy: str = ""  # a C2SP tlog-policy file instead of the two


class DiskConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is to stay free on the ledger's file system; 0 for any of them turns it off."""

    reserve_bytes: NotNegative = 1024 * 1024  # in a file, to write about a full disk with
    soft_free_bytes: NotNegative = 128 * 1024 * 1024  # below it, retention is asked for room
    hard_free_bytes: NotNegative = 32 * 1024 * 1024  # below it, nothing new is taken in


class ResourcesConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much resources may hold. Nothing is pushed out to make room: what is over is refused."""

    max_resource_bytes: Positive = 512 * 1024  # of one, however often it was appended to
    durable_resources: Positive = 10_000
    durable_bytes: Positive = 64 * 1024 * 1024  # at most a quarter of retention.max_bytes
    memory_resources: Positive = 10_000  # of tmp, dev and sys, which a restart forgets
    memory_bytes: Positive = 16 * 1024 * 1024  # paths count, too


class GatewayConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    origin: str
    coap: CoapConfig = CoapConfig()
    http: HttpConfig = HttpConfig()
    ledger: LedgerConfig = LedgerConfig()
    forward: ForwardConfig | None = None
    witness: WitnessConfig = WitnessConfig()
    retention: RetentionConfig = RetentionConfig()
    anchor: AnchorConfig | None = None
    disk: DiskConfig = DiskConfig()
    resources: ResourcesConfig = ResourcesConfig()


class CollectorConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    http: HttpConfig = HttpConfig(port=8090)
    max_batch_bytes: Positive = 4 * 1024 * 1024
    trust: list[str] = []  # verifier keys of the ledgers to accept


_SECTIONS = (
    CoapConfig,
    HttpConfig,
    LedgerConfig,
    ForwardConfig,
    WitnessConfig,
    RetentionConfig,
    RetentionRule,
    AnchorConfig,
    AnchorWitness,
    DiskConfig,
    ResourcesConfig,
)
_Config = TypeVar("_Config", GatewayConfig, CollectorConfig)


def load(path: Path, kind: type[_Config]) -> _Config:
    """The configuration in `path`; ConfigError names the key that is wrong and the fix."""
    try:
        text = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigError(f"no {path}", f"run `tallystick init {path.parent}` first") from error
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "make it a file you may read") from error
    try:
        config = msgspec.toml.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # ValidationError is the first, too
        raise ConfigError(f"{path}: {error}", _hint(str(error), kind)) from error
    if isinstance(config, GatewayConfig):
        _check(path, config)
    return config


def _check(path: Path, config: GatewayConfig) -> None:
    """What types cannot say."""
    _check_delay(path, config.ledger)
    if config.disk.soft_free_bytes < config.disk.hard_free_bytes:
        raise ConfigError(
            f"{path}: disk.soft_free_bytes is less than disk.hard_free_bytes",
            "set it to more: what is deleted below it is to keep the other from being reached",
        )
    for rule in config.retention.rules:
        wrong = _wrong(rule, config.retention.keep_days)
        if wrong:
            raise ConfigError(f"{path}: a rule of retention {wrong[0]}", wrong[1])


def _wrong(rule: RetentionRule, keep_days: int | None) -> tuple[str, str] | None:
    """What is wrong with a rule, and the fix."""
    if rule.source is None and rule.kind is None:
        return "names neither source nor kind", "set retention.keep_days for everything"
    if rule.kind in KEPT_KINDS:
        return f"is for {rule.kind!r}, which is never deleted", "remove it"
    if keep_days is not None and rule.keep_days >= keep_days:
        fix = "rules only shorten: raise retention.keep_days, and add a rule for what goes sooner"
        return f"keeps for {rule.keep_days} days what goes after {keep_days} anyway", fix
    return None


def _check_delay(path: Path, ledger: LedgerConfig) -> None:
    delay_ms = ledger.commit_delay_ms
    if delay_ms is None:
        return
    if ledger.durability == "strict":
        raise ConfigError(
            f"{path}: ledger.commit_delay_ms is {delay_ms}, but strict durability does not wait",
            'say `durability = "balanced"` in [ledger], or leave commit_delay_ms out',
        )
    if not 1 <= delay_ms <= _MAX_DELAY_MS:
        raise ConfigError(
            f"{path}: ledger.commit_delay_ms is {delay_ms}",
            f"use 1 to {_MAX_DELAY_MS}: a device expects its answer within 100 ms",
        )


def with_origin(text: str, origin: str) -> str:
    """A gateway's configuration with another origin, and nothing else changed.

    ConfigError where that is not one line of the file.
    """
    lines = text.splitlines(keepends=True)
    found = [n for n, line in enumerate(lines) if line.partition("=")[0].strip() == "origin"]
    written = f"origin = {json.dumps(origin, ensure_ascii=False)}\n"
    if len(found) == 1:
        changed = "".join([*lines[: found[0]], written, *lines[found[0] + 1 :]])
        try:
            before, after = (
                msgspec.toml.decode(part, type=GatewayConfig) for part in (text, changed)
            )
        except msgspec.DecodeError:
            pass
        else:
            if after == msgspec.structs.replace(before, origin=origin):
                return changed
    raise ConfigError(
        f"{GATEWAY_FILE} cannot be changed safely",
        f"give `origin` a line of its own, at the top: {written.rstrip()}",
    )


def _hint(message: str, kind: type[msgspec.Struct]) -> str:
    """For an unknown key, the known one that looks most like it."""
    wrong = message.split("`")[1] if "unknown field" in message else ""
    close = difflib.get_close_matches(wrong, sorted(_keys(kind)), n=1) if wrong else []
    return f"did you mean `{close[0]}`?" if close else "correct it and start again"


def _keys(kind: type[msgspec.Struct]) -> set[str]:
    keys = {field.name for field in msgspec.structs.fields(kind)}
    for section in _SECTIONS:
        keys |= {field.name for field in msgspec.structs.fields(section)}
    return keys


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it, or be it."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
