"""A device's OSCORE context for other people's clients: aiocoap's, and libcoap's coap-client.

Written into a folder of its own, never printed: it holds a secret.
"""

import json
import time
from pathlib import Path
from typing import Literal

from gateway import config as configs
from gateway.coap.own_numbers import by_clock
from gateway.config import GatewayConfig
from gateway.directory import Directory
from gateway.errors import ConfigError
from gateway.store.files import create_durable, make_directory
from gateway.store.identities import ACTIVE
from gateway.store.keys import KeyStore
from protocol import pairing
from protocol.oscore_keys import Keys

Client = Literal["aiocoap", "libcoap"]


def export(dir_: Path, name: str, folder: Path, *, gateway: str, client: Client) -> str:
    """Writes the context of `name` into `folder`, which is new; returns how it is used.

    ConfigError where something is there, or nobody has that name. The numbers of requests
    start where the clock says, so that a second copy starts past what the first has used.
    """
    directory = Directory(dir_)
    config = configs.load(directory.config, GatewayConfig)
    master, keys = _context(directory, name)
    host = f"[{config.coap.host}]" if ":" in config.coap.host else config.coap.host
    url = f"coap://{gateway or f'{host}:{config.coap.port}'}"
    if folder.exists():
        raise ConfigError(f"{folder} is there already", "name a folder that is not")
    make_directory(folder)
    number = by_clock(time.time_ns() // 1_000_000, newest_ms=0) or 0
    if client == "libcoap":
        files = {"coap-oscore.conf": _libcoap(master, keys), "numbers": f"{number}\n"}
        how = f"coap-client -E {folder}/coap-oscore.conf,{folder}/numbers {url}/time"
    else:
        files = _aiocoap(master, keys, number or 0, folder, url)
        how = f"aiocoap-client --credentials {folder}/client.json {url}/time"
    for file, content in files.items():
        create_durable(folder / file, content.encode())
    return how


def _context(directory: Directory, name: str) -> tuple[bytes, Keys]:
    store = KeyStore(directory.keys)
    try:
        found = [d for d in store.devices() if d.name == name and d.state == ACTIVE]
    finally:
        store.close()
    if not found:
        raise ConfigError(f"no active device {name!r}", "see `tallystick device list --dir DIR`")
    master = pairing.master_secret(found[0].secret)
    return master, pairing.device_keys(master, found[0].kid)


def _aiocoap(master: bytes, keys: Keys, number: int, folder: Path, url: str) -> dict[str, str]:
    """A context's folder, and the credentials that name it."""
    files: dict[str, object] = {
        "settings.json": {
            "sender-id_hex": keys.sender_id.hex(),
            "recipient-id_hex": keys.recipient_id.hex(),
        },
        "secret.json": {"secret_hex": master.hex()},
        "sequence.json": {"next-to-send": number, "received": "unknown"},
        "client.json": {f"{url}/*": {"oscore": {"basedir": str(folder.resolve())}}},
    }
    return {file: json.dumps(content, indent=2) + "\n" for file, content in files.items()}


def _libcoap(master: bytes, keys: Keys) -> str:
    """coap-oscore-conf(5); its defaults are our algorithms."""
    fields = {
        "master_secret": master,
        "sender_id": keys.sender_id,
        "recipient_id": keys.recipient_id,
    }
    return "".join(f'{name},hex,"{value.hex()}"\n' for name, value in fields.items())
