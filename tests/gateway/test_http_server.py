"""The HTTP door ends when it is told to, and never in silence."""

import socket

import pytest

from gateway.http.server import served


class FakeServer:
    """Ends as it is told: with `error`, by itself, or because somebody said so."""

    def __init__(self, error=None, *, told=False):
        self.should_exit = told
        self.error = error

    async def serve(self, sockets=None):
        if self.error:
            raise self.error


@pytest.fixture
def listener():
    ours, theirs = socket.socketpair()
    yield ours
    ours.close()
    theirs.close()


async def heard(server, listener):
    errors = []
    await served(server, listener, errors.append)
    return [repr(error) for error in errors]


async def test_a_door_that_fails_is_told(listener):
    assert await heard(FakeServer(OSError("broken")), listener) == ["OSError('broken')"]


async def test_a_door_that_closes_by_itself_is_told(listener):
    assert await heard(FakeServer(), listener) == [
        "RuntimeError('the HTTP door has closed by itself')"
    ]


async def test_a_door_that_was_told_to_close_says_nothing(listener):
    assert await heard(FakeServer(told=True), listener) == []
