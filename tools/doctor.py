"""`tallystick doctor`: what could go wrong with a gateway here, and what to do about each."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway import config as configs
from gateway.config import COLLECTOR_FILE, GatewayConfig
from gateway.directory import Directory
from gateway.errors import ConfigError, FatalError, GatewayError
from tools import facts as files
from tools.bars import Bars
from tools.checkup import directory as places
from tools.checkup import machine, peers
from tools.checkup.finding import BAD, OK, WARN, Finding
from tools.checkup.machine import Card, Progress
from tools.facts import Facts

_STYLES = {OK: "green", WARN: "yellow", BAD: "bold red"}


def doctor(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="a gateway's; it may be running")],
    quick: Annotated[bool, typer.Option("--quick", help="measure nothing")] = False,
    card_gb: Annotated[int, typer.Option(min=1, help="size of the SD card to reckon with")] = 32,
    cycles: Annotated[
        int, typer.Option(min=1, help="how often each of its cells is written")
    ] = 1000,
    amplification: Annotated[
        int, typer.Option(min=1, help="bytes it writes for each that it is told to")
    ] = 10,
    json_: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Look at DIR, its machine and its peers: each line is ok, warn or bad, with what to do.

    Writes and removes files of its own in DIR, to measure; changes nothing else.
    Exit code 1 where a line is bad.

    Example: tallystick doctor garden --card-gb 16
    """
    if (path / COLLECTOR_FILE).exists():
        raise ConfigError(f"{path} is a collector's", "name a gateway's directory")
    card = Card(card_gb, cycles, amplification)
    with Bars() as bars:
        found = list(findings(Directory(path), card, bars.show, measures=not quick))
    if json_:
        print(json.dumps([finding._asdict() for finding in found]))
    else:
        _show(found)
    raise typer.Exit(any(finding.level == BAD for finding in found))


def findings(
    directory: Directory, card: Card, progress: Progress, *, measures: bool
) -> Iterator[Finding]:
    """ConfigError where `directory` is none of a gateway."""
    config = configs.load(directory.config, GatewayConfig)
    now_s = time.time()
    yield machine.python()
    yield machine.sqlite_used()
    facts, unreadable = _facts(directory)
    yield machine.clock(int(now_s * 1000), facts)
    yield from places.modes(directory, config)
    yield places.held(directory)
    yield places.quarantined(directory)
    yield from unreadable
    if facts:
        yield from _of_ledger(directory, config, facts, now_s)
    if measures:
        yield machine.syncs(directory.path, progress)
        yield machine.wear(directory.path, config.ledger, facts, card, progress)
    yield peers.bind(directory, config)
    yield from peers.health(directory, config)
    yield peers.collector(config)
    yield from peers.witnesses(config)


def _of_ledger(
    directory: Directory, config: GatewayConfig, facts: Facts, now_s: float
) -> Iterator[Finding]:
    yield places.checkpoint(directory, config, facts, now_s)
    yield places.anchor(config, facts, int(now_s * 1000))
    yield from places.recorded(facts)
    yield places.space(directory, config, facts)
    yield places.log_size(facts)


def _facts(directory: Directory) -> tuple[Facts | None, list[Finding]]:
    """The ledger's facts, or why there are none."""
    try:
        return files.read(directory), []
    except FatalError as error:
        return None, [Finding("ledger", BAD, str(error), error.fix)]
    except GatewayError as error:
        fix = f"tallystick fsck {directory.path}, restore a backup"
        return None, [Finding("ledger", BAD, f"it cannot be read: {error}", fix)]


def _show(found: list[Finding]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, level, text, fix in found:
        shown = Text(f"{text}\nfix: {fix}" if fix else text)
        table.add_row(Text(level, _STYLES[level]), name, shown)
    Console().print(table)
