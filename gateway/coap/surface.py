"""The surface of the CoAP door: what is at which path, and what all of it opens to."""

import hashlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from gateway.coap.control import ControlResource
from gateway.coap.firmware import FIRMWARE, OCTETS, FirmwareResource
from gateway.coap.links import LINK_FORMAT, Link, well_known
from gateway.coap.requests import GET, POST
from gateway.coap.resources import CBOR_FORMAT, READ_FORMATS, ReadingsResource, TimeResource
from gateway.coap.routes import Route, Routes
from gateway.coap.signed import Signed
from gateway.coap.tree import Tree
from gateway.control.desk import Desk
from gateway.members import Members
from gateway.metrics import Metrics
from gateway.resources import Resources, paths
from gateway.sequencer import Sequencer
from gateway.surroundings import Surroundings
from gateway.tokens import Tokens
from protocol.limits import CONTENT_FORMAT_COSE_MAC0, MAX_DATAGRAM_BYTES

_RESOURCES = "tallystick.resources"
_KEPT, _FORGOTTEN, _READ_ONLY = "in the ledger", "until a restart", "read-only"

_LINKS = [
    Link("/r", rt="tallystick.readings", ct=READ_FORMATS),
    Link("/c", rt="tallystick.control", ct=(CONTENT_FORMAT_COSE_MAC0,)),
    Link(f"/{FIRMWARE}/", rt="tallystick.firmware", ct=(OCTETS,)),
    Link("/time", rt="tallystick.time", ct=(CBOR_FORMAT,)),
    Link("/.well-known/core", ct=(LINK_FORMAT,)),
    *(Link(f"/{name}/", rt=_RESOURCES, title=_KEPT, obs=True) for name in paths.DURABLE),
    *(Link(f"/{name}/", rt=_RESOURCES, title=_FORGOTTEN, obs=True) for name in paths.MEMORY),
    Link(f"/{paths.PROC}/", rt=_RESOURCES, title=_READ_ONLY),
]


class Behind(NamedTuple):
    """What the door opens to. `time_ms` is 0 where the clock is not trusted.

    `newest_ms` is when the ledger's last entry came, as of the start.
    """

    members: Members
    sequencer: Sequencer
    metrics: Metrics
    tokens: Tokens
    newest_ms: int
    surroundings: Surroundings
    time_ms: Callable[[], int]
    resources: Resources
    desk: Desk


def routes_of(
    behind: Behind, signed: Signed, *, reading_is_free: bool, now_ms: Callable[[], int]
) -> Routes:
    """Every path the door knows; what is none of them is a resource."""
    readings = ReadingsResource(
        behind.members,
        behind.sequencer,
        behind.metrics,
        signed,
        time_ms=behind.time_ms,
        news=behind.desk.news,
    )
    questions = ControlResource(
        behind.members.registry,
        behind.desk,
        behind.metrics,
        keep_up=behind.members.keep_up,
        now_ms=now_ms,
    )
    clock = TimeResource(behind.time_ms)
    exact: Mapping[tuple[str, ...], Route] = {
        # An envelope's own limit is told by whoever reads it; a longer body is refused before.
        # No words: a device believes no refusal, and has better use for its air time.
        ("r",): Route({POST: readings.post}, max_body_bytes=MAX_DATAGRAM_BYTES, explains=False),
        ("c",): Route(
            {POST: questions.post, GET: questions.get},
            max_body_bytes=MAX_DATAGRAM_BYTES,
            watch=questions.watch,
            explains=False,
        ),
        ("time",): Route({GET: clock.get}),
        (".well-known", "core"): Route({GET: well_known(_LINKS, _sha256)}, filtered=True),
    }
    tree = Tree(behind.resources, reading_is_free=reading_is_free)
    firmware = FirmwareResource(behind.surroundings.releases, behind.metrics)
    return Routes(exact, tree.route, {FIRMWARE: Route({GET: firmware.get})})


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
