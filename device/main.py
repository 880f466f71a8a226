"""The device's front door: starts the agent, or the small profile's, and is what both tell.

On a board `device.slots` starts it, out of one of two slots. Elsewhere: `micropython -m
device.main FOLDER [READINGS]`, or python. FOLDER holds config.json and all state. Each event is
one line of JSON on stdout; none ever holds a secret.
"""

import gc
import json
import sys

_WRONG_USE = 2
_COLLECT_EVERY_BYTES = 1024
is_trial = False  # set by the boot selector, which takes the old slot again after a fault


def report(event: str, **fields: object) -> None:
    """Prints one event, its name first."""
    print('{"event": "', event, '", ' if fields else '"', json.dumps(fields)[1:], sep="")


def main(folder: str, readings: int = 0) -> None:
    """Until the device ends; after a fault a board is reset, and waits longer each time."""
    if hasattr(gc, "threshold"):
        # collected early, what loading leaves behind makes no holes between what stays
        gc.threshold(_COLLECT_EVERY_BYTES)
    folder = folder.rstrip("/")
    sys.path.append(folder or "/")  # where `drivers`, the owner's own, may be
    try:
        fields = _small_config(folder + "/config.json")
        if fields is None:
            from device import start

            start.main(folder, readings, is_trial=is_trial)
        else:
            from device import small

            small.run(fields, folder, readings, report)
    except Exception as error:  # whatever it is, a board that stands still helps nobody
        from device import failing

        failing.after(error, folder, report, is_trial=is_trial)


def _small_config(path: str) -> "dict[str, object] | None":
    from device import choosing  # in a function of its own, or `main` would hold on to it

    return choosing.small_config(path)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        print("usage: device.main FOLDER [READINGS]")
        sys.exit(_WRONG_USE)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 0)
