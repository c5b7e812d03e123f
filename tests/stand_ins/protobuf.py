"""The few lines of Protocol Buffers' wire format that the stand-ins need.

In: field numbers and values, or bytes. Out: bytes, or the fields in them. Touches: nothing.
Source: protobuf.dev, "Encoding".
"""

import struct
from collections.abc import Iterator

Field = tuple[int, int | bytes]


def varint(number: int) -> bytes:
    """Encode a number, seven bits a byte, lowest first."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def number(field: int, value: int) -> bytes:
    """Encode an integer field."""
    return varint(field << 3) + varint(value)


def fixed64(field: int, value: int) -> bytes:
    """Encode a fixed64 field."""
    return varint(field << 3 | 1) + struct.pack("<Q", value)


def text(field: int, value: str | bytes) -> bytes:
    """Encode a string, bytes or message field."""
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def fields(message: bytes) -> Iterator[Field]:
    """Yield the fields of a message, in order: (number, value)."""
    position = 0
    while position < len(message):
        key, position = _read_varint(message, position)
        match key & 7:
            case 0:
                value, position = _read_varint(message, position)
                yield key >> 3, value
            case 1:
                yield key >> 3, int(struct.unpack_from("<Q", message, position)[0])
                position += 8
            case 2:
                length, position = _read_varint(message, position)
                yield key >> 3, message[position : position + length]
                position += length
            case 5:
                yield key >> 3, int(struct.unpack_from("<I", message, position)[0])
                position += 4
            case wire_type:
                raise ValueError(f"unknown wire type {wire_type}")


def _read_varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
