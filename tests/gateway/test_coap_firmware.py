"""`/fw/…` behind the real answers, and the device's own code asking for it; no socket."""

import pytest

from device.fetching import Fetch
from gateway.coap.answering import Answering
from gateway.coap.echo import MAX_UNVERIFIED_BYTES, Echoes
from gateway.coap.firmware import FirmwareResource
from gateway.coap.requests import BLOCK2, CONTENT, ETAG, GET, POST, VALID, ordered, size_of
from gateway.coap.routes import Route, Routes
from gateway.metrics import Metrics
from gateway.releases import Releases
from protocol import coap
from tests.device.releases import release
from tests.gateway.asking import asked

FILES = {"device/main.mpy": bytes(range(256)) * 20, "protocol/coap.mpy": b"coap"}
MAIN = "fw/1.1.0/device/main.mpy"


class Door:
    """A gateway with one release; `requests` counts, `largest` is the longest answer's payload."""

    block_bytes = 1024
    answer_bytes = 320

    def __init__(self, folder, *, local=False):
        releases = Releases(folder / "fw")
        releases.publish(release(folder / "built", FILES, version="1.1.0", counter=7))
        self.metrics = Metrics()
        self.local = local
        self.answers = []
        resource = FirmwareResource(releases, self.metrics)
        self.answering = Answering(
            Routes({}, None, {"fw": Route({GET: resource.get})}),
            Echoes(bytes(32)),
            self.metrics,
            identify=lambda request: request,
            now_ms=lambda: 0,
        )

    async def ask(self, code, path, options=()):
        request = asked(code, path, options=options, local=self.local)
        answer = await self.answering.answer(request)
        self.answers.append(answer)
        return answer

    async def exchange(self, code, path, payload, content_format, more):
        answer = await self.ask(code, path, more)
        options = ordered(answer.options)
        return coap.Message(coap.ACK, answer.code, 1, b"token", options, answer.payload)

    def begun(self, version):
        return self.metrics.registry.get_sample_value(
            "tallystick_updates_begun_total", {"version": version}
        )


@pytest.mark.parametrize("local", [True, False], ids=["loopback", "an address that may be forged"])
async def test_a_device_gets_a_whole_file_in_large_blocks(tmp_path, local):
    door = Door(tmp_path, local=local)
    written = bytearray()

    def write(at, data):
        written[at:] = data

    code = await Fetch(door, MAIN, write).run()

    assert code == coap.CONTENT
    assert bytes(written) == FILES["device/main.mpy"]
    # a small block with an Echo comes first, to who may be anyone
    assert len(door.answers) == (5 if local else 6)
    if not local:
        assert size_of(door.answers[0]) <= MAX_UNVERIFIED_BYTES


async def test_an_unknown_file_is_404_for_everybody(tmp_path):
    answer = await Door(tmp_path).ask(GET, "fw/1.1.0/device/other.mpy")

    assert (answer.code, answer.payload) == (0x84, b"")


@pytest.mark.parametrize("path", ["fw", "fw/1.1.0", "fw/1.1.0/"])
async def test_a_folder_is_nothing(tmp_path, path):
    answer = await Door(tmp_path).ask(GET, path)

    assert answer.code == 0x84


async def test_a_release_is_not_to_be_written(tmp_path):
    answer = await Door(tmp_path, local=True).ask(POST, "fw/1.1.0/manifest")

    assert answer.code == 0x85


async def test_what_is_the_same_still_is_not_sent_again(tmp_path):
    door = Door(tmp_path, local=True)
    first = await door.ask(GET, "fw/1.1.0/protocol/coap.mpy")

    again = await door.ask(GET, "fw/1.1.0/protocol/coap.mpy", [(ETAG, first.first(ETAG))])

    assert (first.code, first.payload, again.code, again.payload) == (CONTENT, b"coap", VALID, b"")


async def test_updates_are_counted_when_they_begin(tmp_path):
    door = Door(tmp_path, local=True)
    for options in ([], [(BLOCK2, b"\x02")], [(BLOCK2, b"\x12")]):
        await door.ask(GET, "fw/1.1.0/manifest", options)

    await door.ask(GET, "fw/9.9.9/manifest")

    assert (door.begun("1.1.0"), door.begun("9.9.9")) == (2, None)
