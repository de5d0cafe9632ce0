import io
import struct
import wave
import zlib

from poeflask.simulator.media import FILM, Media, picture, sound


def test_a_picture_is_a_png_of_its_size():
    """The picture's head tells its size, and its rows unpack to that many pixels."""
    png = picture("a cat", 96, 64).content

    assert b"\x89PNG\r\n\x1a\n" == png[:8]
    assert (96, 64, 8, 2) == struct.unpack(">IIBB", png[16:26])
    start = png.index(b"IDAT") + 4
    size = struct.unpack(">I", png[start - 8 : start - 4])[0]
    assert 64 * (1 + 3 * 96) == len(zlib.decompress(png[start : start + size]))


def test_a_picture_follows_from_its_prompt():
    """The same words give the same picture, other words another."""
    assert picture("cat") == picture("cat")
    assert picture("cat").sha256 != picture("dog").sha256


def test_a_sound_is_a_wav_that_can_be_played():
    """The standard library reads it; it is as long as the text takes to say."""
    with wave.open(io.BytesIO(sound("Hello there").content)) as played:
        got = (played.getnchannels(), played.getframerate(), played.getnframes())

    assert (1, 8000, 4400) == got


def test_the_film_is_an_mp4_whose_boxes_fill_it():
    """The boxes of the film follow each other to its end."""
    content, boxes, position = FILM.content, [], 0
    while position < len(content):
        size, name = struct.unpack(">I4s", content[position : position + 8])
        boxes.append(name)
        position += size

    assert [b"ftyp", b"moov", b"free", b"mdat"] == boxes
    assert len(content) == position


def test_the_path_has_kind_and_fingerprint():
    """A file's path is made of what it is and what it holds."""
    found = Media(b"abc", "application/pdf", "a.pdf")

    sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert f"/base/application/{sha}" == found.path
