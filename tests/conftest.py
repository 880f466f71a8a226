"""What every test is held to: a fast one opens no network socket, and waits for no disk."""

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_MEMORY = Path("/dev/shm")  # noqa: S108  # faster than a disk, and nothing there is to last
_ENOUGH_BYTES = 1 << 29

_NETWORK = ("socket.bind", "socket.connect", "socket.sendto", "socket.sendmsg")
_forbidden = False
# What is compiled for boards is compiled once, not in the cache of whoever runs the tests.
os.environ["XDG_CACHE_HOME"] = str(Path(__file__).parent.parent / ".pytest_cache")


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if _forbidden and event in _NETWORK:
        raise RuntimeError(f"{event} in a test that is not marked `integration`")


sys.addaudithook(_watch)


def pytest_collection_finish() -> None:
    """Thousands of tests stay to the end: not to be looked through again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


@pytest.fixture(autouse=True)
def no_network_in_fast_tests(request: pytest.FixtureRequest) -> Iterator[None]:
    global _forbidden  # noqa: PLW0603  # an audit hook cannot be taken away again
    _forbidden = "integration" not in request.keywords
    yield
    _forbidden = False


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A fast test has it in memory where there is some to have: then a sync costs nothing."""
    if "integration" in request.keywords:
        yield tmp_path
        return
    with _folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def shared_path() -> Iterator[Path]:
    """The same for what the tests of a file share."""
    with _folder() as folder:
        yield folder


@contextmanager
def _folder() -> Iterator[Path]:
    has_room = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES
    with tempfile.TemporaryDirectory(dir=_MEMORY if has_room else None) as folder:
        yield Path(folder)
