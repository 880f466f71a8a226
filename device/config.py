"""What a device is told: its settings, already checked. `config_file` reads and checks them.

Apart from the reader, so that a board can forget the reader once it has read.
"""

OWN_NAMES = ("dropped", "quarantined", "read-errors")  # readings the device makes about itself


class ConfigError(Exception):
    """What is wrong with config.json, and what to write instead."""


class SensorConfig:
    def __init__(self, driver: str, name: str, every_ms: int) -> None:
        self.driver = driver
        self.name = name
        self.every_ms = every_ms


class Config:
    """All settings of one device. Has no repr of its own: it holds the secret."""

    def __init__(self, name: str, secret: bytes, sensors: list[SensorConfig]) -> None:
        self.name = name
        self.secret = secret
        self.sensors = sensors
        self.host, self.port = "", 0
        self.readings_per_pack = 1
        self.pack_age_ms = 30_000
        self.ack_timeout_ms = 2000
        self.outbox_bytes = 65_536
        self.wifi: tuple[str, str] | None = None
