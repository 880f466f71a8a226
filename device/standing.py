"""Standing: how far a device has come with what it was told. One checked file, replaced whole.

A power cut leaves the old one or the new one, so each step below happens or does not.
"""

import os
import struct

from device import store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Files

FILE, TEXT = "/control", "told."
_FORMAT = ">IIIBIIH"
_MAX_TEXT = 160  # of one outcome: four of them and their names fit one envelope


class Standing:
    """`known`: the highest configuration version it ever had whole. `runs`: the confirmed one.

    `trial`: one that was taken over and is not confirmed, after `starts` starts; else 0.
    `done`: the highest command that is over. `running`: one that was begun, else 0.
    `untold`: outcomes that are in no envelope yet, `sealed`: the envelope of those before.
    """

    def __init__(self) -> None:
        self.known = self.runs = self.trial = self.starts = self.done = self.running = 0
        self.untold: list[tuple[str, str]] = []
        self.sealed = b""

    def note(self, what: str, text: str) -> None:
        """An outcome to be told; what is too long ends in a mark."""
        text = text.replace("\n", " ")
        if len(text.encode()) > _MAX_TEXT:
            text = text[: _MAX_TEXT // 2] + "~"
        self.untold.append((what, text))

    def roll_back(self, why: str) -> None:
        """The version on trial is never tried again."""
        self.note("config", f"{self.trial} rolled back: {why}")
        self.trial = self.starts = 0


def text_path(folder: str, version: int) -> str:
    """Where the text of a configuration is, in a checked file."""
    return folder + "/" + TEXT + str(version)


def forget_texts(folder: str, but: int) -> None:
    """Removes the texts of all versions but one."""
    kept = TEXT + str(but)
    for name in os.listdir(folder):
        if name.startswith(TEXT) and name != kept:
            os.remove(folder + "/" + name)


def load(folder: str) -> Standing:
    """The last one that was saved; a new one where there is none."""
    found = Standing()
    data = store.load(folder + FILE)
    head = struct.calcsize(_FORMAT)
    if data is not None and len(data) >= head:
        fields = struct.unpack(_FORMAT, data[:head])
        found.known, found.runs, found.trial, found.starts = fields[:4]
        found.done, found.running, size = fields[4:]
        for line in str(data[head : head + size], "utf-8").split("\n"):
            if line:
                what, _, text = line.partition(" ")
                found.untold.append((what, text))
        found.sealed = data[head + size :]
    return found


def save(files: "Files", folder: str, standing: Standing) -> None:
    """OSError where the flash will not; then it is as it was."""
    lines = "\n".join([what + " " + text for what, text in standing.untold]).encode()
    head = struct.pack(
        _FORMAT,
        standing.known,
        standing.runs,
        standing.trial,
        standing.starts,
        standing.done,
        standing.running,
        len(lines),
    )
    store.save(files, folder + FILE, head + lines + standing.sealed)
