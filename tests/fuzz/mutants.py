"""Damage of every kind to the bytes of a file, drawn from a seed: the same seed damages in the same way."""

import json
import random
import struct
from collections.abc import Callable
from typing import Any

#: JSON that stands in place of a value; some of it no parser of Python would write.
VALUES = (
    *("null", "true", "false", "0", "-1", "1", "0.5", "-0.5", "1e30", "1e308", "-1e308", "1e999", "-1e999", "NaN"),
    *("Infinity", "9007199254740993", "9223372036854775808", "-9223372036854775809", "4294967296", "1e-320"),
    *('""', '"x"', '"nan"', '"1"', '"' + "a" * 200_000 + '"', '"../../etc/passwd"', r'"\ud800"', r'"\u0000\u001b[31m"'),
    *("[]", "{}", "[[]]", "[null]", '{"x": 1}', "[1, 2, 3]", '["x"]', "[-1, 99999999]"),
    *("9" * 5000, "9" * 400, "-" + "9" * 400, "0." + "9" * 5000, "[" * 100_000 + "]" * 100_000, '{"a":' * 5000),
)
_MARK = "@@raw@@"


def mutate(content: bytes, kind: str, rng: random.Random, others: list[bytes]) -> bytes:
    """Damage the content of a file.

    Args:
        kind: "json", "lines" (of JSON), "safetensors", or anything else.
        others: contents of files of the same kind, that may be swapped in.
    """
    by_kind: dict[str, Callable[[bytes, random.Random], bytes]] = {
        "json": _damaged_json,
        "lines": _damaged_line,
        "safetensors": _damaged_header,
    }
    if kind in by_kind and rng.random() < 0.75:
        return by_kind[kind](content, rng)
    if others and rng.random() < 0.15:
        return rng.choice(others)
    return _damaged_bytes(content, rng)


def _damaged_bytes(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content) + 1)
    match rng.randrange(8):
        case 0:
            return content[:place]
        case 1:
            return b""
        case 2:
            return content[:place] + rng.randbytes(rng.randrange(1, 9)) + content[place:]
        case 3:
            return content[:place] + content[place + rng.randrange(1, 50) :]
        case 4:
            return content + content
        case 5:
            return content[:place] + rng.choice(VALUES).encode() + content[place:]
        case 6:
            return b"\xef\xbb\xbf" + content
    flipped = bytearray(content)
    for _ in range(rng.randrange(1, 5)):
        if flipped:
            flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    return bytes(flipped)


def _damaged_json(content: bytes, rng: random.Random) -> bytes:
    try:
        data = json.loads(content)
    except ValueError:
        return _damaged_bytes(content, rng)
    return _damaged_data(data, rng).encode()


def _damaged_line(content: bytes, rng: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    if not lines:
        return _damaged_bytes(content, rng)
    place = rng.randrange(len(lines))
    match rng.randrange(6):
        case 0:
            lines.insert(place, rng.choice(lines))
        case 1:
            del lines[place]
        case _:
            lines[place] = _damaged_json(lines[place], rng) + b"\n"
    return b"".join(lines)


def _damaged_header(content: bytes, rng: random.Random) -> bytes:
    """A safetensors file whose header is damaged as JSON, its length right again."""
    (length,) = struct.unpack("<Q", content[:8])
    header = _damaged_json(content[8 : 8 + length], rng)
    return struct.pack("<Q", len(header)) + header + content[8 + length :]


def _damaged_data(data: Any, rng: random.Random) -> str:
    """The data as JSON, one place of it damaged."""
    holder, key = rng.choice(_places(data)) if _places(data) else ([data], 0)
    raw = None
    match rng.randrange(10):
        case 0 if isinstance(holder, dict | list):
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[rng.choice(["x", "", "a" * 5000, f"{key}_", "\x1b[31m"])] = holder.pop(key)
        case 2 if isinstance(holder, list):
            holder.append(holder[key])
        case 3 if isinstance(holder, list):
            rng.shuffle(holder)
        case 4 if isinstance(holder, dict) and len(holder) > 1:
            other = rng.choice(list(holder))
            holder[key], holder[other] = holder[other], holder[key]
        case 5 if isinstance(holder[key], int | float):
            holder[key] = rng.choice([-holder[key], holder[key] * 1000, holder[key] + 1, str(holder[key])])
        case _:
            raw, holder[key] = rng.choice(VALUES), _MARK
    text = json.dumps(data)
    return text if raw is None else text.replace(f'"{_MARK}"', raw)


def _places(data: Any, most: int = 4000) -> list[tuple[Any, Any]]:
    """Every place of a value in lists and objects; long lists of numbers give a few only."""
    places: list[tuple[Any, Any]] = []
    pending = [data]
    while pending and len(places) < most:
        holder = pending.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else []
        for key in list(keys)[:60]:
            places.append((holder, key))
            pending.append(holder[key])
    return places
