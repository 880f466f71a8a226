"""What every test is held to: a fast one opens no network socket."""

import sys
from collections.abc import Iterator

import pytest

_NETWORK = ("socket.bind", "socket.connect", "socket.sendto", "socket.sendmsg")
_forbidden = False


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if _forbidden and event in _NETWORK:
        raise RuntimeError(f"{event} in a test that is not marked `integration`")


sys.addaudithook(_watch)


@pytest.fixture(autouse=True)
def no_network_in_fast_tests(request: pytest.FixtureRequest) -> Iterator[None]:
    global _forbidden  # noqa: PLW0603  # an audit hook cannot be taken away again
    _forbidden = "integration" not in request.keywords
    yield
    _forbidden = False
