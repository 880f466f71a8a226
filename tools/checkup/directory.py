"""What `doctor` finds in a gateway's directory: whose files, how much room, how much is proved."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from gateway import quarantine
from gateway.config import GatewayConfig
from gateway.directory import Directory
from gateway.errors import ConfigError
from gateway.hold import holder
from gateway.ledger.budget import divided
from gateway.store import PAGE_BYTES
from gateway.witness.files import KEY as WITNESS_KEY
from tools.checkup.finding import BAD, WARN, Finding, fine
from tools.facts import Facts, free_bytes

_LARGE_LOG_BYTES = 64 * 1024 * 1024
_FEW_DAYS, _TOO_FEW_DAYS = 30, 3
_LATE_S = 60
_LONG_UNANCHORED_S = 3600
_MB = 10**6


def modes(directory: Directory, config: GatewayConfig) -> Iterator[Finding]:
    """A finding for each file with a secret that others may read; one for all where none is."""
    secrets = [directory.signer, directory.next_signer, directory.keys, directory.tokens]
    secrets.append(directory.path / WITNESS_KEY)
    if config.forward:
        secrets.append(Path(config.forward.token_file))
    modes_of = {path: stat.S_IMODE(path.stat().st_mode) for path in secrets if path.exists()}
    open_to_others = {path: mode for path, mode in modes_of.items() if mode & 0o077}
    if not directory.signer.exists():
        yield Finding("secrets", BAD, f"no {directory.signer}", "restore it from your backup")
    for path, mode in open_to_others.items():
        text = f"{path} has mode {mode:04o}: others on this machine can use it"
        yield Finding("secrets", BAD, text, f"chmod 600 {path}")
    if directory.signer.exists() and not open_to_others:
        yield fine("secrets", f"{len(modes_of)} files, for their owner only")


def held(directory: Directory) -> Finding:
    who = holder(directory.path)
    return fine("running", who or "no: nobody holds this directory")


def quarantined(directory: Directory) -> Finding:
    try:
        found = quarantine.load(directory.quarantine)
    except ConfigError as error:
        return Finding("quarantine", BAD, str(error), error.fix)
    if found:
        return Finding("quarantine", BAD, f"nothing is signed: {found.reason}", found.fix)
    return fine("quarantine", "none")


def space(directory: Directory, config: GatewayConfig, facts: Facts) -> Finding:
    """What is free, and for how many days that is, at the rate of the last entries."""
    free = free_bytes(directory)
    room = free - config.disk.hard_free_bytes + max(facts.file_bytes - facts.used_bytes, 0)
    if config.retention.max_bytes is not None:
        budget = divided(config.retention.max_bytes, config.ledger.max_batch)
        room = min(room, budget.file_pages * PAGE_BYTES - facts.used_bytes)
    days = facts.days_left(max(room, 0))
    text = f"{free // _MB} MB free, the ledger takes {facts.used_bytes / _MB:.1f} MB"
    text += "; too few entries to say for how long" if days is None else f"; {days:.0f} days left"
    if free < config.disk.hard_free_bytes:
        fix = "make room: with less than disk.hard_free_bytes nothing is taken in"
        return Finding("space", BAD, text, fix)
    fix = "set retention.keep_days or retention.max_bytes, or get a larger disk"
    if free < config.disk.soft_free_bytes or (days is not None and days < _FEW_DAYS):
        bad = days is not None and days < _TOO_FEW_DAYS and not _prunes(config)
        return Finding("space", BAD if bad else WARN, text, fix)
    return fine("space", text)


def log_size(facts: Facts) -> Finding:
    text = f"{facts.log_bytes / _MB:.1f} MB of write-ahead log"
    if facts.log_bytes > _LARGE_LOG_BYTES:
        fix = "something reads the ledger and does not stop: look for a long /verify or a copy"
        return Finding("log", WARN, text, fix)
    return fine("log", text)


def checkpoint(directory: Directory, config: GatewayConfig, facts: Facts, now_s: float) -> Finding:
    """Where a gateway runs and signs, its last checkpoint is a second old, or covers everything."""
    try:
        age_s = now_s - os.stat(directory.checkpoint).st_mtime
    except OSError as error:
        text = f"{directory.checkpoint}: {error.strerror}"
        return Finding("checkpoint", BAD, text, "restore it: without it nothing is signed")
    unsigned = facts.entries - facts.signed
    text = f"{facts.signed} of {facts.entries} entries signed, {age_s:.0f} s ago"
    late_s = max(_LATE_S, 10 * config.ledger.checkpoint_every_ms / 1000)
    if unsigned and age_s > late_s and holder(directory.path):
        return Finding("checkpoint", WARN, text, "see the gateway's log: is the disk full?")
    return fine("checkpoint", text)


def anchor(config: GatewayConfig, facts: Facts, now_ms: int) -> Finding:
    if config.anchor is None:
        return Finding(
            "anchor",
            WARN,
            "nobody is asked to remember this ledger: who has the machine can rewrite it",
            "name witnesses under [anchor], or keep checkpoints elsewhere",
        )
    if facts.unanchored_ms is None:
        return fine("anchor", f"all {facts.entries} entries")
    age_s = max(now_ms - facts.unanchored_ms, 0) / 1000
    text = f"{facts.anchored} of {facts.entries} entries, the next waits for {age_s:.0f} s"
    if age_s > _LONG_UNANCHORED_S:
        return Finding("anchor", WARN, text, "see the witnesses below")
    return fine("anchor", text)


def recorded(facts: Facts) -> Iterator[Finding]:
    """What the ledger itself says went wrong and is not over."""
    for text in facts.open_faults:
        yield Finding("fault", WARN, text, "see the README under Errors")


def _prunes(config: GatewayConfig) -> bool:
    return config.retention.max_bytes is not None or config.retention.keep_days is not None
