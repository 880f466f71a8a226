"""`tallystick demo`: the whole path on one machine, ending with a check of both sides."""

import itertools
import json
import re
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Annotated, Any

import httpx2 as httpx
import typer

from tools.end_to_end import Checking
from tools.enrolling import identities
from tools.init import init_collector, init_gateway
from tools.processes import Device, Event, Service, free_port
from tools.simulate import Tally, folder_of, interpreter_note
from tools.trust import remember_trust
from tools.verdict import Verdict
from tools.verify import Held, verdicts_of

_ORIGIN = "demo.invalid/garden"
_DEVICES = ("greenhouse-1", "greenhouse-2", "cellar-1")
_EVERY_MS = 500
_CATCH_UP_S = 20


def demo(
    seconds: Annotated[float, typer.Option(help="how long the devices run; 0 until Ctrl-C")] = 0.0,
) -> None:
    """Run a collector, a gateway and three devices, then verify both sides.

    Example: tallystick demo --seconds 20
    """
    with tempfile.TemporaryDirectory(prefix="tallystick-demo-") as folder:
        ok = _play(Path(folder), seconds)
    raise typer.Exit(0 if ok else 1)


def _play(folder: Path, seconds: float) -> bool:
    tally = Tally()
    with ExitStack() as stack:
        gateway = stack.enter_context(_services(folder))
        print(f"collector, gateway and {len(_DEVICES)} devices are up; {interpreter_note()}")
        running = [
            stack.enter_context(_device(folder / "gateway", name, tally)) for name in _DEVICES
        ]
        _scroll(gateway, seconds)
        for device in running:
            device.stop()
        caught_up = _wait_for_collector(gateway)
        anchored = gateway.get("/stats")["anchor"]["size"]
    if not caught_up:
        print("the collector did not catch up")
    print(f"anchored         {anchored} entries, under a checkpoint that the collector cosigned")
    return _judge(folder, tally) and caught_up


@contextmanager
def _services(folder: Path) -> Iterator[Service]:
    """Both services, each a process of its own, with keys made for this run."""
    with redirect_stdout(StringIO()):
        token = init_collector(folder / "collector")
        token_file = folder / "upstream.token"
        token_file.touch(mode=0o600)
        token_file.write_text(token)
        http_port = free_port(socket.SOCK_STREAM)
        verifier_key = init_gateway(
            folder / "gateway",
            _ORIGIN,
            f"http://127.0.0.1:{http_port}",
            token_file,
            (folder / "collector" / "witness.vkey").read_text().strip(),
        )
        remember_trust(folder / "collector", [verifier_key])
    collector = Service(
        ["collect", str(folder / "collector"), "--http", f"127.0.0.1:{http_port}"],
        http_port,
        folder / "collector.log",
    )
    try:
        gateway = _gateway(folder)
        try:
            yield gateway
        finally:
            gateway.stop()
    finally:
        collector.stop()


def _gateway(folder: Path) -> Service:
    http_port, coap_port = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    file = folder / "gateway" / "tallystick.toml"
    file.write_text(re.sub(r"port = 5683", f"port = {coap_port}", file.read_text()))
    return Service(
        ["run", str(folder / "gateway"), "--http", f"127.0.0.1:{http_port}"],
        http_port,
        folder / "gateway.log",
    )


@contextmanager
def _device(path: Path, name: str, tally: Tally) -> Iterator[Device]:
    def on_event(event: Event) -> None:
        tally.on_event(event)
        if event["event"] == "said":  # a traceback of the device's, if anything
            print(f"  {name}: {event['text']}")

    device = Device(folder_of(path, name, "", every_ms=_EVERY_MS), on_event)
    try:
        yield device
    finally:
        device.stop()


def _scroll(gateway: Service, seconds: float) -> None:
    """Shows entries as the gateway streams them, for `seconds` or until Ctrl-C."""
    over = threading.Event()
    viewer = threading.Thread(target=_view, args=(gateway, over), daemon=True)
    viewer.start()
    try:
        over.wait(seconds or None)
    except KeyboardInterrupt:
        print()
    over.set()


def _view(gateway: Service, over: threading.Event) -> None:
    try:
        _show_stream(gateway, over)
    except httpx.HTTPError:
        pass  # the gateway has ended, and its stream with it


def _show_stream(gateway: Service, over: threading.Event) -> None:
    stream = httpx.stream("GET", f"{gateway.url}/stream?after=-1", timeout=None)
    with stream as response:
        for line in response.iter_lines():
            if over.is_set():
                return
            if line.startswith("data:"):
                for shown in _lines(json.loads(line[5:])):
                    print(shown, flush=True)


def _lines(entry: dict[str, Any]) -> Iterator[str]:
    kept = (entry["received"] or "")[11:23]
    head = f"  #{entry['index']:<5} kept {kept}  {entry['source']:<13}"
    if "readings" not in entry:
        yield f"{head} {entry['kind']}"
        return
    for reading in entry["readings"]:
        name = reading["name"].rpartition("/")[2]
        value = f"{name} {reading['value']} {reading['unit']}"
        yield f"{head} {value:<24} {entry['profile']} ok  leaf {entry['leaf_hash'][:12]}"


def _wait_for_collector(gateway: Service) -> bool:
    """Whether the collector has everything, signed, and has cosigned it, within the limit."""
    deadline = time.monotonic() + _CATCH_UP_S
    for _ in itertools.takewhile(lambda _: time.monotonic() < deadline, itertools.count()):
        stats = gateway.get("/stats")
        size = stats["size"]
        if size == stats["signed_size"] == stats["forward"]["cursor"] == stats["anchor"]["size"]:
            return True
        time.sleep(0.1)
    return False


def _judge(folder: Path, tally: Tally) -> bool:
    """Both sides verified from outside, down to the devices, and their roots compared."""
    keys = {
        one.kid: (one.name, one.public_key)
        for one in identities(folder / "gateway")
        if one.public_key
    }
    held = Held(senders=partial(Checking, keys))
    sides = ("gateway", "collector")
    verdicts = {side: verdicts_of(str(folder / side), held=held)[0] for side in sides}
    for side, verdict in verdicts.items():
        print(f"verify {side:<9} {_verdict_line(verdict)}")
    kept = tally.counts["kept"]
    roots = {verdict.root for verdict in verdicts.values()}
    print(f"devices hold {kept} receipts; {'same root' if len(roots) == 1 else 'ROOTS DIFFER'}")
    entries = verdicts["gateway"].entries - len(_DEVICES)  # an enrolment is an entry, too
    return (
        all(verdict.valid for verdict in verdicts.values())
        and len(roots) == 1
        and 0 < kept <= entries
    )


def _verdict_line(verdict: Verdict) -> str:
    if not verdict.valid:
        return f"WRONG at entry {verdict.first_bad}: {verdict.reason}"
    by_devices = verdict.end_to_end.signed if verdict.end_to_end else 0
    return (
        f"ok  {verdict.entries} entries, {verdict.signed} under a checkpoint, {by_devices} packs"
        f" signed by their devices, root {verdict.root}"
    )
