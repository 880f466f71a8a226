"""An endpoint whose socket is a list, with what stands behind it as fakes."""

from gateway.coap.dedup import Dedup, key_of
from gateway.coap.endpoint import Endpoint
from gateway.coap.limiter import Limiter
from gateway.coap.messages import Messages
from tests.gateway.posting import PEER, Post

BURST = 10


class FakeUdp:
    """Keeps what is sent; the test says what comes."""

    def __init__(self):
        self.sent = []
        self.failures = []
        self.closed = False

    def listen(self, received, failed):
        self.received, self.failed = received, failed

    def send(self, data, peer):
        if self.failures:
            raise self.failures.pop()
        self.sent.append((data, peer))

    def close(self):
        self.closed = True


class FakeObserving:
    """Whoever is told that a notification has arrived, or is not wanted."""

    def __init__(self):
        self.heard = []

    def acknowledged(self, peer, message_id):
        self.heard.append(("acknowledged", peer, message_id))
        return True

    def reset(self, peer, message_id):
        self.heard.append(("reset", peer, message_id))
        return True


class NoOscore:
    """Nobody has a context."""

    def open_exact(self, outside, start):
        return None


class Bench:
    """An endpoint on a socket of fakes, with a clock set by hand."""

    def __init__(self, per_s=BURST):
        self.now_ms = 0
        self.udp, self.observing, self.post = FakeUdp(), FakeObserving(), Post()
        self.executed = []
        self.endpoint = Endpoint(
            self.udp,
            Limiter(per_s=per_s, burst=per_s, sources=64),
            self.post.readings,
            NoOscore(),
            self.post.metrics,
            now_ms=lambda: self.now_ms,
        )
        self.messages = Messages(
            self.endpoint,
            Dedup(0, per_generation=1024),
            key_of=lambda peer, message_id: key_of(b"s", repr(peer.address).encode(), message_id),
            now_ms=lambda: self.now_ms,
        )
        self.messages.attach(self.executed.append, self.endpoint.is_readings)
        self.endpoint.start(self.messages, self.observing)

    def get(self, *datagrams, peer=PEER):
        """What is sent back at once for `datagrams`, which come in one turn."""
        self.udp.sent.clear()
        self.udp.received([(data, peer) for data in datagrams])
        return [data for data, _ in self.udp.sent]

    def count(self, fate):
        labels = {"fate": fate}
        registry = self.post.metrics.registry
        return registry.get_sample_value("tallystick_datagrams_total", labels) or 0
