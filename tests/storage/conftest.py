"""A place for many small directories: in memory where the machine has one for that."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_MEMORY = Path("/dev/shm")  # noqa: S108  # faster than a disk, and nothing there is to last


@pytest.fixture
def scratch() -> Iterator[Path]:
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="tallystick-", dir=place) as folder:
        yield Path(folder)
