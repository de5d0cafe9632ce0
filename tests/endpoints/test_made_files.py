"""What a bot made: its files, the links in its text, or its refusal."""

import pytest

from poeflask.core.profile import Profile
from poeflask.core.reply import FileEvent, Note, Reply, Usage
from poeflask.endpoints.made_files import (
    Loaded,
    Made,
    as_links,
    made,
    no_file,
    usage_of,
)

CDN = "https://pfst.cf2.poecdn.net/base/video/abc"
PICTURE = FileEvent(url="https://x.example/a", content_type="image/png", name="a.png")
LATER = FileEvent(url="https://x.example/b", content_type="image/png", name="b.png")


def link(url, content_type, name):
    """A file that is known by its link."""
    return FileEvent(url=url, content_type=content_type, name=name)


@pytest.mark.parametrize(
    ("text", "files", "rest"),
    [
        ("![a](https://x/a.webp)", [link("https://x/a.webp", "image/webp", "a")], ""),
        ("![](http://x/a)", [link("http://x/a", "image/*", "a")], ""),
        (
            "Here:\n![a](https://x/a)\n\nhttps://x/a",
            [link("https://x/a", "image/*", "a")],
            "Here:",
        ),
        (CDN, [link(CDN, "video/*", "abc")], ""),
        ("[film](https://x/a.mp4)\n", [link("https://x/a.mp4", "video/mp4", "film")], ""),
        ("https://x/a.mp3 https://x/a.mp3", [link("https://x/a.mp3", "audio/mpeg", "a.mp3")], ""),
        ("https://x/a", [link("https://x/a", "application/octet-stream", "a")], ""),
        ("See https://x/a for our rules.", [], "See https://x/a for our rules."),
        ("", [], ""),
    ],
)
def test_links_in_the_text(text, files, rest):
    """A shown picture, or a text that is nothing but links, is files; a sentence is not."""
    assert Made(tuple(files), rest) == made(Reply(text=text))


def test_files_go_before_links():
    """Who gave a file is not searched for links."""
    reply = Reply(text="\n![a](https://x/a.webp)", files=(PICTURE,))

    assert Made((PICTURE,), "![a](https://x/a.webp)") == made(reply)


def test_what_was_only_shown_for_a_while():
    """A picture that a later one replaced is no part of the answer; the last always is."""
    notes = tuple(Note("preview", {"url": file.url}) for file in (PICTURE, LATER))

    assert (LATER,) == made(Reply(files=(PICTURE, LATER), notes=notes)).files
    assert (PICTURE,) == made(Reply(files=(PICTURE,), notes=notes)).files
    assert (PICTURE, LATER) == made(Reply(files=(PICTURE, LATER))).files


@pytest.mark.parametrize(
    ("text", "gives", "code", "message"),
    [
        ("No. ", "image", "content_policy_violation", "No."),
        ("", "image", "no_file_in_answer", "The bot 'B' made no file."),
        ("x" * 9000, "video", "content_policy_violation", "x" * 2000),
    ],
)
def test_a_refusal(text, gives, code, message):
    """The bot's own words are the error; asking again would only cost again."""
    error = no_file(text, Profile(bot="B", output_modalities=(gives,)))

    assert (code, message, False) == (error.code, error.message, error.may_succeed_later)
    assert 400 == error.rule.status


@pytest.mark.parametrize(("text", "words"), [(" A cat. ", " It said: 'A cat.'"), ("", "")])
def test_a_bot_that_only_talks(text, words):
    """Its words alone would not tell that the model is what is wrong, nor where others are."""
    error = no_file(text, Profile(bot="B"))
    expected = (
        "The bot 'B' made no file. GET /v1/models tells by architecture.output_modalities which "
        f"bots make files.{words}"
    )

    assert ("no_file_in_answer", "model", expected) == (error.code, error.param, error.message)


def test_usage_is_summed():
    """Several answers cost what each of them cost."""
    usages = [Usage(prompt_tokens=1, completion_tokens=2), Usage(prompt_tokens=3)]

    assert {"input_tokens": 4, "output_tokens": 2, "total_tokens": 6} == usage_of(usages)


def test_links_to_files():
    """A link says what the bot said of the file."""
    assert [Loaded(url=PICTURE.url, content_type="image/png")] == as_links([PICTURE])
