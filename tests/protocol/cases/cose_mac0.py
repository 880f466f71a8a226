"""COSE_Mac0: the COSE working group's examples (github.com/cose-wg/Examples).

From mac0-tests and hmac-examples. Ours is a subset: HMAC 256/256, untagged, nothing
unprotected. Of the others the parts are checked that are the same, and that they are refused.
"""

from typing import Any

from tests.protocol import oracles

KEY = "849b57219dae48de646d07dbb533566e976686457c1491be3a76dcea6c427188"
PAYLOAD = b"This is the content.".hex()
GOOD = "a1a848d3471f9d61ee49018d244c824772f223ad4f935293f1789fc3a08d8c58"
NO_HEADER = "176dce14c1e57430c13658233f41dc89aa4fa0ff9b8783f23b0ef51ca6b026bc"

# name, protected, external_aad, tag, the example's own verdict
EXAMPLES = [
    ("HMac-01", "a10105", "", GOOD, True),
    ("mac-fail-02, tag changed", "a10105", "", GOOD[:-1] + "9", False),
    ("mac-fail-03, algorithm changed", "a1013903e6", "", GOOD, False),
    ("mac-fail-04, algorithm unknown", "a10167556e6b6e6f776e", "", GOOD, False),
    ("mac-fail-06, header added", "a201050300", "", GOOD, False),
    ("mac-fail-07, header removed", "a10105", "",
     "bb9e11ef2bd673f766a398d4e3fad78e0f0be2806bf73fb647471e40b3d98734", False),
    ("mac-pass-01, empty protected header", "", "", NO_HEADER, True),
    ("mac-pass-02, external data", "", "ff00ee11dd22cc33bb44aa559966",
     "0fecaec59bb46cc8a488aaca4b205e322dd52696b75a45768d3c302dd4bae2f7", True),
]  # fmt: skip

# The intermediate values the examples print, to hold our MAC_structure to.
TO_MAC = {
    "HMac-01": "84644d41433043a101054054546869732069732074686520636f6e74656e742e",
    "mac-pass-01, empty protected header": "84644d414330404054546869732069732074686520636f6e74656e"
    "742e",
    "mac-pass-02, external data": "84644d414330404eff00ee11dd22cc33bb44aa559966545468697320697320"
    "74686520636f6e74656e742e",
}

REFUSED = {
    "HMac-01 with its CBOR tag": ("d18443a10105a054" + PAYLOAD + "5820" + GOOD, "unsupported"),
    "mac-fail-01, CBOR tag 992": ("d903e08443a10105a054" + PAYLOAD + "5820" + GOOD, "unsupported"),
    "mac-pass-03, algorithm not protected": (
        "8440a1010554" + PAYLOAD + "5820" + NO_HEADER,
        "malformed",
    ),
    "HMac-01 of a COSE_Mac, with recipients": (
        "8543a10105a054"
        + PAYLOAD
        + "58202bdcc89f058216b8a208ddc6d8b54aa91f48bd63484986565105c9ad5a6682f6"
        + "818340a20125044a6f75722d73656372657440",
        "malformed",
    ),
    "HMac-02, a tag of SHA-384": (
        "8443a10106a054" + PAYLOAD + "5830b3097f70009a11507409598a83e15bbbbf1982dce28e5ab6d5a6aff6"
        "897bd24bb8b7479622c9401b24090d458206d587",
        "malformed",
    ),
    "HMac-03, a tag of SHA-512": (
        "8443a10107a054" + PAYLOAD + "5840cd28a6b3cfbbbf214851b906e050056cb438a8b88905b8b746197702"
        "2711a9d8ac5dbc54e29a56d926046b40fc2607c25b344454aa5f68de09a3e525d3865a05",
        "malformed",
    ),
    "HMac-05, a tag of 64 bits": (
        "8443a10104a054" + PAYLOAD + "486f35cab779f77833",
        "malformed",
    ),
    "three parts": ("8343a10105a040", "malformed"),
    "a map": ("a0", "malformed"),
    "unprotected is null": ("8443a10105f6405820" + GOOD, "malformed"),
    "detached payload": ("8443a10105a0f65820" + GOOD, "malformed"),
    "protected is a map": ("84a10105a0405820" + GOOD, "malformed"),
    "tag is text": ("8443a10105a040" + "7820" + "61" * 32, "malformed"),
}


def cases() -> list[dict[str, Any]]:
    refused = [
        {"name": name, "hex": data, "error": reason} for name, (data, reason) in REFUSED.items()
    ]
    return [_example(*example) for example in EXAMPLES] + refused


def _example(name: str, protected: str, aad: str, tag: str, passes: bool) -> dict[str, Any]:
    parts = [bytes.fromhex(part) for part in (protected, aad, PAYLOAD)]
    to_mac = oracles.cbor(["MAC0", *parts])
    assert to_mac.hex() == TO_MAC.get(name, to_mac.hex())
    assert (oracles.hmac(bytes.fromhex(KEY), to_mac).hex() == tag) is passes
    case = {
        "name": name, "key": KEY, "protected": protected, "external_aad": aad, "payload": PAYLOAD,
        "mac_structure": to_mac.hex(), "tag": tag,
        "hex": oracles.cbor([parts[0], {}, parts[2], bytes.fromhex(tag)]).hex(),
    }  # fmt: skip
    return case if passes else case | {"error": "bad-mac"}
