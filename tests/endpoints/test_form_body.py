"""Forms as the JSON bodies that say the same."""

import pytest
from marshmallow import fields

from poeflask.core.errors import ClientError
from poeflask.core.form import FormFile
from poeflask.core.prompt import File
from poeflask.endpoints.form_body import as_body, as_file
from poeflask.endpoints.shapes import Envelope, Flag, Number, Table, Whole, WordList, Words


class Body(Envelope):
    """A body with a field of each kind."""

    n = Whole(0, 9)
    share = Number(0, 1)
    stream = Flag()
    word = Words()
    words = WordList(9)
    table = Table()
    raw = fields.Raw()


@pytest.mark.parametrize(
    ("texts", "body"),
    [
        ([("n", "3")], {"n": 3}),
        ([("n", " 3 ")], {"n": 3}),
        ([("n", "three")], {"n": "three"}),
        ([("n", "1e3")], {"n": "1e3"}),
        ([("n", "")], {"n": None}),
        ([("share", "0.5")], {"share": 0.5}),
        ([("share", "-1")], {"share": -1}),
        ([("stream", "True")], {"stream": True}),
        ([("stream", "false")], {"stream": False}),
        ([("stream", "1")], {"stream": "1"}),
        ([("word", "3")], {"word": "3"}),
        ([("words", "a")], {"words": ["a"]}),
        ([("words[]", "a"), ("words[]", "b")], {"words": ["a", "b"]}),
        ([("words", "a"), ("words", "b")], {"words": ["a", "b"]}),
        ([("table[model]", "x"), ("table[size]", "1")], {"table": {"model": "x", "size": "1"}}),
        ([("raw", "a"), ("raw[b]", "c")], {"raw": "a"}),
        ([("raw[b]", "c"), ("raw[]", "a")], {"raw": {"b": "c"}}),
        ([("strange", "7")], {"strange": "7"}),
        ([("strange", "")], {"strange": ""}),
        ([("odd]name[", "7")], {"odd]name[": "7"}),
        ([("word", "first"), ("word", "last")], {"word": "last"}),
    ],
)
def test_texts_become_what_the_schema_wants(texts, body):
    """Numbers and switches are read where they are wanted; what is none stays a text."""
    assert body == as_body(Body(), texts)


def test_a_file():
    """Content becomes base64; name and type stay."""
    sent = FormFile(key="image[]", name="a.png", content_type="image/png", content=b"\x00\xff")

    assert File(base64="AP8=", content_type="image/png", name="a.png") == as_file(sent)


def test_an_empty_file():
    """An empty file is an error that names its field."""
    with pytest.raises(ClientError) as caught:
        as_file(FormFile(key="image[]", name="a.png"))

    assert "image" == caught.value.param
