"""The conformance cases of the CoAP door, against a running gateway, over IPv4 and IPv6."""

import itertools
import json
from collections.abc import Iterator

import pytest

from tests.fakes import FakeDevice
from tests.integration.door import Fill, outcomes
from tests.integration.harness import Site, allow_tokens, listen_on_both
from tests.load import LoadDevice
from tests.make_vectors import VECTORS

pytestmark = pytest.mark.integration

CASES = json.loads((VECTORS / "coap_door.json").read_text())
HOSTS = ("127.0.0.1", "::1")
CONVERSATIONS = [
    pytest.param(host, case, id=f"{host}: {case['name']}") for host in HOSTS for case in CASES
]


@pytest.fixture(scope="module")
def door(tmp_path_factory) -> Iterator[dict[str, dict[str, str]]]:
    site = Site(tmp_path_factory.mktemp("door"))
    listen_on_both(site)
    fill = _fills(LoadDevice(site.enrol("conformance")), allow_tokens(site))
    site.start_gateway()
    try:
        yield {host: outcomes(CASES, host, site.coap_port, fill) for host in HOSTS}
    finally:
        site.stop()
    log = site.gateway_log()
    assert "Traceback" not in log, log[-5000:]
    assert [verdict for verdict in site.verdicts() if not verdict.valid] == []


@pytest.mark.parametrize(("host", "case"), CONVERSATIONS)
def test_the_gateway_answers_as_the_clause_says(door, host, case):
    found = door[host][case["name"]]

    assert found == "", f"{case['clause']}\n{found}"


def test_there_are_cases_for_what_the_rfc_asks():
    assert len(CASES) >= 80


def _fills(device: LoadDevice, given: dict[str, str]) -> Fill:
    """A new envelope each time, with a number of its own; tokens, and what nobody gave."""
    numbers = itertools.count()

    def fill(name: str) -> bytes:
        if name == "envelope":
            return device.seal(next(numbers))
        if name == "stranger":
            return FakeDevice("stranger").seal(0)
        return given.get(name, "x" * 43).encode()

    return fill
