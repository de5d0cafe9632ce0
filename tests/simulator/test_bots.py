import dataclasses

import pytest

from poeflask.core import json_text
from poeflask.simulator.bots import BOTS
from poeflask.simulator.media import FILM, Media, picture, sound
from poeflask.simulator.roster import ROSTER
from poeflask.simulator.steps import (
    DONE,
    Event,
    Publish,
    Wait,
    file_event,
    replacement,
    text,
)
from tests.simulator.queries import query, said, user


def steps(name, *messages, **fields):
    """What a bot does with these messages."""
    return list(ROSTER[name].act(query(*messages, **fields)))


@pytest.mark.parametrize("bot", BOTS, ids=lambda bot: bot.name)
def test_every_good_bot_says_something_and_is_done_once(bot):
    """A bot that behaves well ends with one done, after at least one event."""
    got = list(bot.act(query(user("Hello there"))))

    assert DONE == got[-1]
    assert 1 == got.count(DONE)
    assert len(got) > 1


@pytest.mark.parametrize("bot", BOTS, ids=lambda bot: bot.name)
def test_every_good_bot_shows_only_files_that_it_published(bot):
    """Every file event is preceded by the file itself."""
    published = []
    for step in bot.act(query(user("Hello there"))):
        if isinstance(step, Publish):
            published.append("http://127.0.0.1" + step.media.path)
        if isinstance(step, Event) and step.name == "file":
            assert step.data["url"] in published


def test_echo_says_what_was_said():
    """Echo repeats the last message word by word."""
    assert [text("Hello "), text("there"), DONE] == steps("echo", user("Hello there"))


def test_echo_needs_words():
    """Echo says something also if nothing was said, since an answer may not be empty."""
    assert "You said nothing." == said(iter(steps("echo", user(""))))


def test_mirror_shows_the_query_without_keys():
    """Mirror gives the query back as JSON, but no key."""
    shown = said(iter(steps("mirror", user("hi"), api_key="secret", temperature=0.5)))

    seen = json_text.read(shown.removeprefix("```json\n").removesuffix("\n```"))
    assert {
        "version": "1.2",
        "type": "query",
        "query": [{"role": "user", "content": "hi"}],
        "temperature": 0.5,
    } == seen


def test_counter_counts_by_role():
    """Counter tells how many messages of each role there are."""
    got = steps("counter", {"role": "system", "content": ""}, user("a"), user("b"))

    assert [text("system: 1, user: 2"), DONE] == got


def test_slow_talker_keeps_the_pace_it_is_given():
    """Words, interval and first pause follow the message's parameters."""
    pace = {"words": 2, "interval_ms": 50, "first_ms": 200}
    got = steps("slow-talker", user("go", parameters=pace))

    assert [Wait(0.2), text("word 1, "), Wait(0.05), text("word 2."), Wait(0.05), DONE] == got


def test_thinker_quotes_its_thoughts():
    """Reasoning is a quote block under its title, the answer stands below without a quote."""
    shown = said(iter(steps("thinker", user("Hello there"))))

    assert (
        "*Thinking...*\n\n> **Reading the question**\n> \n> The user wrote 2 words.\n> \n"
        "> **Answering** A short answer will do.\n\nYou said: Hello there"
    ) == shown


def test_think_tags_tags_its_thoughts():
    """Reasoning stands between think tags."""
    shown = said(iter(steps("think-tags", user("Hello there"))))

    assert "<think>\nThe user wrote 2 words.\n</think>\n\nYou said: Hello there" == shown


def test_reviser_writes_everything_anew():
    """Each step of Reviser is a whole text; the last is the answer."""
    got = steps("reviser", user("one two"))

    drafts = [replacement("███ ███ "), replacement("one ███ "), replacement("one two")]
    assert [*drafts, DONE] == got


def test_status_painter_replaces_its_status_lines():
    """Status lines come as replacements, then the picture, then the text that cites it."""
    made = picture("a cat")
    link = "http://127.0.0.1" + made.path

    assert [
        replacement("Generating image (1s elapsed)..."),
        Wait(0.0),
        replacement("Generating image (2s elapsed)..."),
        Wait(0.0),
        replacement("Generating image (3s elapsed)..."),
        Wait(0.0),
        Publish(made),
        file_event(link, made, "ref1"),
        replacement("![image.png][ref1]"),
        DONE,
    ] == steps("status-painter", user("a cat"))


def test_painter_paints_as_many_as_asked():
    """The parameters set number and shape of the pictures; each is cited after its file."""
    wish = {"num_images": 2, "aspect": "16:9"}
    got = steps("painter", user("a cat", parameters=wish))

    first, second = picture("a cat 1", 128, 72), picture("a cat 2", 128, 72)
    assert [Publish(first), Publish(second)] == [s for s in got if isinstance(s, Publish)]
    assert "![image.png][ref1]\n![image.png][ref2]\n" == said(iter(got))


def test_link_painter_shows_a_link_and_no_file_event():
    """The picture is told of by a Markdown link only."""
    made = picture("a cat")
    link = text(f"![image.png](http://127.0.0.1{made.path})")

    assert [Publish(made), link, DONE] == steps("link-painter", user("a cat"))


@pytest.mark.parametrize(("bot", "made"), [("speaker", sound("Hello")), ("film-maker", FILM)])
def test_sound_and_film_are_files_without_words(bot, made):
    """What is heard or watched comes as a file that no text cites."""
    got = steps(bot, user("Hello"))

    assert file_event("http://127.0.0.1" + made.path, made) in got
    assert "" == said(iter(got))


def test_link_speaker_gives_the_bare_link():
    """The sound is told of by nothing but its link."""
    got = said(iter(steps("link-speaker", user("Hello"))))

    assert "http://127.0.0.1" + sound("Hello").path == got


def test_reader_reads_text_and_measures_the_rest():
    """Text files are read out, others measured, links elsewhere named."""
    kept = {"own-text": Media(b"so it is", "text/plain", "x"), "own-picture": picture("a")}
    sent = [
        {"url": "own-text", "content_type": "text/plain", "name": "a.txt"},
        {"url": "own-picture", "content_type": "image/png", "name": "b.png"},
        {"url": "other", "content_type": "image/png", "name": "c.png"},
    ]
    asked = dataclasses.replace(query(user("read", attachments=sent)), file_at=kept.get)

    size = len(picture("a").content)
    assert (
        f"a.txt (text/plain) says:\nso it is\nb.png (image/png) has {size} bytes.\n"
        "c.png (image/png) is a link.\n"
    ) == said(ROSTER["reader"].act(asked))


def test_listener_hears_sounds_only():
    """A sound is written down; without one nothing is heard."""
    heard = [{"url": "own", "content_type": "audio/wav", "name": "a.wav"}]
    asked = dataclasses.replace(
        query(user("", attachments=heard)), file_at={"own": sound("hi")}.get
    )

    assert "A tone of 844 bytes." == said(ROSTER["listener"].act(asked))
    assert "I hear nothing." == said(iter(steps("listener", user("hm"))))


def test_suggestions_are_not_part_of_the_answer():
    """Suggester's proposals are events of their own."""
    got = steps("suggester", user("hi"))

    assert "hi" == said(iter(got))
    assert Event("suggested_reply", {"text": "Thank you."}) in got


def test_meta_is_first_and_data_last():
    """Meta's first event is meta; bot data comes before done."""
    got = steps("meta", user("hi"))

    assert Event("meta", {"content_type": "text/plain", "suggested_replies": True}) == got[0]
    assert Event("data", {"metadata": "remember this"}) == got[-2]


def test_parallel_answers_take_turns():
    """Two answers are told apart by their index."""
    got = steps("parallel", user("hi"))

    assert [
        Event("text", {"text": "First: ", "index": 0}),
        Event("text", {"text": "Second: ", "index": 1}),
        Event("text", {"text": "hi", "index": 0}),
        Event("text", {"text": "hi", "index": 1}),
        DONE,
    ] == got


def test_step_painter_shows_its_steps():
    """Each step is a picture of its own that takes the place of the one before."""
    got = steps("step-painter", user("a cat"))

    sizes = [16, 32, 48]
    assert [Publish(picture("a cat", size, size)) for size in sizes] == [
        step for step in got if isinstance(step, Publish)
    ]
    assert [replacement(f"![image.png][step{number}]") for number in (1, 2, 3)] == [
        step for step in got if getattr(step, "name", "") == "replace_response"
    ]


def test_painters_that_make_nothing_usable():
    """One refuses in words, one shows what lies in its reader's own network."""
    assert "I cannot make that: it is against my rules." == said(
        iter(steps("refuser", user("a cat")))
    )
    assert "![picture](http://169.254.169.254/latest/picture.png)" == said(
        iter(steps("foreign-painter", user("a cat")))
    )


def test_scribe_needs_something_to_hear():
    """Without a sound file there is nothing to write down."""
    assert "There is nothing to hear." == said(iter(steps("scribe", user("Write it down."))))
