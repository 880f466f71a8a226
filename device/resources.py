"""Resources of the gateway, for programs on the board: get, put, post and delete by path.

`home = connect("/")`, then `await home.put("home/NAME/light", b"on")`. Under OSCORE a device
writes below its own `home/NAME/`.
"""

from protocol import coap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.shapes import Asker

_PUT, _DELETE = 3, 4
_ERROR = 0x80


class ResourceError(Exception):
    """`reason`: a code of the gateway, as "4.04", or why there was no answer, as "no-answer"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def connect(folder: str) -> "Resources":
    """The resources of the gateway in the config.json of `folder`, under OSCORE.

    For a program that runs without the agent, to be called in a task of it: it takes an epoch of
    its own, and joins the Wi-Fi beside what the program does.
    """
    import asyncio

    from device import counter, identity, start
    from device.clock import Clock
    from device.endpoint import Endpoint
    from device.oscore import Protected

    board = start.pick_board()
    folder = folder.rstrip("/")
    settings = start.read_config(board, folder)
    epoch = counter.next_epoch(board, folder, used_before=_is_there(folder + "/outbox"))
    endpoint = Endpoint(board, Clock(board), settings.host, settings.port, settings.ack_timeout_ms)
    who = identity.of(board, settings, folder, epoch)
    made = Resources(Protected(board, endpoint, folder, settings.secret, who))
    if settings.wifi is not None:
        joining = board.stay_joined(*settings.wifi, _nothing, _nothing, start.report)
        made.joining = asyncio.create_task(joining)
    return made


def _nothing() -> None:
    """Nobody watches it."""


class Resources:
    """Each method raises ResourceError where it was not done, or nobody knows whether it was."""

    def __init__(self, asker: "Asker") -> None:
        self.joining: object = None  # the task that stays in the Wi-Fi, where there is one
        self._asker = asker

    async def get(self, path: str, most_bytes: int = 4096) -> bytes:
        """All of it, in memory; `fetching.Fetch` is for what is longer."""
        from device.fetching import Fetch

        pieces: list[bytes] = []

        def write(at: int, data: bytes) -> None:
            del pieces[at and len(pieces) :]
            pieces.append(data)

        code = await Fetch(self._asker, path, write, most_bytes=most_bytes).run()
        if code != coap.CONTENT:
            raise ResourceError(coap.code_text(code) if code else self._asker.reason)
        return b"".join(pieces)

    async def put(self, path: str, content: bytes, content_format: int | None = None) -> None:
        await self._do(_PUT, path, content, content_format)

    async def post(self, path: str, content: bytes, content_format: int | None = None) -> None:
        """Appends to what is there, or makes it."""
        await self._do(coap.POST, path, content, content_format)

    async def delete(self, path: str) -> None:
        await self._do(_DELETE, path, b"", None)

    async def _do(self, code: int, path: str, content: bytes, content_format: int | None) -> None:
        answer = await self._asker.exchange(code, path, content, content_format)
        if answer is None:
            raise ResourceError(self._asker.reason)
        if answer.code >= _ERROR:
            raise ResourceError(coap.code_text(answer.code))


def _is_there(path: str) -> bool:
    import os

    try:
        os.stat(path)
    except OSError:
        return False
    return True
