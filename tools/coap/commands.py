"""`tallystick get|put|post|delete coap://…`: a resource of a gateway, or of any CoAP server."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from gateway.coap.requests import (
    ACCEPT,
    CONTENT_FORMAT,
    DELETE,
    IF_MATCH,
    IF_NONE_MATCH,
    POST,
    PUT,
    uint,
)
from gateway.errors import ConfigError
from tools.coap.session import (
    BlockSize,
    How,
    Json,
    Non,
    Options,
    Oscore,
    Timeout,
    TokenFile,
    Uri,
    content_format,
    etag,
    session,
    tell,
)

_TIMEOUT_S = 30.0
_Content = Annotated[str | None, typer.Argument(metavar="CONTENT", help="text to send")]
_File = Annotated[
    str, typer.Option("--file", "-f", metavar="FILE", help="send this file; - is standard input")
]
_Format = Annotated[str, typer.Option("--content-format", help="number, or text, json, cbor, ...")]
_IfMatch = Annotated[
    str, typer.Option(metavar="ETAG", help="only if this is its ETag now; * is any: it exists")
]
_Create = Annotated[
    bool, typer.Option("--create", "--if-none-match", help="only if there is nothing yet")
]
_Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="write the content there")
]


def get(  # noqa: PLR0913  # options of a command
    address: Uri,
    *,
    accept: Annotated[str, typer.Option(help="the Content-Format to have it in")] = "",
    output: _Output = None,
    token_file: TokenFile = None,
    oscore: Oscore = None,
    timeout: Timeout = _TIMEOUT_S,
    block_size: BlockSize = 0,
    non: Non = False,
    json: Json = False,
) -> None:
    """Get what a resource holds now.

    Example: tallystick get coap://127.0.0.1/home/kitchen/light
    """
    how = How(token_file, timeout, block_size, non, json, oscore)
    options = [(ACCEPT, uint(content_format(accept)))] if accept else []
    with session(address, how, "getting") as opened:
        answer = opened.transfer.fetch([*opened.options, *options])
    tell(answer, how, output)


def _sending(code: int, says: str) -> Callable[..., None]:
    """The command that sends content by that method; `says` is its help."""

    def command(  # noqa: PLR0913  # options of a command
        address: Uri,
        content: _Content = None,
        *,
        file: _File = "",
        content_format: _Format = "",
        if_match: _IfMatch = "",
        create: _Create = False,
        token_file: TokenFile = None,
        oscore: Oscore = None,
        timeout: Timeout = _TIMEOUT_S,
        block_size: BlockSize = 0,
        non: Non = False,
        json: Json = False,
    ) -> None:
        how = How(token_file, timeout, block_size, non, json, oscore)
        options = _conditions(if_match, create, content_format)
        _send(code, address, _body(content, file), options, how)

    command.__doc__ = says
    return command


put = _sending(
    PUT,
    """Set what a resource holds, or make it.

    Example: tallystick put coap://127.0.0.1/home/kitchen/light on --token-file write.token
    """,
)
post = _sending(
    POST,
    """Append to what a resource holds, or make it.

    Example: date | tallystick post coap://127.0.0.1/home/log --file - --token-file write.token
    """,
)


def delete(  # noqa: PLR0913  # options of a command
    address: Uri,
    *,
    if_match: _IfMatch = "",
    token_file: TokenFile = None,
    oscore: Oscore = None,
    timeout: Timeout = _TIMEOUT_S,
    non: Non = False,
    json: Json = False,
) -> None:
    """Delete a resource. Its history stays in the ledger.

    Example: tallystick delete coap://127.0.0.1/home/kitchen/light --token-file admin.token
    """
    how = How(token_file, timeout, non=non, json=json, oscore=oscore)
    _send(DELETE, address, b"", _conditions(if_match, False, ""), how)


def _send(code: int, address: str, body: bytes, options: Options, how: How) -> None:
    with session(address, how, "sending") as opened:
        answer = opened.transfer.send(code, [*opened.options, *options], body)
    tell(answer, how)


def _body(content: str | None, file: str) -> bytes:
    if (content is None) == (not file):
        raise ConfigError("there is one content to send", "give CONTENT, or --file FILE")
    if content is not None:
        return content.encode()
    return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()


def _conditions(if_match: str, create: bool, format_name: str) -> Options:
    options: Options = []
    if if_match:
        options.append((IF_MATCH, b"" if if_match == "*" else etag(if_match)))
    if create:
        options.append((IF_NONE_MATCH, b""))
    if format_name:
        options.append((CONTENT_FORMAT, uint(content_format(format_name))))
    return options
