"""`tallystick token`: who may ask over HTTP."""

import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from gateway import tokens
from gateway.errors import ConfigError
from gateway.store.files import write_durable
from gateway.tokens import SCOPES, Token, digest_of
from tools.init import new_token

app = typer.Typer(help="Tokens for the HTTP door.", no_args_is_help=True)
_Dir = Annotated[Path, typer.Option("--dir", help="the gateway's or collector's directory")]
_DAY_MS = 86_400_000


@app.command("add")
def add(
    name: str,
    dir_: _Dir,
    scope: Annotated[str, typer.Option(help=" | ".join(SCOPES))] = "read",
    days: Annotated[int, typer.Option(help="until it expires; 0 for never")] = 0,
) -> None:
    """Make a token and show it once. A running gateway reads it at its next start.

    Example: tallystick token add grafana --scope read --days 90 --dir garden
    """
    if scope not in SCOPES:
        raise ConfigError(f"no scope {scope!r}", f"use one of {', '.join(SCOPES)}")
    path = _tokens_file(dir_)
    held = _read(path)
    if any(token.name == name for token in held):
        raise ConfigError(f"there is a token {name!r} already", "choose another name")
    secret = new_token()
    expires_ms = int(time.time() * 1000) + days * _DAY_MS if days else 0
    write_durable(path, tokens.dump([*held, Token(name, digest_of(secret), scope, expires_ms)]))
    print(f"token {name}, scope {scope}, shown this once:\n  {secret}")


def _tokens_file(dir_: Path) -> Path:
    if not dir_.is_dir():
        raise ConfigError(f"no directory {dir_}", "run `tallystick init DIR` first")
    return dir_ / "tokens.json"


def _read(path: Path) -> list[Token]:
    tokens.load(path)  # ConfigError, with the fix, where it is damaged
    return msgspec.json.decode(path.read_bytes(), type=list[Token]) if path.exists() else []
