"""Ports for what is started: nobody has them, and nobody else was just given them."""

import socket

import pytest

from tools.processes import free_port

pytestmark = pytest.mark.integration
MANY = 500  # of 12,000: some would be given twice, but for one time in 30,000


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_no_two_who_ask_for_a_port_are_given_the_same(kind):
    given = [free_port(kind) for _ in range(MANY)]

    assert len(set(given)) == MANY


def test_a_port_that_somebody_has_is_not_given():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port(socket.SOCK_STREAM)))

        assert taken.getsockname()[1] not in {free_port(socket.SOCK_STREAM) for _ in range(MANY)}
