"""`tallystick observe coap://…`: each state of a resource as it comes, until Ctrl-C."""

import sys
import time
from typing import Annotated

import typer

from gateway.coap.requests import GET, MAX_AGE, OBSERVE
from protocol.coap import Message
from tools.coap.endpoint import NoAnswerError
from tools.coap.session import (
    WRONG,
    BlockSize,
    How,
    Json,
    Oscore,
    Session,
    Timeout,
    TokenFile,
    Uri,
    session,
    tell,
)
from tools.coap.told import is_refusal, number_of

_REGISTER, _CANCEL = (OBSERVE, b""), (OBSERVE, b"\x01")  # RFC 7641 §2
_MAX_AGE_S = 60  # RFC 7252 §5.10.5: where it is not told
_GRACE_S = 10  # for a notification that is on its way when the state before grows stale
_GOODBYE_S = 2
_HALF = 1 << 23  # RFC 7641 §3.4
_FORGOTTEN_S = 128


def observe(  # noqa: PLR0913  # options of a command
    address: Uri,
    *,
    count: Annotated[int, typer.Option(min=0, help="end after so many; 0 is never")] = 0,
    token_file: TokenFile = None,
    oscore: Oscore = None,
    timeout: Timeout = 30.0,
    block_size: BlockSize = 0,
    json: Json = False,
) -> None:
    """Print what a resource holds, and again each time it changes, until Ctrl-C.

    Example: tallystick observe coap://127.0.0.1/home/kitchen/light --count 3
    """
    how = How(token_file, timeout, block_size, json=json, oscore=oscore)
    with session(address, how, "getting") as opened:
        observation = Observation(opened)
        try:
            for n, answer in enumerate(observation, 1):
                tell(answer, how)
                if not json:
                    sys.stdout.write("\n")
                    sys.stdout.flush()
                if n == count:
                    break
        except KeyboardInterrupt:
            pass
        finally:
            observation.end()
    if observation.refused:
        print(
            "tallystick: it is not observed, or no longer\n"
            "  fix: give a token; without one only this machine's addresses may",
            file=sys.stderr,
        )
        raise typer.Exit(WRONG)


class Observation:
    """Iterates over the states, whole, without those that come too late (RFC 7641 §3.4)."""

    def __init__(self, opened: Session) -> None:
        self._opened = opened
        self._token = opened.endpoint.new_token()
        self._newest: tuple[int, float] | None = None
        self.refused = False

    def __iter__(self) -> "Observation":
        return self

    def __next__(self) -> Message:
        if self.refused:
            raise StopIteration
        while True:
            answer = self._registered() if self._newest is None else self._notification()
            if answer is not None:
                return answer

    def end(self) -> None:
        """Tells the server; what it may still send is reset."""
        endpoint = self._opened.endpoint
        endpoint.observe(self._token, False)
        endpoint.timeout_s = min(endpoint.timeout_s, _GOODBYE_S)
        if self._newest is None or self.refused:
            return
        try:
            self._opened.transfer.ask(GET, [*self._opened.options, _CANCEL], b"", self._token)
        except NoAnswerError:
            pass  # it finds out by itself: its next notification is not acknowledged

    def _registered(self) -> Message:
        self._opened.endpoint.observe(self._token, True)
        transfer, options = self._opened.transfer, self._opened.options
        return self._seen(transfer.fetch(options, once=[_REGISTER], token=self._token))

    def _notification(self) -> Message | None:
        """None where it is older than what was seen, or time to register again (§3.3.1)."""
        endpoint = self._opened.endpoint
        answer = endpoint.next(self._token, self._stale_s - time.monotonic())
        if answer is None:
            self._newest = None
            return None
        number = number_of(answer, OBSERVE)
        if number is not None and self._is_late(number):
            return None
        return self._seen(self._opened.transfer.complete(answer, self._opened.options))

    def _seen(self, answer: Message) -> Message:
        number = number_of(answer, OBSERVE)
        now_s = time.monotonic()
        self.refused = number is None or is_refusal(answer)
        self._newest = (number or 0, now_s)
        max_age_s = number_of(answer, MAX_AGE)
        self._stale_s = now_s + _GRACE_S + (_MAX_AGE_S if max_age_s is None else max_age_s)
        return answer

    def _is_late(self, number: int) -> bool:
        assert self._newest is not None  # noqa: S101  # there is one before a notification
        before, at_s = self._newest
        ahead = 0 < (number - before) % (2 * _HALF) < _HALF
        return not ahead and time.monotonic() < at_s + _FORGOTTEN_S
