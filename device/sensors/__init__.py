"""Sensor drivers: one file each, and only those that config.json names are ever loaded.

A driver is a module with `KEYS`, what it takes from config.json, and a class `Sensor` with one
method, `read` (`device.shapes`). Knows no schedules: when to read, and what becomes of a read
that failed, is the sampler's.

`KEYS` has for each key its default, the least and the most it may be, or, for a text, the
default alone. A default of None says that the key is needed. `QUANTITIES` has the suffixes of
what `read` gives, so that a limit for another one is refused; ours without it read only one.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Board, Driver, Sensor, Settings

# Where owners put drivers of their own: a folder beside config.json. Ours come first.
_PACKAGES = ("device.sensors.", "drivers.")


def load(driver: str) -> "Driver":
    """The module of that driver; ImportError where no file has its name.

    Whatever else it raises, a driver of the owner's raised while it was loaded.
    """
    name = driver.replace("-", "_")
    for package in _PACKAGES:
        try:
            module: Driver = __import__(package + name, None, None, ["Sensor"])
        except ImportError as error:
            if name not in str(error):  # the driver is there, and needs what is not
                raise
        else:
            return module
    raise ImportError(f"no file drivers/{name}.py")


def open_sensor(driver: str, board: "Board", keys: "Settings") -> "Sensor":
    """A sensor that `config_file` has checked; raises whatever its driver does."""
    return load(driver).Sensor(board, keys)
