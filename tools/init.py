"""`tallystick init`: a new gateway's or collector's directory, its keys, and one token."""

import json
import re
import secrets
from pathlib import Path
from typing import Annotated

import typer

from gateway import collector, directory, tokens
from gateway.anchor.quorum import policy_of
from gateway.config import AnchorConfig, AnchorWitness
from gateway.errors import ConfigError
from gateway.store.files import create_durable
from gateway.tokens import TOKEN_BYTES, Token, digest_of

_ORIGIN = re.compile(r"[!-*,-~]{1,255}")  # no space, no +, nothing that is not printable ASCII

_GATEWAY = """\
# A tallystick gateway. Every key, with its default, is in the README under "Configuration".
origin = {origin}

[coap]
host = "127.0.0.1"  # "0.0.0.0" or "::" lets devices on the network in; they have keys
port = 5683

[http]
host = "127.0.0.1"  # anything else needs a token for every request
port = 8080
"""
_FORWARD = """
[forward]
url = {url}
token_file = {token_file}
"""
_ANCHOR = """
[anchor]
quorum = 1  # of these; one without a url is the collector, which cosigns in its answers

[[anchor.witnesses]]
vkey = {vkey}
"""
_COLLECTOR = """\
# A tallystick collector. Each gateway it takes batches from is named by its verifier key.
trust = []

[http]
host = "127.0.0.1"  # anything else needs a token for every request
port = 8090
"""


def init(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="a directory that is new or empty")],
    name: Annotated[
        str, typer.Option(help="the ledger's name, its origin; best a domain you own, and a path")
    ] = "",
    collector_: Annotated[
        bool, typer.Option("--collector", help="make a collector, not a gateway")
    ] = False,
    forward: Annotated[str, typer.Option(help="URL of the collector to forward to")] = "",
    token_file: Annotated[
        Path | None, typer.Option(help="file with the collector's token, for --forward")
    ] = None,
    witness: Annotated[
        str, typer.Option(help="the collector's witness key, for --forward: it anchors the ledger")
    ] = "",
) -> None:
    """Make DIR with keys, a token (shown once) and a configuration to edit.

    Example: tallystick init garden --name example.org/garden
    """
    if collector_:
        init_collector(path, name)
        return
    if bool(forward) != bool(token_file):
        raise ConfigError("--forward and --token-file go together", "give both, or neither")
    if witness and not forward:
        raise ConfigError("--witness is the collector's", "give --forward and --token-file, too")
    signer_text = init_gateway(path, name or path.resolve().name, forward, token_file, witness)
    print(f"verifier key (give it to whoever verifies, and to collectors):\n  {signer_text}")
    print(f"next:\n  tallystick device add NAME --dir {path}\n  tallystick run {path}")


def init_gateway(
    path: Path, origin: str, forward: str, token_file: Path | None, witness: str = ""
) -> str:
    """The new gateway's verifier key; prints its token. `witness` is its collector's key."""
    if not _ORIGIN.fullmatch(origin):
        raise ConfigError(
            f"{origin!r} cannot be an origin", "use --name with printable ASCII, no space, no +"
        )
    text = _GATEWAY.format(origin=_toml(origin))
    if forward and token_file:
        text += _FORWARD.format(url=_toml(forward), token_file=_toml(str(token_file.resolve())))
    if witness:
        text += _anchor(witness)
    signer = directory.create(path, origin, text)
    create_durable(path / "verifier.key", f"{signer.verifier_text}\n".encode(), mode=0o644)
    print(f"made {path}, the ledger {origin}")
    _first_token(path / "tokens.json", "admin")
    return signer.verifier_text


def init_collector(path: Path, name: str = "") -> str:
    """A new collector; returns its token, and prints it."""
    witness = collector.create(path, _COLLECTOR, f"{name or path.resolve().name}/witness")
    print(f"made {path}, a collector")
    print(f"witness key (for gateways that forward here):\n  {witness.verifier_text}")
    secret = _first_token(path / collector.TOKENS_FILE, "ingest")
    print(f"next:\n  tallystick collect {path} --trust VERIFIER_KEY")
    return secret


def _anchor(witness: str) -> str:
    text = _ANCHOR.format(vkey=_toml(witness))
    config = AnchorConfig(witnesses=[AnchorWitness(vkey=witness)])
    policy_of(config, collector=True)  # refuses what is no witness's key before anything is made
    return text


def _first_token(path: Path, scope: str) -> str:
    secret = new_token()
    create_durable(path, tokens.dump([Token(f"first-{scope}", digest_of(secret), scope)]))
    print(f"token, scope {scope}, shown this once (only its hash is kept):\n  {secret}")
    return secret


def _toml(text: str) -> str:
    """`text` as a TOML string: JSON's escapes are a part of TOML's."""
    return json.dumps(text, ensure_ascii=False)


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)
