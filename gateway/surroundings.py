"""Clock, dice and small files of this machine: what a ledger's writer and the doors need of it."""

import os
import time

from gateway.directory import Directory
from gateway.releases import Releases


class Surroundings:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.numbers = directory.number_file()  # of what is sealed under OSCORE
        self.releases = Releases(directory.releases)

    def unix_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def random(self, size: int) -> bytes:
        return os.urandom(size)

    def keep_checkpoint(self, note: str) -> None:
        self._directory.keep_checkpoint(note)
