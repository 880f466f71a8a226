"""Policies (C2SP tlog-policy): files, and which witnesses satisfy them."""

from typing import Any

from tests.protocol.cases.checkpoint import BODY, ORIGIN, signature, vkey
from tests.protocol.cases.cosignature import line, witness_key

KEYS = {f"{group}{n}": bytes((ord(group), n)) * 16 for group in "XY" for n in (1, 2, 3)}
VKEYS = {name: witness_key(f"{name}.example", seed) for name, seed in KEYS.items()}
LOG = f"log {vkey(ORIGIN)}\n"
WITNESSES = "".join(f"witness {name} {key}\n" for name, key in VKEYS.items())
# the example of the specification
PUBLISHED = f"""\
{LOG}
{WITNESSES}
group X-witnesses 2 X1 X2 X3
group Y-witnesses any Y1 Y2 Y3
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def cases() -> list[dict[str, Any]]:
    return [*_quorums(), *_files(), *_wrong()]


def _note(names: list[str]) -> str:
    lines = [line(name=f"{name}.example", seed=KEYS[name]) for name in names]
    return f"{BODY}\n" + "".join(f"{text}\n" for text in [signature(BODY), *lines])


def _quorum(policy: str, names: str, *, enough: bool) -> dict[str, Any]:
    cosigned = names.split()
    return {
        "name": f"{policy.strip().splitlines()[-2:]} by {names or 'nobody'}",
        "hex": _hex(policy),
        "note": _note(cosigned),
        "cosigners": [f"{name}.example" for name in cosigned],
        "enough": enough,
    }


def _quorums() -> list[dict[str, Any]]:
    two = f"{WITNESSES}group g 2 X1 X2 X3\nquorum g\n"
    nested = f"{WITNESSES}group a all X1 X2\ngroup b any a X3\nquorum b\n"
    return [
        _quorum(PUBLISHED, "X1 X2 Y1", enough=True),
        _quorum(PUBLISHED, "X1 X2 X3 Y1 Y2 Y3", enough=True),
        _quorum(PUBLISHED, "X1 X2 X3", enough=False),
        _quorum(PUBLISHED, "X1 Y1 Y2 Y3", enough=False),
        _quorum(two, "X1", enough=False),
        _quorum(two, "X1 X3", enough=True),
        _quorum(two, "X1 Y2 Y3", enough=False),
        _quorum(nested, "X3", enough=True),
        _quorum(nested, "X1", enough=False),
        _quorum(nested, "X1 X2", enough=True),
        _quorum(f"{WITNESSES}quorum X1\n", "X1", enough=True),
        _quorum(f"{WITNESSES}quorum X1\n", "X2", enough=False),
        _quorum(f"{WITNESSES}quorum none\n", "", enough=True),
        _quorum("# nobody is asked\nquorum none\n", "", enough=True),
    ]


def _files() -> list[dict[str, Any]]:
    url = "https://witness.example/é"
    one = f"witness one {VKEYS['X1']}"
    texts = {
        "with URLs": f"log {vkey(ORIGIN)} {url}\n{one} {url}\nquorum one\n",
        "with tabs, empty lines and comments": f"\t# a comment\n\n \t\n\t{one}\t\nquorum  one \n",
        "with a key as log and as witness": f"{LOG}{one}\nquorum one\n",
    }
    good = [{"name": name, "hex": _hex(text), "quorum": "one"} for name, text in texts.items()]
    opaque = f"witness one {VKEYS['X1']}\nquorum one\n".encode().replace(b"one", b"\xff\xfe")
    return [
        *good,
        {"name": "with a name that is no UTF-8", "hex": opaque.hex(), "quorum_hex": "fffe"},
    ]


def _wrong() -> list[dict[str, Any]]:
    one, two = (f"witness {name} {VKEYS[name]}\n" for name in ("X1", "X2"))
    same = f"witness again {VKEYS['X1']}\n"
    renamed = f"witness again {witness_key('other.example', KEYS['X1'])}\n"
    texts = {
        "nothing": (0, ""),
        "no quorum": (0, one),
        "a last line without its end": (0, f"{one}quorum X1"),
        "an unknown word": (1, "logs\n"),
        "a word in capitals": (1, "QUORUM none\n"),
        "a quorum that comes first": (1, f"quorum X1\n{one}"),
        "a quorum of nothing": (1, "quorum\n"),
        "a quorum of two names": (3, f"{one}{two}quorum X1 X2\n"),
        "two quorums": (2, "quorum none\nquorum none\n"),
        "a log without a key": (1, "log\n"),
        "a log with two URLs": (1, f"log {vkey(ORIGIN)} a b\n"),
        "a log with a witness's key": (1, f"log {VKEYS['X1']}\n"),
        "a log twice": (2, LOG + LOG),
        "a log with a damaged key": (1, LOG[:-3] + "\n"),
        "a witness without a key": (1, "witness X1\n"),
        "a witness with two URLs": (1, one[:-1] + " a b\n"),
        "a witness with a log's key": (1, f"witness X1 {vkey(ORIGIN)}\n"),
        "a witness's key twice": (2, one + same),
        "a witness's key under two names": (2, one + renamed),
        "a name twice": (2, one + two.replace("X2 ", "X1 ", 1)),
        "a witness called none": (1, f"witness none {VKEYS['X1']}\n"),
        "a group of nobody": (2, f"{one}group g any\n"),
        "a group of a name to come": (1, f"group g any X1\n{one}"),
        "a group of itself": (2, f"{one}group g any g\n"),
        "a group with none": (2, f"{one}group g any none\n"),
        "a group called none": (2, f"{one}group none any X1\n"),
        "a group called like a witness": (2, f"{one}group X1 any X1\n"),
        "a member twice": (2, f"{one}group g any X1 X1\n"),
        "a member of two groups": (3, f"{one}group g any X1\ngroup h any X1\n"),
        "none of two": (3, f"{one}{two}group g 0 X1 X2\n"),
        "three of two": (3, f"{one}{two}group g 3 X1 X2\n"),
        "a threshold with a zero before it": (3, f"{one}{two}group g 01 X1 X2\n"),
        "a threshold that is a word": (3, f"{one}{two}group g most X1 X2\n"),
        "a carriage return": (1, "quorum none\r\n"),
        "a delete": (1, "quorum none\x7f\n"),
        "a zero byte": (2, "# fine\n# not \0 fine\nquorum none\n"),
        "far too long": (0, "# " + "x" * 70_000 + "\nquorum none\n"),
    }
    cases = [
        {"name": name, "hex": _hex(text), "error": "malformed", "line": number}
        for name, (number, text) in texts.items()
    ]
    cases[-1] = {"name": "far too long", "zeros": 70_000, "error": "malformed", "line": 0}
    no_url = f"witness X1 {VKEYS['X1']} ".encode() + b"\xff\nquorum X1\n"
    return [*cases, {"name": "a URL that is no UTF-8", "hex": no_url.hex(),
                     "error": "malformed", "line": 1}]  # fmt: skip


def _hex(text: str) -> str:
    return text.encode().hex()
