"""One resource in memory behind the real answers, and a bug beside it; no socket."""

from gateway.coap.answering import Answering
from gateway.coap.echo import Echoes
from gateway.coap.observe import Dice, Observers
from gateway.coap.requests import (
    CHANGED,
    CONTENT,
    CONTENT_FORMAT,
    CREATED,
    DELETE,
    DELETED,
    ETAG,
    GET,
    POST,
    PUT,
    Response,
)
from gateway.coap.routes import Route, Routes
from gateway.errors import NotFoundError
from gateway.metrics import Metrics
from tests.gateway.asking import asked, observing

PEER = ("::ffff:192.0.2.1", 5683, 0, 0)
BODY = bytes(range(256)) * 8
ETAG_NOW = b"etag-now"
LIMIT = 1500


class Door:
    """Answers for /thing, which is kept in memory; `/broken` is a bug of ours."""

    def __init__(self):
        self.body = BODY
        self.done = []
        self.changed = []
        self.failures = []
        self.refuses = None
        self.now_ms = 0
        self.metrics = Metrics()
        thing = Route(
            {GET: self._get, PUT: self._put, POST: self._put, DELETE: self._delete},
            max_body_bytes=LIMIT,
            may=self._may,
            watch=self._watch,
            conditional=True,
        )
        plain = Route({GET: self._get, POST: self._put}, max_body_bytes=LIMIT)
        routes = {
            ("thing",): thing,
            ("plain",): plain,
            ("quiet",): Route({POST: self._put}, explains=False),
            ("broken",): Route({GET: self._break}),
        }
        self.echoes = Echoes(bytes(32))
        self.answering = Answering(
            Routes(routes),
            self.echoes,
            self.metrics,
            identify=lambda request: request,
            now_ms=lambda: self.now_ms,
        )
        dice = Dice(lambda: 7, lambda: 0.0)
        self.observers = Observers(lambda: None, dice, failed=self.failures.append)
        self.answering.observers = self.observers

    async def ask(self, code, path="thing", **more):
        return await self.answering.answer(asked(code, path, **more))

    async def observe(self, register=True, **more):
        return await self.answering.answer(observing(GET, "thing", register, **more))

    def counted(self, outcome):
        return self.metrics.registry.get_sample_value(
            "tallystick_requests_total", {"door": "coap", "outcome": outcome}
        )

    def answers(self):
        """(method, class of code) -> how many, as /metrics has them."""
        return {
            (sample.labels["method"], sample.labels["code"]): sample.value
            for metric in self.metrics.registry.collect()
            for sample in metric.samples
            if sample.name == "tallystick_coap_answers_total"
        }

    async def _get(self, request):
        if self.body is None:
            raise NotFoundError("there is no thing")
        return Response(CONTENT, [(ETAG, ETAG_NOW), (CONTENT_FORMAT, b"\x32")], self.body)

    async def _put(self, request):
        self.done.append(request.payload)
        return Response(CREATED if request.code == PUT else CHANGED, [(ETAG, ETAG_NOW)])

    async def _delete(self, request):
        return Response(DELETED)

    async def _break(self, request):
        raise RuntimeError("a bug")

    def _may(self, request):
        if self.refuses:
            raise self.refuses

    def _watch(self, request, changed):
        self.changed.append(changed)
        return lambda: self.changed.remove(changed)
