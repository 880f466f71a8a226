"""What the CoAP commands have in common: their options, their endpoint, their bar, their end."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.progress import Progress

from gateway.coap.blocks import MAX_EXPONENT
from gateway.coap.requests import TOKEN
from gateway.errors import ConfigError
from protocol.coap import Message
from protocol.errors import TooLargeError
from tools.coap import uri
from tools.coap.endpoint import Endpoint, NoAnswerError
from tools.coap.protected import ProtectedEndpoint
from tools.coap.told import as_json, is_refusal, refusal_text
from tools.coap.transfer import Transfer
from tools.oscore_client import OscoreFile

WRONG = 1
TOKEN_VARIABLE = "TALLYSTICK_TOKEN"  # noqa: S105  # the name of one
_FORMATS = {"text": 0, "link-format": 40, "octets": 42, "json": 50, "cbor": 60, "senml-cbor": 112}
_MAX_FORMAT = (1 << 16) - 1
_MAX_ETAG_BYTES = 8
Options = list[tuple[int, bytes]]

Uri = Annotated[str, typer.Argument(metavar="URI", help="coap://HOST[:PORT]/path[?query]")]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        help=f"file with a token; or set ${TOKEN_VARIABLE}. In plain text, but under OSCORE"
    ),
]
Timeout = Annotated[float, typer.Option(min=0.1, help="seconds to wait for each answer")]
BlockSize = Annotated[int, typer.Option(help="largest block: 16, 32, ... 1024 bytes")]
Oscore = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="ask as this device, its config.json, under OSCORE"),
]
Non = Annotated[bool, typer.Option("--non", help="send without confirmation, and only once")]
Json = Annotated[bool, typer.Option("--json", help="for scripts")]


class How(NamedTuple):
    """The options that every command has."""

    token_file: Path | None = None
    timeout_s: float = 30
    block_size: int = 0
    non: bool = False
    json: bool = False
    oscore: Path | None = None


class Session(NamedTuple):
    """`options` name the resource and who asks."""

    endpoint: Endpoint
    transfer: Transfer
    options: Options


@contextmanager
def session(address: str, how: How, what: str) -> Iterator[Session]:
    """An endpoint at the resource, and a bar for its blocks. No answer ends the program."""
    target = uri.parse(address)
    options = [*target.options, *_token(how.token_file)]
    exponent = _exponent(how.block_size)
    bar = Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
    task = bar.add_task(what, total=None, visible=False)

    def progress(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total or None, visible=True)

    try:
        endpoint = _endpoint(target, how)
        with bar:
            yield Session(endpoint, Transfer(endpoint.ask, exponent, progress), options)
        endpoint.close()
    except NoAnswerError as error:
        _end(f"{error}\n  fix: see that the gateway runs, and the address is its [coap] one")
    except TooLargeError as error:
        raise ConfigError(
            f"the request does not fit: {error}", "use a smaller --block-size"
        ) from error


def tell(answer: Message, how: How, output: Path | None = None) -> None:
    """Prints it, or writes its payload; ends the program where it is a refusal."""
    if how.json:
        print(as_json(answer))
        if is_refusal(answer):
            raise typer.Exit(WRONG)
    elif is_refusal(answer):
        _end(refusal_text(answer))
    elif output is None:
        _print(answer.payload)
    if output is not None:
        output.write_bytes(answer.payload)


def content_format(text: str) -> int:
    """A number, or one of a few names."""
    if text in _FORMATS:
        return _FORMATS[text]
    if not (text.isascii() and text.isdigit() and int(text) <= _MAX_FORMAT):
        raise ConfigError(
            f"no Content-Format {text!r}", f"give its number, or one of {', '.join(_FORMATS)}"
        )
    return int(text)


def etag(text: str) -> bytes:
    """The 1 to 8 bytes that `get --json` shows in hex."""
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if not 1 <= len(value) <= _MAX_ETAG_BYTES:
        raise ConfigError(f"no ETag {text!r}", "take it from `tallystick get --json`: it is in hex")
    return value


def _print(payload: bytes) -> None:
    """As it is; to a screen with the end of the line that it may not have."""
    sys.stdout.flush()
    sys.stdout.buffer.write(payload)
    if payload and sys.stdout.isatty() and not payload.endswith(b"\n"):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


def _endpoint(target: uri.Target, how: How) -> Endpoint:
    where, confirmable = (target.host, target.port), not how.non
    if how.oscore is None:
        return Endpoint(*where, timeout_s=how.timeout_s, confirmable=confirmable)
    identity = OscoreFile(how.oscore)
    return ProtectedEndpoint(identity, *where, timeout_s=how.timeout_s, confirmable=confirmable)


def _end(text: str) -> None:
    print(f"tallystick: {text}", file=sys.stderr)
    raise typer.Exit(WRONG)


def _token(path: Path | None) -> Options:
    text = path.read_text().strip() if path else os.environ.get(TOKEN_VARIABLE, "").strip()
    return [(TOKEN, text.encode())] if text else []


def _exponent(block_size: int) -> int | None:
    sizes = [16 << exponent for exponent in range(MAX_EXPONENT + 1)]
    if block_size and block_size not in sizes:
        raise ConfigError(
            f"no blocks of {block_size} bytes", f"use one of {', '.join(map(str, sizes))}"
        )
    return sizes.index(block_size) if block_size else None
