"""Raw JSON as bytes: the exact text, compressed, behind one byte that names the codec."""

import hashlib
import zlib
from typing import Final

_PLAIN: Final = b"\x00"
_ZLIB: Final = b"\x01"


class UnknownCodecError(ValueError):
    """The bytes begin with no codec of ours: they were not written by this service, or by a newer one."""


def pack(text: str) -> bytes:
    """Return a text as bytes that ``unpack`` makes into the same text again."""
    return pack_bytes(text.encode())


def unpack(data: bytes) -> str:
    """Return the text that was packed.

    :raises UnknownCodecError: it was packed by something else.
    """
    return unpack_bytes(data).decode()


def pack_bytes(data: bytes) -> bytes:
    """Return the bytes compressed, or as they are if that is shorter."""
    compressed = zlib.compress(data)
    return _ZLIB + compressed if len(compressed) < len(data) else _PLAIN + data


def unpack_bytes(data: bytes) -> bytes:
    """Return the bytes that were packed.

    :raises UnknownCodecError: they were packed by something else.
    """
    codec, content = data[:1], data[1:]
    if codec == _PLAIN:
        return content
    if codec != _ZLIB:
        raise UnknownCodecError(codec)
    return zlib.decompress(content)


def digest(data: bytes) -> str:
    """Return a name for packed bytes: the same bytes have the same name, and no others have it."""
    return hashlib.sha256(data).hexdigest()[:32]
