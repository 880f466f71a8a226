"""A gateway under OSCORE that fits in a test: opens what one device sealed, seals its answers.

Sans I/O: datagram in, datagrams out. `asks` are the requests that were inside, in order. Runs
beside the bytecode of boards, too, in which no constant has a name.
"""

from protocol import coap, oscore, pairing
from protocol.coap import Message
from protocol.oscore_parts import Plain
from protocol.oscore_server import Server

ECHO, UNAUTHORIZED = 252, 0x81
CON, ACK, EMPTY, OSCORE = 0, 2, 0, 9


class SealedGateway:
    """`answer(plain)` says what to answer; `knows` the window of the device, or challenges it."""

    def __init__(self, secret, kid, answer, aead, *, knows=True):
        keys = pairing.gateway_keys(pairing.master_secret(secret), kid)
        self.server = Server(keys, aead)
        self.asks = []
        self.sealed = {}  # Partial IV -> what came under it
        self.knows = knows
        self.own_number = 100
        self.observed = None  # the registration, and its token
        self._answer = answer
        self._message_id = 0

    def handle(self, datagram):
        request = coap.decode(datagram)
        if request.type != CON or request.code == EMPTY:
            return []
        header = oscore.decode_option(request.option(OSCORE))
        self.sealed.setdefault(header.partial_iv, set()).add(request.payload)
        plain, asked = self.server.unprotect(header, request.code, request.options, request.payload)
        self.asks.append(plain)
        if asked.observes:
            self.observed = asked, request.token
        answer, own = self._answer(plain), None
        if not self.knows or asked.observes:
            own = self.own_number = self.own_number + 1
        self.knows = self.knows or any(number == ECHO for number, _ in plain.options)
        if not self.knows:
            answer = Plain(UNAUTHORIZED, [(ECHO, b"prove it")], b"")
        sealed = self.server.protect(asked, answer, own)
        reply = Message(
            ACK, sealed.code, request.message_id, request.token, sealed.options, sealed.payload
        )
        return [coap.encode(reply)]

    def notification(self, plain, own_number=None):
        """A CON to the observer, under a number of ours: the next one, if none is said."""
        self.own_number = self.own_number + 1 if own_number is None else own_number
        self._message_id += 1
        asked, token = self.observed
        sealed = self.server.protect(asked, plain, self.own_number)
        return coap.encode(
            Message(CON, sealed.code, self._message_id, token, sealed.options, sealed.payload)
        )


def unprotected(code):
    """A peer that refuses without protection, as for a device that it does not know."""

    def peer(datagram):
        request = coap.decode(datagram)
        if request.type != CON:
            return []
        head = ACK, code, request.message_id, request.token
        return [coap.encode(Message(*head, [], b""))]

    return peer
