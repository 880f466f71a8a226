"""Makes a board of the MicroPython that imports it: the flash becomes /, fakes its hardware.

The environment says what board it is to be: tests/board/child.py.
"""

import os
import sys

import host
import vfs
from flash import FileFlash


class Sys:
    """`sys` of another port: its name and its firmware, everything else is the real one."""

    def __init__(self, real, platform, version):
        self._real = real
        self.platform = platform
        self.implementation = Implementation(real.implementation, version)

    def __getattr__(self, name):
        return getattr(self._real, name)


class Implementation:
    def __init__(self, real, version):
        self._machine = "virtual board"
        self.name = real.name
        self._mpy = real._mpy
        self.version = version


def start():
    """Whether main.py is run: not before the raw REPL."""
    numbers = os.getenv("BOARD_VERSION").split(".")
    sys.modules["sys"] = Sys(sys, os.getenv("BOARD_PLATFORM"), tuple(int(n) for n in numbers))
    if os.getenv("BOARD_FIRMWARE") != "micropython":
        sys.modules["sys"].implementation.name = os.getenv("BOARD_FIRMWARE")
    for name in os.listdir(os.getenv("BOARD_FAKES")):
        if name.endswith(".py"):  # now: the host's files are out of reach afterwards
            __import__(name[:-3])
    image = FileFlash(os.getenv("BOARD_IMAGE"), host.registers)
    program_bytes = int(os.getenv("BOARD_PROGRAM_BYTES"))
    vfs.umount("/")
    try:
        files = vfs.VfsLfs2(image, progsize=program_bytes)
    except OSError:  # blank: firmware formats it, too
        vfs.VfsLfs2.mkfs(image, progsize=program_bytes)
        files = vfs.VfsLfs2(image, progsize=program_bytes)
    vfs.mount(files, "/")
    os.chdir("/")
    sys.path[:] = ["", ".frozen", "/lib"]
    del sys.argv[:]
    return os.getenv("BOARD_MAIN") == "1"
