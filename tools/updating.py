"""`tallystick device update`: which release a device is to fetch."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.directory import Directory
from gateway.errors import ConfigError
from gateway.releases import opened
from protocol import manifest
from tools.control import command


def update(
    name: str,
    version: str,
    dir_: Annotated[Path, typer.Option("--dir", help="the gateway's directory")],
    wait: Annotated[float, typer.Option(help="seconds to wait until it knows")] = 0.0,
    json_: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Have NAME fetch a release and try it. What comes of it, its reading NAME/update tells.

    Example: tallystick device update greenhouse-3 1.1.0 --dir garden
    """
    folder = Directory(dir_).releases
    if not manifest.is_version(version) or not (folder / version).is_dir():
        raise ConfigError(
            f"no release {version!r} at {dir_}",
            f"`tallystick firmware publish`; `tallystick firmware list --dir {dir_}`",
        )
    opened(folder / version)
    command(name, "update", dir_, version, wait, json_)
