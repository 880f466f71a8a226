"""`tallystick status`: how a gateway is, in a few lines for people."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway import config as configs
from gateway import quarantine
from gateway.config import COLLECTOR_FILE, GatewayConfig
from gateway.directory import Directory
from gateway.errors import ConfigError
from gateway.hold import holder
from tools import facts as files
from tools.asking import NoAnswerError, ask
from tools.checkup.peers import url_of
from tools.facts import Facts

OK, FAILING, STOPPED = "ok", "failing", "stopped"
_MB = 10**6
Stats = dict[str, Any]


def status(
    target: Annotated[str, typer.Argument(metavar="URL|DIR", help="a gateway's")],
    token_file: Annotated[
        Path | None, typer.Option(help="file with a token, where reading needs one")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Say how a gateway is. Of one that is stopped, what its files say.

    Exit code 1 where something is wrong.

    Example: tallystick status http://127.0.0.1:8080
    """
    token = token_file.read_text().strip() if token_file else ""
    is_url = target.startswith(("http://", "https://"))
    seen = of_running(target, token) if is_url else of_directory(Path(target), token)
    if json_:
        print(json.dumps(seen))
    else:
        _show(target, seen)
    raise typer.Exit(seen["status"] == FAILING)


def of_running(url: str, token: str) -> Stats:
    """`status`, `faults`, and what /stats says, as far as it may be read."""
    try:
        _, health = ask(url, "/healthz")
        code, stats = ask(url, "/stats", token)
        seen = {"status": health["status"], "faults": list(health["faults"])}
    except NoAnswerError as error:
        return {"status": FAILING, "faults": [str(error)]}
    except (KeyError, TypeError):
        return {"status": FAILING, "faults": [f"{url} is no gateway"]}
    if code != 200:
        return seen | {"unread": f"/stats: {stats.get('detail', code)}: give --token-file"}
    return {**seen, **stats}


def of_directory(path: Path, token: str) -> Stats:
    """Of the gateway that runs there; else, or where that does not answer here, of its files."""
    if (path / COLLECTOR_FILE).exists():
        raise ConfigError(f"{path} is a collector's", "ask it: curl URL/origins")
    directory = Directory(path)
    config = configs.load(directory.config, GatewayConfig)
    who, heard = holder(path), list[str]()
    if who is not None:
        seen = of_running(url_of(config), token)
        if seen.get("origin") == config.origin:
            return seen | {"running": who}
        heard = _heard(url_of(config), seen)
    facts, now_ms = files.read(directory), time.time_ns() // 1_000_000
    faults = [*heard, *facts.open_faults]
    held = quarantine.load(directory.quarantine)
    if held:
        faults.append(f"nothing is signed: {held.reason}")
    found = FAILING if faults else OK if who else STOPPED
    seen = {"status": found, "faults": faults, "running": who, "origin": config.origin}
    return seen | _as_stats(directory, config, facts, now_ms)


def _heard(url: str, seen: Stats) -> list[str]:
    """Faults of a gateway that runs, where /stats is not to be had of it."""
    if "unread" in seen:
        return list(seen["faults"])
    if "origin" in seen:
        return [f"at {url} is {seen['origin']}: ask this one where it listens"]
    return [f"{fault}; if it listens elsewhere, ask there" for fault in seen["faults"]]


def _as_stats(directory: Directory, config: GatewayConfig, facts: Facts, now_ms: int) -> Stats:
    """As /stats would say it; what only a running gateway knows is missing."""
    waited_ms = now_ms - facts.unanchored_ms if facts.unanchored_ms is not None else 0
    anchor = {
        "size": facts.anchored,
        "unanchored": facts.entries - facts.anchored,
        "age_seconds": max(waited_ms, 0) / 1000,
    }
    forward = {"cursor": facts.forwarded, "behind": facts.signed - facts.forwarded}
    free = files.free_bytes(directory)
    return {
        "size": facts.entries,
        "signed_size": facts.signed,
        "anchor": anchor if config.anchor else None,
        "forward": forward if config.forward else None,
        "disk": {"free_bytes": free},
        "retention": {"used_bytes": facts.used_bytes, "days_left": facts.days_left(free)},
    }


def _show(target: str, seen: Stats) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    style = {OK: "green", STOPPED: "yellow"}.get(seen["status"], "bold red")
    running = f", {seen['running']}" if seen.get("running") else ""
    name = seen.get("origin") or target
    table.add_row("gateway", Text.assemble(f"{name} ", (seen["status"], style), running))
    for row in _rows(seen):
        table.add_row(*row)
    for fault in seen["faults"]:
        table.add_row("fault", Text(fault, "bold red"))
    Console().print(table)


def _rows(seen: Stats) -> list[tuple[str, Text]]:
    if "size" not in seen:
        return [("", Text(seen["unread"]))] if "unread" in seen else []
    size, signed = seen["size"], seen["signed_size"]
    rows = {
        "entries": f"{size}, {signed} of them signed",
        "anchored": _anchored(seen["anchor"]),
        "forwarding": _forwarding(seen["forward"]),
        "disk": _disk(seen),
    }
    return [(name, Text(text)) for name, text in rows.items()]


def _anchored(anchor: Stats | None) -> str:
    if anchor is None:
        return "nobody else is asked to remember: see anchor in the configuration"
    if not anchor["unanchored"]:
        return f"all {anchor['size']}"
    return (
        f"{anchor['size']}; {anchor['unanchored']} are not,"
        f" the oldest for {anchor['age_seconds']:.0f} s"
    )


def _forwarding(forward: Stats | None) -> str:
    if forward is None:
        return "no collector is configured"
    text = f"{forward['cursor']} are with the collector, {forward['behind']} to go"
    if forward.get("last_failure"):
        return f"{text}; the last try failed: {forward['last_failure']}"
    return text


def _disk(seen: Stats) -> str:
    retention, free = seen["retention"], seen["disk"]["free_bytes"]
    text = f"{retention['used_bytes'] / _MB:.1f} MB taken"
    text += f", {free // _MB} MB free" if free is not None else ""
    days = retention["days_left"]
    return f"{text}, {days:.0f} days left at this rate" if days is not None else text
