"""The message layer without sockets: a wire that remembers, and aiocoap's part by hand."""

import aiocoap
from aiocoap.optiontypes import OpaqueOption

from gateway.coap import guard
from gateway.coap.bulk import Peer
from gateway.coap.dedup import Dedup, key_of
from gateway.coap.messages import Messages
from protocol import coap
from protocol.coap import ACK, CON, POST, Message

CHANGED = 0x44
ADDRESS = ("::ffff:192.0.2.1", 5683, 0, 0)
PEER = Peer(ADDRESS, [(41, 50, bytes(20))])
OTHER = Peer(("2001:db8::1", 5683, 0, 0), [(41, 50, bytes(20))])
ID = 0x1234


class FakeWire:
    """Keeps what is sent; message ids of our own start at 1000."""

    def __init__(self):
        self.sent = []
        self.shed_requests = []
        self._message_id = 999

    def send(self, data, peer):
        self.sent.append((data, peer))

    def next_message_id(self):
        self._message_id += 1
        return self._message_id

    def jitter(self):
        return 0.0

    def shed(self, request, peer):
        self.shed_requests.append((request, peer))


class Bench:
    """Messages with a clock set by hand, a wire that remembers, and aiocoap's part by hand."""

    def __init__(self, per_generation=1024):
        self.now_ms = 0
        self.wire = FakeWire()
        self.executed = []
        self.messages = Messages(
            self.wire,
            Dedup(0, per_generation=per_generation),
            key_of=lambda peer, message_id: key_of(b"s", repr(peer.address).encode(), message_id),
            now_ms=lambda: self.now_ms,
        )
        self.messages.attach(self.executed.append, lambda message, peer: False)

    @property
    def sent(self):
        """What was sent since the last look."""
        sent, self.wire.sent = self.wire.sent, []
        return [data for data, _ in sent]

    def ask(self, data, peer=PEER):
        ruling = guard.judge(data)
        assert isinstance(ruling, guard.Passed)
        self.messages.request(ruling, peer)

    def answer(self, code=CHANGED, payload=b"", *options, request=-1, no_response=None):
        """As the TokenManager does it, to the request that was executed last."""
        asked = self.executed[request]
        response = aiocoap.Message(code=aiocoap.Code(code), payload=payload)
        for number, value in options:
            response.opt.add_option(OpaqueOption(number, value))
        response.opt.no_response = no_response
        response.token, response.remote = asked.token, asked.remote.as_response_address()
        self.messages.send_message(response, lambda: None)

    def wait(self, ms):
        self.now_ms += ms
        self.messages.tick(self.now_ms)


def request(kind=CON, code=POST, message_id=ID, token=b"\xa5\x5a", payload=b"21"):
    return coap.encode(Message(kind, code, message_id, token, [(11, b"tmp")], payload))


def response(kind, code, message_id, payload=b"", options=(), token=b"\xa5\x5a"):
    return coap.encode(Message(kind, code, message_id, token, list(options), payload))


def empty_ack(message_id=ID):
    return coap.empty(ACK, message_id)
