"""A gateway and a collector as real processes in a folder of their own, and their ledgers."""

import copy
import json
import os
import re
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from gateway import tokens
from gateway.tokens import Token, digest_of
from protocol import sealed_reader
from tests import warm
from tools.enrolling import Profile, enrol
from tools.init import init_collector, init_gateway, new_token
from tools.processes import Service, free_port
from tools.trust import remember_trust
from tools.verify import Verdict, verdicts_of

ORIGIN = "test.invalid/site"
CATCH_UP_S = 30


def slowness() -> float:
    """On a machine that does more than it has cores for, everything takes so much longer."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


class Site:
    """Two directories with fixed ports; the services are started and ended by the test."""

    def __init__(self, folder: Path) -> None:
        self.gateway_dir = folder / "gateway"
        self.collector_dir = folder / "collector"
        self._folder = folder
        self.gateway_http = free_port(socket.SOCK_STREAM)
        self.collector_http = free_port(socket.SOCK_STREAM)
        self.coap_port = free_port(socket.SOCK_DGRAM)
        self.gateway: Service | None = None
        self.collector: Service | None = None
        self._started: list[Service] = []
        self.launch = warm.launched
        with redirect_stdout(StringIO()):
            self._make()

    def copied(self, folder: Path) -> "Site":
        """The same two directories somewhere else, on the same ports; nothing runs."""
        twin = copy.copy(self)
        twin._folder, twin._started = folder, []
        twin.gateway = twin.collector = None
        twin.gateway_dir, twin.collector_dir = folder / "gateway", folder / "collector"
        shutil.copytree(self.gateway_dir, twin.gateway_dir)
        shutil.copytree(self.collector_dir, twin.collector_dir)
        return twin

    def start_gateway(self) -> Service:
        self.gateway = Service(
            ["run", str(self.gateway_dir), "--http", f"127.0.0.1:{self.gateway_http}"],
            self.gateway_http,
            self._folder / "gateway.log",
            self.launch,
        )
        self._started.append(self.gateway)
        return self.gateway

    def start_collector(self) -> Service:
        self.collector = Service(
            ["collect", str(self.collector_dir), "--http", f"127.0.0.1:{self.collector_http}"],
            self.collector_http,
            self._folder / "collector.log",
            self.launch,
        )
        self._started.append(self.collector)
        return self.collector

    def stop(self) -> None:
        """Ends whatever was started, the newest first: a gateway before its collector."""
        while self._started:
            self._started.pop().stop()
        self.gateway = self.collector = None

    def enrol(self, name: str, profile: Profile = "mac") -> dict[str, object]:
        return enrol(self.gateway_dir, name, profile=profile)

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + CATCH_UP_S
        while not holds():
            assert time.monotonic() < deadline, f"not within {CATCH_UP_S} s: {what}\n{self.logs()}"
            time.sleep(0.05)

    def wait_until_collected(self) -> None:
        """Until the collector has everything the gateway has, signed."""

        def collected() -> bool:
            assert self.gateway is not None
            stats = self.gateway.get("/stats")
            return bool(stats["size"] == stats["signed_size"] == stats["forward"]["cursor"])

        self.wait_until(collected, "the collector has everything")

    def verdicts(self) -> list[Verdict]:
        """The outside verifier's word on the gateway's ledger and on the collector's."""
        directories = [self.gateway_dir]
        if list(self.collector_dir.glob("*-*.sqlite")):
            directories.append(self.collector_dir)
        return [verdicts_of(str(directory))[0] for directory in directories]

    def gateway_log(self) -> str:
        return (self._folder / "gateway.log").read_text()

    def logs(self) -> str:
        return "\n".join(
            f"--- {log.name}\n{log.read_text()[-3000:]}"
            for log in sorted(self._folder.glob("*.log"))
        )

    def _make(self) -> None:
        token = init_collector(self.collector_dir)
        token_file = self._folder / "upstream.token"
        token_file.write_text(token)
        url = f"http://127.0.0.1:{self.collector_http}"
        verifier_key = init_gateway(self.gateway_dir, ORIGIN, url, token_file)
        remember_trust(self.collector_dir, [verifier_key])
        config = self.gateway_dir / "tallystick.toml"
        # all the devices of a test have one address, and some send as fast as they can
        shares = "max_per_source_s = 1000000\nmax_per_device_s = 1000000"
        text = re.sub("port = 5683", f"port = {self.coap_port}\n{shares}", config.read_text())
        config.write_text(text + "retry_min_ms = 100\nretry_max_ms = 500\n")


def listen_on_both(site: Site) -> None:
    """CoAP on IPv4 and IPv6, before the gateway is started."""
    config = site.gateway_dir / "tallystick.toml"
    config.write_text(re.sub(r'(\[coap\]\s*host = )"[^"]*"', r'\1"::"', config.read_text()))


def allow_tokens(site: Site) -> dict[str, str]:
    """Tokens over CoAP in plain text, before the gateway is started: one a scope, by its name."""
    config = site.gateway_dir / "tallystick.toml"
    config.write_text(config.read_text().replace("[coap]\n", "[coap]\nplain_tokens = true\n"))
    made = {scope: new_token() for scope in ("write", "admin")}
    held = [Token(scope, digest_of(secret), scope) for scope, secret in made.items()]
    (site.gateway_dir / "tokens.json").write_bytes(tokens.dump(held))
    return made


def packs(ledger: Path) -> dict[tuple[str, int, int], list[int]]:
    """(device, epoch, sequence) -> the indexes of the entries that hold it."""
    database = sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True)
    found: dict[tuple[str, int, int], list[int]] = {}
    for index, source, body in database.execute(
        "SELECT idx, source, body FROM entries JOIN bodies USING (idx)"
        " WHERE kind = 'pack' ORDER BY idx"
    ):
        sealed = sealed_reader.parse(body)
        found.setdefault((source, sealed.epoch, sealed.sequence), []).append(index)
    database.close()
    return found


def collected_ledger(site: Site) -> Path:
    (ledger,) = site.collector_dir.glob("*-*.sqlite")
    return ledger


def device_folder(site: Site, name: str, gateway_port: int, **config: object) -> Path:
    """A device's flash with its config.json, sending to a port on loopback."""
    folder = site.gateway_dir.parent / name
    folder.mkdir()
    settings = site.enrol(name) | {"gateway": f"127.0.0.1:{gateway_port}"} | config
    (folder / "config.json").write_text(json.dumps(settings))
    return folder
