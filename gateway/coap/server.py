"""The CoAP door: aiocoap's server with our resources on one socket."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# SO_REUSEPORT would let a second gateway take half of the datagrams without a word.
os.environ.setdefault("AIOCOAP_REUSE_PORT", "0")

import aiocoap
from aiocoap.resource import Site, WKCResource

from gateway.coap.resources import ReadingsResource, TimeResource
from gateway.config import CoapConfig
from gateway.errors import ConfigError


@asynccontextmanager
async def serving(
    config: CoapConfig, readings: ReadingsResource, clock: TimeResource
) -> AsyncIterator[None]:
    """Serves until the block ends. ConfigError where the address cannot be had."""
    site = Site()
    site.add_resource(["r"], readings)
    site.add_resource(["time"], clock)
    site.add_resource(
        [".well-known", "core"], WKCResource(site.get_resources_as_linkheader, impl_info=None)
    )
    try:
        context = await aiocoap.Context.create_server_context(
            site, bind=(config.host, config.port), transports=["udp6"]
        )
    except OSError as error:
        raise ConfigError(
            f"cannot listen for CoAP on {config.host}:{config.port}: {error.strerror}",
            "stop what has the port, or set [coap] port",
        ) from error
    try:
        yield
    finally:
        await context.shutdown()
