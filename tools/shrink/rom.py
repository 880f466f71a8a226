"""Names that every firmware has in its ROM: they take a board no memory.

MicroPython's own, of py/ and extmod/, as a Pico W, an ESP32 and the unix port have them. Left out
are those that the compiler or an exception gives a meaning, and what only some firmware has.
"""

# ruff: noqa: SIM905  # quoted, they would be three times as long

# In a .mpy file one of these is a number of one or two bytes (py/makeqstrdata.py, the static ones).
STATIC = """
abs all any append ArithmeticError AttributeError BaseException builtins bytearray bytes
callable chr classmethod clear close copy count dict dir divmod end endswith EOFError eval exec
extend find format from_bytes get getattr globals hasattr hash id IndentationError index
IndexError insert isalpha isdigit isinstance islower isspace issubclass isupper items iter join
key KeyboardInterrupt KeyError keys len list little locals LookupError lower lstrip map
NameError next NoneType NotImplementedError object open ord OverflowError pop popitem pow print
range read readinto readline remove replace repr reverse rfind rindex round rsplit rstrip
RuntimeError send sep set setattr setdefault sort sorted split start startswith staticmethod
step stop str strip sum SyntaxError throw to_bytes tuple type TypeError update upper values
write ZeroDivisionError zip
""".split()

OTHERS = """
a2b_base64 abs_tol accept acos acosh acquire add addressof aes AF_INET AF_INET6 allocate_lock
appendleft argv ARRAY array ascii asin asinh atan atan2 atanh atexit AUTO b2a_base64 BF_LEN
BF_POS BFINT16 BFINT32 BFINT8 BFUINT16 BFUINT32 BFUINT8 big BIG_ENDIAN bin binascii bind blit
bound_method buffering bytearray_at byteorder bytes_at BytesIO calcsize cancel CancelledError
ceil center CERT_NONE CERT_OPTIONAL CERT_REQUIRED chdir choice cipher client_id closure cmath
code collect collections compile complex connect copysign coro cos cosh crc32 cryptolib cur_task
data decode decrypt default deflate DeflateIO degrees delattr deleter deque dict_view difference
digest disable discard doc done dump dumps e ellipse enable encode encoding encrypt enumerate
erf erfc errorcode exc_info exception execfile exit exp expm1 fabs factorial file FileIO fill
fill_rect filter float FLOAT32 FLOAT64 floor flush fmod framebuf FrameBuffer FrameBuffer1 frexp
fromhex fromkeys frozenset function gamma gc generator get_ciphers get_ident getaddrinfo getcwd
getrandbits getter getvalue gmtime group GS2_HMSB GS4_HMSB GS8 GZIP hashlib heap_lock
heap_unlock heapify heappop heappush heapq help hex hexlify hline idle imag implementation
indices inf input INT INT16 INT32 INT64 INT8 intersection invert io IOBase ioctl ipoll isclose
isdisjoint isenabled isfinite isinf isnan issubset issuperset iterable iterator json kbd_intr
keepends ldexp length lgamma line listdir listen LITTLE_ENDIAN load loads localtime lock locked
LockType log log10 log2 LONG LONGLONG lookahead machine makefile match math max maxsize md5 mem
mem16 mem32 mem8 mem_alloc mem_free memoryview min mkdir mkfs mktime mode modf modify module
modules MONO_HLSB MONO_HMSB MONO_VLSB mount mtime MVLSB name namedtuple nan NATIVE newline oct
off on opt_level OrderedDict os pack pack_into partition path ph_key phase pi PinBase pixel
polar poll POLLERR POLLHUP POLLIN POLLOUT poly popleft preview progsize property ps1 ps2
psk_identity psk_key PTR push qstr_info r radians randint random randrange RAW rb re readlines
readonly readsize real rect recv recv_into recvfrom register rel_tol release rename reversed
RGB565 RingIO rmdir rpartition schedule scroll search seed seek select sendall sendto separators
server_side set_ciphers setblocking setsockopt setter settimeout sha1 sha256 SHORT Signal signed
sin single sinh sizeof sleep sleep_ms sleep_us slice SO_BROADCAST SO_KEEPALIVE SO_REUSEADDR
SOCK_DGRAM SOCK_RAW SOCK_STREAM socket soft_reset SOL_SOCKET splitlines sqrt src ssl SSLContext
SSLSocket stack_size stack_use stat state statvfs stderr stdin stdout StringIO struct sub sync
sys tan tanh target Task TaskQueue tau tell text TextIOWrapper threshold ticks_add ticks_cpu
ticks_diff ticks_ms ticks_us time time_ns time_pulse_us tls trunc uctypes UINT UINT16 UINT32
UINT64 UINT8 ULONG ULONGLONG umount unhexlify UnicodeError uniform union unlink unpack
unpack_from unregister unsafe urandom USHORT verify_mode version version_info VfsFat VfsLfs2
vline VOID wrap_socket ZLIB
""".split()

# Names of ours that objects of some firmware have, too: where they mean those they must stay.
ALSO_OURS = frozenset(
    "Link active at cancel check delete done finished handle is_set of pending port ready"
    " put reset_cause run running save sockets unique_id wait".split()
)
