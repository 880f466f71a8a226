"""The CoAP door: datagrams in, and what has to come back, with the clause that says so."""

from typing import Any

from tests.protocol.cases import (
    door_blocks,
    door_exchange,
    door_format,
    door_options,
    door_resources,
)

PARTS = (door_format, door_options, door_exchange, door_resources, door_blocks)


def cases() -> list[dict[str, Any]]:
    return [case for part in PARTS for case in part.cases()]
