"""Finding: one line of `doctor`: what was looked at, how it is, and what to do about it."""

from typing import NamedTuple

OK, WARN, BAD = "ok", "warn", "bad"


class Finding(NamedTuple):
    """`fix` is the next thing to type or to look at; "" where nothing is to be done."""

    name: str
    level: str
    text: str
    fix: str = ""


def fine(name: str, text: str) -> Finding:
    return Finding(name, OK, text)
