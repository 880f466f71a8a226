"""Resources that change, peers that observe them, and a clock that is set: no socket."""

from gateway.coap.observe import Dice, Observers
from gateway.coap.requests import CONTENT, GET, MAX_AGE, OBSERVE, Response
from protocol import coap
from tests.gateway.asking import observing


class Scene:
    """Observers over paths that hold text; what is sent is decoded and kept in `sent`."""

    def __init__(self, **limits):
        self.now_ms = 0
        self.texts = {}
        self.changed = {}
        self.message_id = 0
        self.woken = 0
        self.sent = []
        self.failures = []
        dice = Dice(self._next_id, lambda: 0.0)
        self.observers = Observers(self._wake, dice, failed=self.failures.append, **limits)

    def register(self, path="home/a", peer="a", token=b"\x01", protect=None):
        """The number that the answer carries, or None."""
        request = observing(GET, path, peer=peer, token=token)._replace(protect=protect)

        def watch(changed):
            self.changed[path] = changed
            return lambda: self.changed.pop(path)

        return self.observers.register(request, path, watch, self.now_ms)

    def change(self, text, path="home/a"):
        """None for a resource that is gone."""
        self.texts[path] = text
        self.changed[path]()

    def read(self):
        """Reads what is stale, as the notifier does."""
        while (view := self.observers.stale(self.now_ms)) is not None:
            text = self.texts.get("/".join(view.request.path), "")
            found = (
                Response(CONTENT, [(MAX_AGE, b"\x05")], text.encode()) if text is not None else None
            )
            self.observers.show(view, found or Response(0x84))

    def send(self, after_ms=0, limit=1000):
        """What goes out `after_ms` from now, as messages; (peer, message)."""
        self.now_ms += after_ms
        self.read()
        batch = [
            (one.peer, coap.decode(one.data)) for one in self.observers.due(self.now_ms, limit)
        ]
        self.sent += batch
        return batch

    def acknowledge(self, peer, message):
        return self.observers.acknowledged(peer, message.message_id)

    def _wake(self):
        self.woken += 1

    def _next_id(self):
        self.message_id = self.message_id + 1 & 0xFFFF
        return self.message_id


def number_of(message):
    return int.from_bytes(message.option(OBSERVE), "big")


def texts_of(batch):
    return [message.payload.decode() for _, message in batch]
