from protocol import errors
from protocol.errors import ProtocolError

# Part of the wire format: a peer may tell them apart.
REASONS = {
    "MalformedError": "malformed",
    "UnsupportedError": "unsupported",
    "TooLargeError": "too-large",
    "BadMacError": "bad-mac",
    "BadSignatureError": "bad-signature",
    "OutOfStateError": "out-of-state",
    "TamperedError": "tampered",
    "ProtocolError": "protocol-error",
}


def test_every_error_has_its_own_stable_reason():
    found = {
        name: error.reason
        for name, error in vars(errors).items()
        if isinstance(error, type) and issubclass(error, ProtocolError)
    }

    assert found == REASONS


def test_a_tampered_entry_is_named():
    error = errors.TamperedError(7, "the body is not the one in the leaf")

    assert str(error) == "entry 7: the body is not the one in the leaf"
    assert (error.index, error.what) == (7, "the body is not the one in the leaf")
