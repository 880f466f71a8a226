"""`tallystick proof`: fetch the proof of an entry, and check proofs without any network."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import httpx2 as httpx
import typer

from protocol import checkpoint as checkpoints
from protocol import note as notes
from protocol.checkpoint import Checkpoint
from protocol.errors import ProtocolError
from protocol.limits import MAX_PROOF_BYTES
from protocol.note import VerifierKey
from protocol.policy import Policy
from tools import policy as policies
from tools import proofs
from tools.bars import Bars
from tools.proofs import Keys, ProofVerdict
from tools.senders import Senders, load
from tools.sources import UnusableError

OK, WRONG, WRONG_USE = 0, 1, 2
SUFFIXES = (".tlog-proof", ".cose")
_TIMEOUT_S = 30
_POLL_S = 0.5
_POLLS = 30  # a checkpoint comes every second, unless the gateway was told otherwise

app = typer.Typer(help="Proofs of single entries.", no_args_is_help=True)
_Vkey = Annotated[
    list[str] | None, typer.Option(help="a ledger's verifier key; more for more ledgers")
]


@app.command("fetch")
def fetch(
    url: str,
    index: Annotated[int, typer.Argument(min=0)],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="where to keep it")],
    vkey: _Vkey = None,
    cose: Annotated[bool, typer.Option("--cose", help="a COSE Receipt, not text")] = False,
    token: Annotated[Path | None, typer.Option("--token-file", help="file with a token")] = None,
) -> None:
    """Keep the proof of entry INDEX of the gateway at URL in FILE, if it is a good one.

    Waits for the next checkpoint where the entry is new.

    Example: tallystick proof fetch http://127.0.0.1:8080 17 -o 17.tlog-proof --vkey KEY
    """
    headers = {"Accept": "application/cose" if cose else "text/plain"}
    try:
        keys = _keys(vkey or [], None)
        if token:
            headers["Authorization"] = f"Bearer {token.read_text().strip()}"
        with httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S) as client:
            data = download(client, f"/events/{index}/proof", time.sleep)
        verdict = proofs.check_proof(str(out), data, keys)
        if verdict.valid and verdict.index != index:
            raise UnusableError(f"{url} proves entry {verdict.index}, not {index}")
        if verdict.valid:
            out.write_bytes(data)
    except (httpx.HTTPError, httpx.InvalidURL, UnusableError, OSError) as error:
        raise _wrong_use(error) from error
    _report([verdict], as_json=False)


@app.command("check")
def check(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE|DIR…", help="proofs; of a directory all in it")
    ],
    vkey: _Vkey = None,
    policy: Annotated[
        Path | None, typer.Option(help="tlog-policy file: which witnesses must have cosigned")
    ] = None,
    held: Annotated[
        Path | None, typer.Option("--checkpoint", help="what a receipt of consistency continues")
    ] = None,
    senders: Annotated[
        Path | None,
        typer.Option("--keys", help="the devices' public keys, as `device list --keys` prints"),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="for scripts")] = False,
) -> None:
    """Check proofs, offline, and say what was and was not checked. Exit 1 where one does not hold.

    Example: tallystick proof check 17.tlog-proof --vkey example.org/garden+1a2b3c4d+AX…
    """
    try:
        rules = policies.load(policy) if policy else None
        keys = _keys(vkey or [], rules)
        older = _held(held, keys) if held else None
        known = Senders(load(senders)) if senders else None
        cosigned = policies.checker(rules, proofs.verify_ed25519) if rules else None
        paths, verdicts = _named(files), list[ProofVerdict]()
        with Bars() as bars:
            for path in paths:
                bars.show("checking", len(verdicts), len(paths))
                proof = proofs.check_proof(
                    str(path), _read(path), keys, cosigned=cosigned, held=older, senders=known
                )
                verdicts.append(proof)
    except (UnusableError, OSError) as error:
        raise _wrong_use(error) from error
    _report(verdicts, as_json=json_)


def download(client: httpx.Client, path: str, sleep: Callable[[float], None]) -> bytes:
    """What the gateway answers, asked again while the entry waits for its checkpoint.

    UnusableError with what it says where it refuses.
    """
    detail = ""
    for _ in range(_POLLS):
        status, data = _get(client, path)
        if status == 200:
            return data
        title, detail = _problem(data)
        if title != "unsigned":
            raise UnusableError(f"{client.base_url} answers {status}: {detail}")
        sleep(_POLL_S)
    raise UnusableError(f"{client.base_url}: {detail}; it does not sign: look at its /healthz")


def _get(client: httpx.Client, path: str) -> tuple[int, bytes]:
    data = b""
    with client.stream("GET", path) as response:
        for chunk in response.iter_bytes():
            data += chunk
            if len(data) > MAX_PROOF_BYTES:
                raise UnusableError(f"{client.base_url}: the answer is too long for a proof")
    return response.status_code, data


def _problem(data: bytes) -> tuple[str, str]:
    """Reason and detail of problem details (RFC 9457)."""
    try:
        problem = json.loads(data)
        return str(problem["title"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return "", "it is no gateway of ours"


def _keys(vkeys: list[str], rules: Policy | None) -> Keys:
    """One a ledger: which of two signs what size only the ledger itself could say."""
    try:
        given = [notes.parse_key(text) for text in vkeys]
    except ProtocolError as error:
        raise UnusableError(f"--vkey: {error}") from error
    logs = [log.key for log in rules.logs] if rules else []
    for key in given:
        if logs and key not in logs:
            raise UnusableError(f"--vkey: the policy has no log {key.name} with this key")
    keys: dict[str, VerifierKey] = {}
    for key in given + logs:
        if keys.setdefault(key.name, key) != key:
            raise UnusableError(f"two keys of {key.name}: check what each signed by itself")
    if not keys:
        raise UnusableError("give the ledger's verifier key: --vkey KEY")
    return keys


def _held(path: Path, keys: Keys) -> Checkpoint:
    try:
        text = _read(path).decode()
        key = proofs.key_of(checkpoints.unverified(text).origin, keys)
        return checkpoints.open_note(text, key, proofs.verify_ed25519)
    except (ProtocolError, UnicodeDecodeError) as error:
        raise UnusableError(f"{path}: {error}") from error


def _named(paths: list[Path]) -> list[Path]:
    """The files of a command line, and of each directory in it those that are called a proof."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(f for f in path.iterdir() if f.suffix in SUFFIXES) if path.is_dir() else []
        if path.is_dir() and not inside:
            raise UnusableError(f"{path}: there is no {' or '.join(SUFFIXES)} in it")
        found += inside or [path]
    return found


def _read(path: Path) -> bytes:
    """At most a byte more than a proof may have, which is then refused for it."""
    with path.open("rb") as file:
        return file.read(MAX_PROOF_BYTES + 1)


def _report(verdicts: list[ProofVerdict], *, as_json: bool) -> None:
    wrong = sum(not verdict.valid for verdict in verdicts)
    if as_json:
        print(json.dumps([asdict(verdict) for verdict in verdicts]))
    else:
        for verdict in verdicts:
            print(proofs.describe(verdict))
        if len(verdicts) > 1:
            print(f"{len(verdicts)} proofs, {wrong} of them wrong")
    raise typer.Exit(WRONG if wrong else OK)


def _wrong_use(error: Exception) -> typer.Exit:
    print(f"tallystick: {error}", file=sys.stderr)
    return typer.Exit(WRONG_USE)
