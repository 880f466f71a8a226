"""An endpoint that asks under OSCORE, and believes only what the gateway sealed."""

from gateway.errors import ConfigError
from protocol import coap
from protocol.coap import Message
from protocol.errors import ProtocolError
from protocol.oscore_parts import OSCORE, Asked, Plain
from tools.coap.endpoint import Endpoint, Options
from tools.oscore_client import OscoreFile


class ProtectedEndpoint(Endpoint):
    """Asks as an Endpoint does; what it is given and gives is what is inside (RFC 8613)."""

    def __init__(
        self,
        identity: OscoreFile,
        host: str,
        port: int,
        *,
        timeout_s: float,
        confirmable: bool = True,
    ) -> None:
        super().__init__(host, port, timeout_s=timeout_s, confirmable=confirmable)
        self._identity = identity
        self._asked: dict[bytes, Asked] = {}  # observations, by token
        self._newest: dict[bytes, int] = {}  # their last numbers (§7.4.1)

    def ask(self, code: int, options: Options, payload: bytes = b"", token: bytes = b"") -> Message:
        """ConfigError where the answer is not protected: only who has the secret can read why."""
        token = token or self.new_token()
        inner = sorted(options, key=lambda option: option[0])
        sealed, asked = self._identity.protect(Plain(code, inner, payload))
        answer = super().ask(sealed.code, sealed.options, sealed.payload, token)
        if answer.option(OSCORE) is None:
            raise ConfigError(
                f"{coap.code_text(answer.code)}, and not protected: the gateway does not know this"
                " device, its secret is another one, or its numbers were used",
                "compare `tallystick device list`; a name for each who asks: `device add`",
            )
        if asked.observes:
            self._asked[token] = asked
            self._newest.pop(token, None)
        try:
            return self._opened(asked, answer)
        except ProtocolError as error:
            raise ConfigError(
                f"an answer that is not the gateway's: {error}", "ask again"
            ) from error

    def next(self, token: bytes, timeout_s: float) -> Message | None:
        """As for an Endpoint; what is not the gateway's, or not new, is passed over."""
        message = super().next(token, timeout_s)
        if message is None or token not in self._asked:
            return message
        try:
            return self._opened(self._asked[token], message)
        except ProtocolError:
            return self.next(token, timeout_s)

    def _opened(self, asked: Asked, message: Message) -> Message:
        plain, number = self._identity.unprotect(asked, message.options, message.payload)
        if number is not None and message.token in self._asked:
            if number <= self._newest.get(message.token, -1):
                raise ProtocolError("a notification that came before")
            self._newest[message.token] = number
        return message._replace(code=plain.code, options=plain.options, payload=plain.payload)
