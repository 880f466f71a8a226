"""The part of a configuration that is told over the air: which version is in effect at a start.

config.json is never written. What is told stands beside it, a checked file a version, and what it
says takes the place of what config.json says.
"""

import json

from device import standing as standings
from device import store
from device.config import Config, ConfigError
from device.config_file import check
from device.standing import Standing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Files

# who it is, and whose releases it takes: these need a person
_FIXED = ("name", "secret", "key", "profile", "generation", "update_key")
_MAX_STARTS = 2


def merged(fields: "dict[str, object]", text: bytes) -> "dict[str, object]":
    """`fields` of config.json with those of `text`; ConfigError where it may not say so."""
    try:
        told = json.loads(text)
    except ValueError:
        raise ConfigError("the configuration is not JSON: write {...}")
    if not isinstance(told, dict):
        raise ConfigError("the configuration is not a JSON object: write {...}")
    for key in told:
        if key in _FIXED:
            raise ConfigError(f"{key}: this is not changed remotely; leave it out")
    both = dict(fields)
    both.update(told)
    return both


def chosen(files: "Files", folder: str, fields: "dict[str, object]") -> Config:
    """What this start runs. A trial counts the start before it is one; two, and it is over."""
    standing = standings.load(folder)
    if standing.running:
        standing.note("command", f"{standing.running} interrupted")
        standing.done, standing.running = standing.running, 0
        standings.save(files, folder, standing)
    if standing.trial:
        if standing.starts < _MAX_STARTS:
            standing.starts += 1
        else:
            standing.roll_back(f"{_MAX_STARTS} starts, and no word from the gateway")
        standings.save(files, folder, standing)
    while standing.trial or standing.runs:
        version = standing.trial or standing.runs
        try:
            return _told(check(merged(fields, _text(folder, version))), standing)
        except ConfigError as error:
            _give_up(standing, str(error))
            standings.save(files, folder, standing)
    return _told(check(fields), standing)


def _told(settings: Config, standing: Standing) -> Config:
    settings.told, settings.known = True, standing.known
    return settings


def _text(folder: str, version: int) -> bytes:
    text = store.load(standings.text_path(folder, version))
    if text is None:
        raise ConfigError("its file is damaged")
    return text


def _give_up(standing: Standing, why: str) -> None:
    if standing.trial:
        standing.roll_back(why)
        return
    standing.note("config", f"{standing.runs} lost: {why}")
    standing.runs = standing.known = 0  # the gateway tells it again
