"""Subtitles as bots write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poeflask.endpoints.audio.subtitles import Cue, read_cues, unfenced, write_srt, write_vtt

CUES = [Cue(0, 1500, "One\ntwo"), Cue(3_600_000, 3_601_250, "Three")]
SRT = """1
00:00:00,000 --> 00:00:01,500
One
two

2
01:00:00,000 --> 01:00:01,250
Three
"""
VTT = """WEBVTT

00:00:00.000 --> 00:00:01.500
One
two

01:00:00.000 --> 01:00:01.250
Three
"""


@pytest.mark.parametrize(
    "text",
    [
        SRT,
        VTT,
        SRT.replace("\n", "\r\n"),
        f"```srt\n{SRT}```",
        f"\n```\n{VTT}\n```\n",
        VTT.replace("00:00:0", "00:0").replace(".500", ".5 align:start"),
        VTT.replace("WEBVTT\n", "WEBVTT\nKind: captions\n\nNOTE nothing\n"),
    ],
)
def test_reading(text):
    """SubRip and WebVTT are read alike, fenced or not, with hours or without."""
    assert CUES == read_cues(text)


@pytest.mark.parametrize("text", ["", "Hello.", "WEBVTT", "00:00 to 00:01\nHello", "```\n```"])
def test_what_is_no_subtitle(text):
    """Text without times has no cues."""
    assert [] == read_cues(text)


def test_writing():
    """Both are written as their readers demand."""
    assert SRT == write_srt(CUES)
    assert VTT == write_vtt(CUES)


@given(
    st.lists(
        st.builds(
            Cue,
            st.integers(0, 10**7),
            st.integers(0, 10**7),
            st.text("abc -.", min_size=1, max_size=9).map(str.strip).filter(bool),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_written_can_be_read(cues):
    """Reading is the reverse of writing, in both forms."""
    assert cues == read_cues(write_srt(cues)) == read_cues(write_vtt(cues))


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("```srt\na\n```", "a"),
        (" a ", "a"),
        ("```a```", "```a```"),
        ("a\n```\nb\n```", "a\n```\nb\n```"),
    ],
)
def test_fences(text, bare):
    """Only a fence around all of the text is taken off."""
    assert bare == unfenced(text)
