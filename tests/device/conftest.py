"""Fixtures that every device test may ask for."""

import pytest

from tests.device import board
from tools import firmware


@pytest.fixture(autouse=True)
def closed_outboxes(tmp_path):  # closed before their folder goes
    yield
    while board.OPENED:
        board.OPENED.pop().close()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """A folder with the packages as .mpy, which is what a board runs."""
    return firmware.compiled(tmp_path_factory.mktemp("mpy"))
