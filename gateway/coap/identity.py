"""Who asks: a token in option 65001, where the owner lets it go in plain text."""

from collections.abc import Callable

from gateway.coap.requests import TOKEN, Request
from gateway.errors import BadOptionError, UnauthorizedError
from gateway.tokens import Tokens


class Identity:
    """Inside OSCORE a token is not in plain text, and always taken."""

    def __init__(self, tokens: Tokens, *, plain: bool, unix_ms: Callable[[], int]) -> None:
        self._tokens = tokens
        self._plain = plain
        self._unix_ms = unix_ms

    def __call__(self, request: Request) -> Request:
        """With `who` and `scope` of its token, and without the token."""
        presented = request.first(TOKEN)
        if presented is None:
            return request
        if not self._plain and request.who is None:
            raise BadOptionError(f"option {TOKEN}: tokens are not taken in plain text here")
        try:
            text = presented.decode("ascii")
        except UnicodeDecodeError:
            raise UnauthorizedError("this token is not known") from None
        token = self._tokens.known(text, self._unix_ms())
        options = [option for option in request.options if option[0] != TOKEN]
        return request._replace(options=options, who=token.name, scope=token.scope)
