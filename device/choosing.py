"""Which of the two agents a device runs: loaded for that question, and forgotten."""

import json

from device.forgetting import forget

_ENOENT = 2


def small_config(path: str) -> "dict[str, object] | None":
    """What config.json says, if it says that this device is a small one.

    OSError where the flash fails to read: a small device is not to start as another.
    """
    forget("device.choosing", "device.forgetting")
    try:
        with open(path) as file:
            fields = json.load(file)
    except OSError as error:
        if error.errno != _ENOENT:
            raise
        return None  # its reader says what is wrong with it
    except ValueError:
        return None
    is_small = isinstance(fields, dict) and fields.get("small") is True
    # who is to sign never goes on without: the other agent's reader refuses it, and says why
    signs = is_small and ("key" in fields or fields.get("profile", "mac") != "mac")
    return fields if is_small and not signs else None
