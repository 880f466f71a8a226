"""A running gateway as `verify` reads it: what it serves, page by page over HTTP."""

from collections.abc import Iterator
from typing import Any

import httpx2 as httpx

from protocol.errors import ProtocolError, TamperedError
from protocol.limits import MAX_TIME_MS
from protocol.note import unb64
from protocol.rulings import RULING, Ruling
from tools.sources import GIVEN, NO_KEY, Row, UnusableError

_PAGE = 1000
_TIMEOUT_S = 30
_FIX = "give the URL of a gateway, such as http://127.0.0.1:8080"


class Remote:
    """What was committed when we began; entries that come meanwhile are not waited for.

    Stored subtree hashes are not served, so nothing is said of them.
    """

    way = "what the gateway serves over HTTP"
    shows_nodes = False
    is_copy = calls_itself_copy = False

    def __init__(self, url: str, vkey: str, token: str) -> None:
        self.name = url
        self.origin = ""
        self.vkey = vkey
        self.key_from = GIVEN if vkey else NO_KEY
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            self._client = httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S)
        except httpx.InvalidURL as error:
            raise UnusableError(f"{url}: {error}; {_FIX}") from error
        shown = [self._get("/checkpoint"), self._get("/checkpoint", anchored=1)]
        texts = [response.text for response in shown if response.status_code == 200]
        self.notes = list(dict.fromkeys(texts))
        self.look_again()

    def rows(self, start: int, stop: int) -> list[Row]:
        found: list[Row] = []
        for event in next(self._pages(start - 1, stop), []):
            if event["index"] >= stop:
                break
            if "fault" in event and not found:
                raise TamperedError(event["index"], "the gateway itself refuses to serve it")
            if "fault" in event:
                break
            found.append(_row(event))
        return found

    def rulings(self, start: int, stop: int) -> Iterator[Ruling]:
        for kind in RULING:
            for page in self._pages(start - 1, stop, kind=kind):
                for event in page:
                    if event["index"] < stop and "fault" not in event:
                        index, _, _, _, leaf, _, salt, body = _row(event)
                        yield Ruling(index, kind, leaf, salt, body)

    def look_again(self) -> None:
        size = self._asked("/stats").get("size")
        if type(size) is not int or size < 0:
            raise UnusableError(f"{self.name} does not say how many entries it has; {_FIX}")
        self.size = size

    def check_node(self, level: int, n: int, value: bytes) -> None:
        pass

    def check_strays(self) -> None:
        pass

    def close(self) -> None:
        self._client.close()

    def _pages(self, after: int, stop: int, **filters: str) -> Iterator[list[dict[str, Any]]]:
        """Pages of events that are not empty, up to `stop`; each goes further than the last."""
        while after < stop - 1:
            answer = self._asked("/events", after=after, limit=_PAGE, **filters)
            events, following = answer.get("events"), answer.get("next_after")
            if type(following) is not int or not _are_events(events):
                raise UnusableError(f"{self.name} answers with no page of events; {_FIX}")
            if events:
                yield events
            if following <= after:
                return
            after = following

    def _asked(self, path: str, **parameters: int | str) -> dict[str, Any]:
        """The answer's JSON object."""
        response = self._get(path, **parameters)
        try:
            answer: object = response.json()
        except (ValueError, RecursionError) as error:
            raise UnusableError(f"{self.name} answers with no JSON; {_FIX}") from error
        if not isinstance(answer, dict):
            raise UnusableError(f"{self.name} answers with no object; {_FIX}")
        if response.status_code == 404:
            raise UnusableError(f"{self.name} has no {path}; {_FIX}")
        if response.status_code != 200:
            raise UnusableError(f"{self.name}: {answer.get('detail', response.reason_phrase)}")
        return answer

    def _get(self, path: str, **parameters: int | str) -> httpx.Response:
        try:
            response = self._client.get(path, params=parameters)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnusableError(f"{self.name} does not answer: {error}; {_FIX}") from error
        if response.status_code in (401, 403):
            raise UnusableError(f"{self.name} wants a token: give --token-file")
        return response


def _are_events(events: object) -> bool:
    """Each has an index; the rest is looked at where it is used."""
    return isinstance(events, list) and all(
        isinstance(event, dict) and type(event.get("index")) is int for event in events
    )


def _row(event: dict[str, Any]) -> Row:
    """An event as /events shows it; UnusableError where that is not what we know."""
    try:
        return (
            event["index"],
            event["kind"].encode(),
            event["source"].encode(),
            _time(event["received_ms"]),
            unb64(event["leaf"]),
            bytes.fromhex(event["chain"]),
            unb64(event["salt"]),
            None if event["body"] is None else unb64(event["body"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError, ProtocolError) as error:
        raise UnusableError(f"the gateway's answer is none we know: {error!r}") from error


def _time(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MAX_TIME_MS:
        raise ValueError(f"no time: {value!r}")
    return value
