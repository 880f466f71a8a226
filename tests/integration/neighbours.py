"""Gateways beside a site: witnesses over loopback, and the site's anchors in its configuration."""

import json
import socket
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from tests import warm
from tests.integration.harness import Site
from tools.init import init_gateway
from tools.processes import Service, free_port


class NeighbourGateway:
    """A gateway of its own that cosigns for the site's ledger."""

    def __init__(self, site: Site, name: str) -> None:
        self.path = site.gateway_dir.with_name(name)
        self._log = site.gateway_dir.with_name(f"{name}.log")
        self.http_port = free_port(socket.SOCK_STREAM)
        with redirect_stdout(StringIO()):
            init_gateway(self.path, f"{name}.invalid/ledger", "", None)
        trusted = (site.gateway_dir / "verifier.key").read_text().strip()
        config = self.path / "tallystick.toml"
        coap_port = free_port(socket.SOCK_DGRAM)
        text = config.read_text().replace("port = 5683", f"port = {coap_port}")
        config.write_text(f"{text}\n[witness]\ntrust = [{json.dumps(trusted)}]\n")
        self.service: Service | None = None

    @property
    def vkey(self) -> str:
        return (self.path / "witness.vkey").read_text().strip()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def start(self) -> Service:
        arguments = ["run", str(self.path), "--http", f"127.0.0.1:{self.http_port}"]
        self.service = Service(arguments, self.http_port, self._log, warm.launched)
        return self.service

    def stop(self) -> None:
        if self.service:
            self.service.stop()
            self.service = None


def anchor(site: Site, *witnesses: tuple[str, str], quorum: int = 1) -> None:
    """Configures the site's gateway; a witness is its verifier key and its URL."""
    lines = [f"\n[anchor]\nquorum = {quorum}\nevery_ms = 100\n"]
    for vkey, url in witnesses:
        lines.append(f"[[anchor.witnesses]]\nvkey = {json.dumps(vkey)}\nurl = {json.dumps(url)}\n")
    config = site.gateway_dir / "tallystick.toml"
    config.write_text(config.read_text() + "".join(lines))


def wait_until_anchored(site: Site) -> None:
    def anchored() -> bool:
        assert site.gateway is not None
        stats = site.gateway.get("/stats")
        return bool(stats["anchor"]["size"] == stats["size"] == stats["signed_size"])

    site.wait_until(anchored, "everything is anchored")


def collector_vkey(site: Site) -> str:
    return (site.collector_dir / "witness.vkey").read_text().strip()


def policy_of(site: Site, *vkeys: str) -> bytes:
    """A C2SP policy that needs all of them."""
    log = (site.gateway_dir / "verifier.key").read_text().strip()
    names = [f"w{n}" for n in range(len(vkeys))]
    lines = [f"log {log}"]
    lines += [f"witness {name} {vkey}" for name, vkey in zip(names, vkeys, strict=True)]
    lines += [f"group all-of-them all {' '.join(names)}", "quorum all-of-them"]
    return ("\n".join(lines) + "\n").encode()


def folder_of(site: Site) -> Path:
    return site.gateway_dir.parent
