"""The HTTP door: Starlette routes on uvicorn, ended by us, not by signals."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator, Sequence
from typing import Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from gateway.config import HttpConfig
from gateway.errors import ConfigError, GatewayError
from gateway.http.problems import on_http_error, on_refusal
from gateway.stop import Failed
from protocol.errors import ProtocolError

_STOP_S = 2  # open streams are cut after this
_START_POLL_S = 0.01


def application(routes: Sequence[BaseRoute]) -> Starlette:
    return Starlette(
        routes=list(routes),
        exception_handlers={
            GatewayError: on_refusal,
            ProtocolError: on_refusal,
            HTTPException: on_http_error,
        },
    )


@contextlib.asynccontextmanager
async def serving(config: HttpConfig, app: Starlette, failed: Failed) -> AsyncIterator[int]:
    """Serves until the block ends; yields the port. ConfigError where it cannot be had.

    `failed` hears of it where the door ends before, by itself.
    """
    listener = _listen(config)
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=_STOP_S,
            server_header=False,
        )
    )
    task = asyncio.create_task(served(server, listener, failed), name="http")
    while not server.started and not task.done():  # noqa: ASYNC110  # uvicorn has no event
        await asyncio.sleep(_START_POLL_S)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task


class Server(Protocol):
    """uvicorn's, as far as it is asked here."""

    should_exit: bool

    async def serve(self, sockets: list[socket.socket] | None = None) -> None: ...


async def served(server: Server, listener: socket.socket, failed: Failed) -> None:
    """Until `server` was told to exit; it is not just gone before."""
    try:
        await server.serve(sockets=[listener])
    except Exception as error:
        failed(error)
    else:
        if not server.should_exit:
            failed(RuntimeError("the HTTP door has closed by itself"))


class _Server(uvicorn.Server):
    """Signals belong to the composition root."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _listen(config: HttpConfig) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    # by this protocol number asyncio knows TCP and sends at once (TCP_NODELAY): without it a
    # body waits for the ACK of its headers, 40 ms on each connection that is used again
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"cannot listen for HTTP on {config.host}:{config.port}: {error.strerror}",
            "stop what has the port, or set [http] port",
        ) from error
    return listener
