"""Bots that behave well, one for each way in which Poe's bots answer. Tools: see `tool_bots`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from poeflask.core import json_text
from poeflask.simulator.bot import Bot, Knob
from poeflask.simulator.media import FILM, Media, picture, sound
from poeflask.simulator.query import Attachment, Query
from poeflask.simulator.steps import (
    DONE,
    Event,
    Publish,
    Step,
    Steps,
    Wait,
    file_event,
    replacement,
    spoken,
    text,
    words,
)

NOTHING_SAID = "You said nothing."


def echo(query: Query) -> Steps:
    """Says what you said, word by word, at the pace of parameter interval_ms."""
    pause = Wait(query.number("interval_ms", 0, most=600_000) / 1000)
    for event in spoken(query.words or NOTHING_SAID):
        yield event
        if pause.duration_s:
            yield pause
    yield DONE


def mirror(query: Query) -> Steps:
    """Shows the query that it got, as JSON, without keys."""
    seen = {name: value for name, value in query.body.items() if not name.endswith("_key")}
    yield text(f"```json\n{json_text.write(seen)}\n```")
    yield DONE


def slow_talker(query: Query) -> Steps:
    """Counts words at a pace: parameters words, interval_ms, first_ms."""
    count = int(query.number("words", 20, most=100_000))
    interval_s = query.number("interval_ms", 100, most=600_000) / 1000
    yield Wait(query.number("first_ms", 0, most=600_000) / 1000)
    for number in range(1, count + 1):
        yield text(f"word {number}{'.' if number == count else ', '}")
        yield Wait(interval_s)
    yield DONE


THOUGHTS = "\n".join(
    (
        "*Thinking...*",
        "",
        "> **Reading the question**",
        "> ",
        "> The user wrote {count} words.",
        "> ",
        "> **Answering** A short answer will do.",
        "",
        "",
    )
)
"""Reasoning as Poe shows it; the blank lines of the quote end in a blank."""


def thinker(query: Query) -> Steps:
    """Thinks in a quote block under "Thinking...", as Poe shows reasoning, then answers."""
    thoughts = THOUGHTS.format(count=len(query.words.split()))
    yield from spoken(f"{thoughts}You said: {query.words or NOTHING_SAID}")
    yield DONE


def think_tags(query: Query) -> Steps:
    """Thinks between think tags, as open models do, then answers."""
    thoughts = f"<think>\nThe user wrote {len(query.words.split())} words.\n</think>\n\n"
    yield from spoken(f"{thoughts}You said: {query.words or NOTHING_SAID}")
    yield DONE


def reviser(query: Query) -> Steps:
    """Writes the whole answer anew with every step, as diffusion models do."""
    whole = words(query.words or NOTHING_SAID)
    for known in range(0, len(whole), max(1, len(whole) // 4)):
        hidden = ["█" * len(word.strip()) + " " for word in whole[known:]]
        yield replacement("".join([*whole[:known], *hidden]))
    yield replacement("".join(whole))
    yield DONE


def status_painter(query: Query) -> Steps:
    """Tells how long it has been painting, then shows the picture; parameter interval_ms."""
    interval_s = query.number("interval_ms", 0, most=60_000) / 1000
    for seconds in range(1, 4):
        yield replacement(f"Generating image ({seconds}s elapsed)...")
        yield Wait(interval_s)
    yield from _shown(query, picture(query.words), "ref1")
    yield replacement("![image.png][ref1]")
    yield DONE


def step_painter(query: Query) -> Steps:
    """Shows how its picture becomes clear, step by step; parameter interval_ms."""
    interval_s = query.number("interval_ms", 0, most=60_000) / 1000
    for step in range(1, 4):
        yield from _shown(query, picture(query.words, 16 * step, 16 * step), f"step{step}")
        yield replacement(f"![image.png][step{step}]")
        yield Wait(interval_s)
    yield DONE


def foreign_painter(query: Query) -> Steps:
    """Shows a picture that lies within the network of whoever looks."""
    yield text("![picture](http://169.254.169.254/latest/picture.png)")
    yield DONE


def refuser(query: Query) -> Steps:
    """Makes no picture and says why not."""
    yield from spoken("I cannot make that: it is against my rules.")
    yield DONE


SIZES = {"1:1": (64, 64), "3:2": (96, 64), "2:3": (64, 96), "16:9": (128, 72), "9:16": (72, 128)}
"""The pictures' width and height by aspect ratio."""


def painter(query: Query) -> Steps:
    """Paints a picture, or several: parameters aspect, num_images; cites them in its text."""
    width, height = SIZES.get(str(query.parameters.get("aspect")), SIZES["1:1"])
    for number in range(1, int(query.number("num_images", 1, most=4)) + 1):
        painted = picture(f"{query.words} {number}", width, height)
        yield from _shown(query, painted, f"ref{number}")
        yield text(f"![image.png][ref{number}]\n")
    yield DONE


def link_painter(query: Query) -> Steps:
    """Paints a picture and tells of it by a Markdown link only."""
    painted = picture(query.words)
    yield Publish(painted)
    yield text(f"![image.png]({query.link(painted)})")
    yield DONE


def speaker(query: Query) -> Steps:
    """Makes a sound of the text and gives it as a file without words."""
    yield from _shown(query, sound(query.words))
    yield DONE


def link_speaker(query: Query) -> Steps:
    """Makes a sound of the text and tells of it by the bare link only."""
    spoken_text = sound(query.words)
    yield Publish(spoken_text)
    yield text(query.link(spoken_text))
    yield DONE


def film_maker(query: Query) -> Steps:
    """Makes a film of one second and gives it as a file; parameter interval_ms."""
    yield replacement("Generating video (1s elapsed)...")
    yield Wait(query.number("interval_ms", 0, most=60_000) / 1000)
    yield replacement("")
    yield from _shown(query, FILM)
    yield DONE


def reader(query: Query) -> Steps:
    """Tells which files it got, and what stands in those that are text."""
    files = query.last.attachments
    if not files:
        yield from spoken("You sent no file.")
    for attachment in files:
        yield from spoken(_description(query, attachment))
    yield DONE


def listener(query: Query) -> Steps:
    """Writes down what it hears in a sound file: how long it is."""
    heard = [query.file_at(a.url) for a in query.last.attachments]
    sounds = [one for one in heard if one is not None and one.kind == "audio"]
    for one in sounds:
        yield from spoken(f"A tone of {len(one.content)} bytes.")
    if not sounds:
        yield from spoken("I hear nothing.")
    yield DONE


CUES = (("00:00:00", "00:00:01", "This is"), ("00:00:01", "00:00:02", "what I heard."))


def scribe(query: Query) -> Steps:
    """Writes down a sound file, with times if asked for SubRip or WebVTT; always the same words."""
    sounds = [a for a in query.last.attachments if a.content_type.startswith("audio/")]
    if not sounds:
        yield from spoken("There is nothing to hear.")
    elif "SubRip" in query.words:
        yield from spoken("\n".join(f"{_cue(*cue, ',')}\n" for cue in CUES))
    elif "WebVTT" in query.words:
        cues = "\n".join(f"{_cue(*cue, '.')}\n" for cue in CUES)
        yield from spoken(f"```vtt\nWEBVTT\n\n{cues}```")
    else:
        yield from spoken(" ".join(said for _, _, said in CUES))
    yield DONE


def _cue(start: str, end: str, said: str, comma: str) -> str:
    return f"{start}{comma}000 --> {end}{comma}500\n{said}"


def suggester(query: Query) -> Steps:
    """Answers and suggests what you could say next."""
    yield from spoken(query.words or NOTHING_SAID)
    yield Event("suggested_reply", {"text": "Tell me more."})
    yield Event("suggested_reply", {"text": "Thank you."})
    yield DONE


def meta(query: Query) -> Steps:
    """Begins with a meta event that asks for plain text, and ends with bot data."""
    yield Event("meta", {"content_type": "text/plain", "suggested_replies": True})
    yield from spoken(query.words or NOTHING_SAID)
    yield Event("data", {"metadata": "remember this"})
    yield DONE


def parallel(query: Query) -> Steps:
    """Gives two answers at once, numbered 0 and 1, word by word in turns."""
    said = query.words or NOTHING_SAID
    for left, right in zip_longest(words(f"First: {said}"), words(f"Second: {said}")):
        yield from (
            Event("text", {"text": word, "index": index})
            for index, word in enumerate((left, right))
            if word is not None
        )
    yield DONE


def counter(query: Query) -> Steps:
    """Says only how many messages it got, by role."""
    roles = [message.role for message in query.messages]
    yield text(", ".join(f"{role}: {roles.count(role)}" for role in dict.fromkeys(roles)))
    yield DONE


def _shown(query: Query, media: Media, inline_ref: str | None = None) -> Iterator[Step]:
    yield Publish(media)
    yield file_event(query.link(media), media, inline_ref)


def _description(query: Query, attachment: Attachment) -> str:
    title = f"{attachment.name} ({attachment.content_type})"
    media = query.file_at(attachment.url)
    if media is None:
        return f"{title} is a link.\n"
    if media.kind == "text":
        return f"{title} says:\n{media.content.decode('utf-8', 'replace')}\n"
    return f"{title} has {len(media.content)} bytes.\n"


def _number(name: str, default: float) -> Knob:
    return Knob(name, {"type": "number", "minimum": 0}, default)


_INTERVAL = _number("interval_ms", 0)
_VOICE = Knob("voice", {"enum": ["Alto", "Bass"]}, "Alto", "The voice's name.")

BOTS = (
    Bot("Echo", echo),
    Bot("Mirror", mirror),
    Bot("Counter", counter),
    Bot(
        "Slow-Talker",
        slow_talker,
        knobs=(_number("words", 20), _number("interval_ms", 100), _number("first_ms", 0)),
    ),
    Bot(
        "Thinker",
        thinker,
        knobs=(
            Knob("reasoning_effort", {"enum": ["none", "low", "medium", "high"]}, "medium"),
            Knob("thinking_budget", {"type": "number", "minimum": 0, "maximum": 31_999}, 1024),
            Knob("web_search", {"type": "boolean"}, default=False),
        ),
    ),
    Bot("Think-Tags", think_tags, knobs=(Knob("enable_thinking", {"type": "boolean"}, True),)),
    Bot("Reviser", reviser),
    Bot("Status-Painter", status_painter, gives=("image",), knobs=(_INTERVAL,)),
    Bot(
        "Painter",
        painter,
        takes=("text", "image"),
        gives=("image",),
        knobs=(
            Knob("aspect", {"enum": list(SIZES)}, "1:1", "Width to height."),
            Knob("num_images", {"type": "number", "minimum": 1, "maximum": 4}, 1),
            Knob("quality", {"enum": ["low", "medium", "high"]}, "high"),
            Knob("use_mask", {"type": "boolean"}, default=False),
        ),
    ),
    Bot("Link-Painter", link_painter, gives=("image",)),
    Bot("Step-Painter", step_painter, gives=("image",), knobs=(_INTERVAL,)),
    Bot("Foreign-Painter", foreign_painter, gives=("image",)),
    Bot("Refuser", refuser, gives=("image",)),
    Bot("Speaker", speaker, gives=("audio",), knobs=(_VOICE,)),
    Bot("Link-Speaker", link_speaker, gives=("audio",), knobs=(_VOICE,)),
    Bot(
        "Film-Maker",
        film_maker,
        takes=("text", "image"),
        gives=("video",),
        knobs=(
            Knob("duration", {"enum": ["4", "8", "12"]}, "4", "Seconds."),
            Knob("aspect_ratio", {"enum": ["16:9", "9:16"]}, "16:9"),
            _INTERVAL,
        ),
    ),
    Bot("Reader", reader, takes=("text", "image", "audio", "video")),
    Bot("Listener", listener, takes=("text", "audio")),
    Bot("Scribe", scribe, takes=("text", "audio")),
    Bot("Suggester", suggester),
    Bot("Meta", meta),
    Bot("Parallel", parallel),
)
