"""What `doctor` finds of those the gateway talks to: readers, the collector, witnesses, itself."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from gateway import tokens
from gateway.anchor.client import HttpWitness, WitnessError
from gateway.anchor.quorum import policy_of
from gateway.config import ForwardConfig, GatewayConfig, is_loopback
from gateway.directory import Directory
from gateway.errors import FatalError
from gateway.forward.upstream import HttpUpstream, UpstreamError
from gateway.hold import holder
from tools.asking import NoAnswerError, ask
from tools.checkup.finding import BAD, WARN, Finding, fine

_TIMEOUT_MS = 5000
_FIXES = {
    "unauthorized": "put a token of scope ingest into forward.token_file",
    "forbidden": "put a token of scope ingest into forward.token_file",
    "unknown-origin": 'there: tallystick collect DIR --trust "$(cat verifier.key)"',
}


def bind(directory: Directory, config: GatewayConfig) -> Finding:
    http = config.http
    text = f"{http.host}:{http.port}"
    try:
        held = len(tokens.load(directory.tokens))
    except FatalError as error:
        return Finding("http", BAD, str(error), error.fix)
    if is_loopback(http.host) and not http.require_token:
        return fine("http", f"{text}, free to read on this machine")
    if not held:
        fix = f"tallystick token add NAME --scope read --dir {directory.path}"
        return Finding("http", BAD, f"{text}, and no token: it will not start", fix)
    return fine("http", f"{text}, for {held} tokens; it speaks no TLS")


def health(directory: Directory, config: GatewayConfig) -> Iterator[Finding]:
    """What a running gateway says of itself."""
    if holder(directory.path) is None:
        return
    url = url_of(config)
    try:
        _, answer = ask(url, "/healthz")
        faults = list(answer["faults"])
    except (NoAnswerError, KeyError, TypeError) as error:
        fix = "it may listen elsewhere: see how it was started, and its log"
        yield Finding("health", WARN, f"{url}/healthz: {error}", fix)
        return
    for fault in faults:
        yield Finding("health", BAD, fault, "see the README under Errors")
    if not faults:
        yield fine("health", "ok")


def collector(config: GatewayConfig) -> Finding:
    forward = config.forward
    if forward is None:
        text = "none configured: nothing leaves this machine"
        return Finding("collector", WARN, text, "see `tallystick init --forward`, or make backups")
    try:
        token = Path(forward.token_file).read_text().strip()
    except OSError as error:
        text = f"{forward.token_file}: {error.strerror}"
        return Finding("collector", BAD, text, "put the collector's token there")
    try:
        held = asyncio.run(_position(forward, token, config.origin))
    except UpstreamError as error:
        level = BAD if error.reason in _FIXES else WARN
        fix = _FIXES.get(error.reason, "is it running, and can this machine reach it?")
        return Finding("collector", level, f"{forward.url}: {error.reason}, {error}", fix)
    except FatalError as error:
        return Finding("collector", BAD, str(error), error.fix)
    return fine("collector", f"{forward.url} has {held} entries")


def witnesses(config: GatewayConfig) -> Iterator[Finding]:
    """Each one that is asked over the network."""
    if config.anchor is None:
        return
    try:
        policy = policy_of(config.anchor, collector=config.forward is not None)
    except FatalError as error:
        yield Finding("witness", BAD, str(error), error.fix)
        return
    for witness in policy.witnesses:
        if witness.url:
            yield _witness(witness.key.name, witness.url, config.origin)


def _witness(name: str, url: str, origin: str) -> Finding:
    try:
        asyncio.run(_latest(url, origin))
    except WitnessError as error:
        text = f"{name} at {url}: {error.reason}"
        return Finding("witness", WARN, text, "is it running, and does it know this ledger?")
    except FatalError as error:
        return Finding("witness", BAD, f"{name}: {error}", error.fix)
    return fine("witness", f"{name} at {url} answers")


def url_of(config: GatewayConfig) -> str:
    """Where a gateway on this machine with that configuration is to be asked."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.http.host, config.http.host)  # noqa: S104  # compared
    return f"http://{f'[{host}]' if ':' in host else host}:{config.http.port}"


async def _position(forward: ForwardConfig, token: str, origin: str) -> int:
    upstream = HttpUpstream(forward.url, token, _TIMEOUT_MS)
    try:
        return (await upstream.position(origin)).next_index
    finally:
        await upstream.close()


async def _latest(url: str, origin: str) -> str:
    client = HttpWitness(url, _TIMEOUT_MS)
    try:
        return await client.latest(origin)
    finally:
        await client.close()
