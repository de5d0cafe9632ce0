"""Small files that simulated bots make: a picture, a sound, a film; real ones, made of nothing."""

from __future__ import annotations

import base64
import hashlib
import math
import struct
import zlib
from dataclasses import dataclass

_KINDS = ("image", "audio", "video", "text")


@dataclass(frozen=True, slots=True)
class Media:
    """A file: what it holds, what it is, what it is called."""

    content: bytes
    content_type: str
    name: str

    @property
    def sha256(self) -> str:
        """The content's fingerprint, by which it is addressed."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def kind(self) -> str:
        """The second part of the path, as Poe's links have it."""
        major = self.content_type.partition("/")[0]
        return major if major in _KINDS else "application"

    @property
    def path(self) -> str:
        """The path of the file's link."""
        return f"/base/{self.kind}/{self.sha256}"


def picture(prompt: str, width: int = 64, height: int = 64) -> Media:
    """A PNG with a gradient whose colour follows from the prompt."""
    red, green, blue = hashlib.sha256(prompt.encode("utf-8", "replace")).digest()[:3]
    rows = b"".join(
        b"\0" + bytes((red, green, blue * row // height)) * width for row in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")
    return Media(b"\x89PNG\r\n\x1a\n" + chunks, "image/png", "image.png")


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


SAMPLES_PER_S = 8000


def sound(text: str) -> Media:
    """A WAV with a tone as long as the text takes to say: 50 ms a character, at most 2 s."""
    seconds = min(max(len(text), 1) * 0.05, 2.0)
    pitch_hz = 220 + 10 * (len(text) % 22)
    samples = bytes(
        128 + round(80 * math.sin(2 * math.pi * pitch_hz * n / SAMPLES_PER_S))
        for n in range(int(seconds * SAMPLES_PER_S))
    )
    form = struct.pack("<HHIIHH", 1, 1, SAMPLES_PER_S, SAMPLES_PER_S, 1, 8)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", len(samples)) + samples
    return Media(b"RIFF" + struct.pack("<I", len(body)) + body, "audio/wav", "speech.wav")


FILM = Media(
    # One second of teal: H.264, 32 by 32, five frames.
    base64.b64decode(
        "AAAAIGZ0eXBpc29tAAACAGlzb21pc28yYXZjMW1wNDEAAANSbW9vdgAAAGxtdmhkAAAAAAAAAAAAAAAAAAAD6AAA"
        "A+gAAQAAAQAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAgAAAqF0cmFrAAAAXHRraGQAAAADAAAAAAAAAAAAAAABAAAAAAAAA+gAAAAAAAAAAAAA"
        "AAAAAAAAAAEAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAABAAAAAACAAAAAgAAAAAAAkZWR0cwAAABxlbHN0"
        "AAAAAAAAAAEAAAPoAAAQAAABAAAAAAIZbWRpYQAAACBtZGhkAAAAAAAAAAAAAAAAAAAoAAAAKABVxAAAAAAALWhk"
        "bHIAAAAAAAAAAHZpZGUAAAAAAAAAAAAAAABWaWRlb0hhbmRsZXIAAAABxG1pbmYAAAAUdm1oZAAAAAEAAAAAAAAA"
        "AAAAACRkaW5mAAAAHGRyZWYAAAAAAAAAAQAAAAx1cmwgAAAAAQAAAYRzdGJsAAAAwHN0c2QAAAAAAAAAAQAAALBh"
        "dmMxAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAACAAIABIAAAASAAAAAAAAAABDExhdmMgbGlieDI2NAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAGP//AAAANmF2Y0MBZAAK/+EAGWdkAAqscgRJbARAAAADAEAAAAMCg8SJYRgBAAZo6EOPLIv9"
        "+PgAAAAAEHBhc3AAAAABAAAAAQAAABRidHJ0AAAAAAAAApgAAAAAAAAAGHN0dHMAAAAAAAAAAQAAAAUAAAgAAAAA"
        "FHN0c3MAAAAAAAAAAQAAAAEAAAA4Y3R0cwAAAAAAAAAFAAAAAQAAEAAAAAABAAAoAAAAAAEAABAAAAAAAQAAAAAA"
        "AAABAAAIAAAAABxzdHNjAAAAAAAAAAEAAAABAAAABQAAAAEAAAAoc3RzegAAAAAAAAAAAAAABQAAAB4AAAAOAAAA"
        "DQAAAA0AAAANAAAAFHN0Y28AAAAAAAAAAQAAA4IAAAA9dWR0YQAAADVtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABt"
        "ZGlyYXBwbAAAAAAAAAAAAAAAAAhpbHN0AAAACGZyZWUAAABbbWRhdAAAABpliIEAAl/+6Mn8yynQn0+nDmEgK2nG"
        "7BwL+QAAAApBmgiNiH///quAAAAACUGeEEcQQ/81IQAAAAkBnhgmiH//REAAAAAJAZ4YbUh//0RB"
    ),
    "video/mp4",
    "video.mp4",
)
