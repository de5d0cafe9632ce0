"""Judgements become moderation objects that OpenAI's own client reads."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types import ModerationCreateResponse

from poeflask.core import json_text
from poeflask.core.errors import ErrorKind, PoeError
from poeflask.core.prompt import File, Text
from poeflask.core.reply import Reply, ReplyMeta
from poeflask.endpoints.moderations.decode import Piece
from poeflask.endpoints.moderations.encode import moderation
from poeflask.endpoints.moderations.schema import CATEGORIES

META = ReplyMeta(id="modr-1", created=1, model="Judge")
TEXT: tuple[Piece, ...] = (Text("x"),)
PICTURE: tuple[Piece, ...] = (File(url="https://example.com/a.png"),)


def judged(pieces: tuple[Piece, ...], **scores: Any) -> dict[str, Any]:
    """The one result of an input with these scores and 0 for the rest."""
    everything = dict.fromkeys(CATEGORIES, 0) | {n.replace("_", "/"): s for n, s in scores.items()}
    reply = Reply(text=json_text.write(everything))
    result: dict[str, Any] = moderation(META, [pieces], [reply])["results"][0]
    return result


def test_all_maps_are_whole():
    """The SDK finds every category in each of them."""
    reply = Reply(text=json_text.write(dict.fromkeys(CATEGORIES, 0.25)))
    read = ModerationCreateResponse.model_validate(
        moderation(META, [TEXT, TEXT], [reply, reply]), strict=True
    )

    assert ("modr-1", "Judge", 2) == (read.id, read.model, len(read.results))
    assert {0.25} == set(read.results[0].category_scores.model_dump().values())
    assert not read.results[0].flagged


def test_an_input_is_flagged_from_half_on():
    """By any category."""
    result = judged(TEXT, hate=0.5, violence=0.49)

    assert result["flagged"]
    assert ["hate"] == [name for name in CATEGORIES if result["categories"][name]]
    assert not judged(TEXT, hate=0.49)["flagged"]


def test_some_categories_do_not_judge_pictures():
    """Without a text these do not apply, whatever the bot says of them."""
    result = judged(PICTURE, hate=1, violence=1)

    assert ([], ["image"]) == (
        result["category_applied_input_types"]["hate"],
        result["category_applied_input_types"]["violence"],
    )
    assert (0, 1) == (result["category_scores"]["hate"], result["category_scores"]["violence"])
    both = judged((*TEXT, *PICTURE))["category_applied_input_types"]
    assert (["text"], ["text", "image"]) == (both["hate"], both["sexual"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I cannot judge that.",
        "[]",
        "{}",
        json_text.write(dict.fromkeys(CATEGORIES[1:], 0)),
        json_text.write(dict.fromkeys(CATEGORIES, True)),
        json_text.write(dict.fromkeys(CATEGORIES, "0")),
        json_text.write(dict.fromkeys(CATEGORIES, 1.1)),
    ],
)
def test_what_is_no_judgement_is_an_error(text: str):
    """An answer that was cut off is never taken for "harmless"."""
    with pytest.raises(PoeError) as caught:
        moderation(META, [TEXT], [Reply(text=text)])

    assert ErrorKind.WRONG_SHAPE == caught.value.kind
