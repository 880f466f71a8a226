"""Numbers both sides must agree on, each with its reason."""

# RFC 7252 §4.6: a datagram of 1152 bytes with a payload of 1024 fits IPv6's smallest MTU.
MAX_DATAGRAM_BYTES = 1152
MAX_ENVELOPE_BYTES = 1024

# 1024 bytes hold about 60 records; more in one pack is an attack or a mistake.
MAX_PACK_RECORDS = 128

# pack > record > decimal fraction > its array > an integer: each is one, the integer too.
MAX_CBOR_DEPTH = 5

# Long enough for "rack-7/inlet-temperature", short enough for a table column.
MAX_NAME_BYTES = 64

# Values, whole or decimal: what 64-bit integers and any real sensor need.
MAX_MANTISSA = (1 << 63) - 1
MIN_EXPONENT = -18

# Fits a signed 64-bit integer in every database; the year 292 million, in ms.
MAX_TIME_MS = (1 << 63) - 1

# RFC 8428 §4.5.3: times below 2**28 seconds are relative to now.
RELATIVE_TIME_MS = (1 << 28) * 1000

# RFC 7252 §4.8, the defaults; a device on a quiet LAN may wait less.
ACK_TIMEOUT_MS = 2000
MAX_RETRANSMIT = 4

CONTENT_FORMAT_COSE_MAC0 = 17  # RFC 9052 §11.3.2
CONTENT_FORMAT_COSE_SIGN1 = 18

# Sizes are below 2**63, so no way from a leaf to a root is longer.
MAX_PATH_HASHES = 63
# An entry, its path and a note of 16 KiB with room to spare, and small enough to read at once.
MAX_PROOF_BYTES = 1 << 20

# One change of a resource: with its proof in base64 it still fits MAX_PROOF_BYTES.
MAX_CONTENT_BYTES = 1 << 19
MAX_CONTENT_FORMAT = (1 << 16) - 1  # RFC 7252 §12.3
# A path in UTF-8, slashes included; with an envelope's worth of content it fits a datagram.
MAX_PATH_BYTES = 255
MAX_PATH_SEGMENTS = 16

# Versions, ids and the like: what a board keeps in four bytes.
MAX_NUMBER = (1 << 32) - 1
# A configuration as text, all sensors of a board; it has to be in RAM whole while it is checked.
MAX_CONFIG_BYTES = 2048
# An answer with either of these fits it: a small board has no room for a whole datagram.
MAX_TOLD_BYTES = 512
MAX_PIECE_BYTES = 384
MAX_TOLD_COMMANDS = 2
MAX_COMMAND_BYTES = 32
MAX_ARGUMENT_BYTES = 128
