"""What a device is told: its settings, already checked. `config_file` reads and checks them.

Apart from the reader, so that a board can forget the reader once it has read.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Limits, Settings, Slept

# counts of the device's own, told as readings
OWN_NAMES = ("dropped", "quarantined", "corrupt", "flash-errors")
TAKEN_NAMES = OWN_NAMES + ("update", "uptime", "started", "ended")  # no sensor is called so


DEEP = "deep"


class ConfigError(Exception):
    """What is wrong with config.json, and what to write instead."""


class RestartError(Exception):
    """Not a fault: the agent ends, and another one starts. Its arguments are of this one.

    Whether what is new is asked for before, its kid, and its totals.
    """


class SensorConfig:
    """One sensor: `keys` are its driver's, `limits` those that decide what is sent, and when."""

    def __init__(self, driver: str, name: str, every_ms: int) -> None:
        self.driver = driver
        self.name = name
        self.every_ms = every_ms
        self.at_ms: int | None = None
        self.keys: "Settings" = {}
        self.limits: "Limits | None" = None
        self.at_least_ms = 0


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
        self.block_bytes = 1024
        self.hear = "with-receipts"  # of what is new: with the next one, or at once
        self.keep = "batch"
        self.sleep = "none"  # between samples
        self.uptime_ms = 0  # at this start
        self.slept: "Slept | None" = None  # what was before the sleep that ended in this start
        self.drop = "oldest"
        self.trial_ms = 600_000  # without a word from the gateway, before the last one returns
        self.told = False  # over the air, ever
        self.known = 0  # the highest version that was told
        self.is_restart = False  # an agent ran before, since the board started
        self.quiet_ms = 0  # of this start, in which there is no use in asking for a newer one
        self.wifi: tuple[str, str] | None = None
        self.profile = ""  # "sig" or "mac"; empty is "sig" where there is a key
        self.generation = 0  # counts the exchanges of the secret, in the profile "mac"
        self.key: bytes | None = None  # to sign with, unless it was made on the board
        self.update_key: bytes | None = None  # whose releases are taken: x ‖ y
