"""Tokens are counted as OpenAI counts them, at bounded cost, from any thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poeflask.core.prompt import (
    File,
    Message,
    OutputFormat,
    Prompt,
    Reasoning,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from poeflask.core.tokens import FILE_TOKENS, PIECE, TokenCounter, letters
from poeflask.vocabulary import o200k

counter = TokenCounter(o200k.load)


class Letters:
    """An encoding of one token a letter that remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def encode_ordinary(self, text):
        self.asked.append(text)
        return [ord(letter) for letter in text]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("tiktoken is great!", 6),
        ("Hello, world!", 4),
        ("你好，世界", 3),
        ("<|endoftext|>", 7),
        ("\ud83d", 1),
    ],
)
def test_known_counts(text, tokens):
    """What looks like a special token is plain text, and half an emoji is counted too."""
    assert tokens == counter.count(text)


@pytest.mark.parametrize("letter", [" ", "\n", "a"])
def test_a_megabyte_of_one_letter_is_counted_in_bounded_time(letter):
    """Runs that stop tiktoken or make it slow are cut into pieces."""
    started = process_time()

    assert 0 < counter.count(letter * 1_000_000) < 1_000_000
    assert process_time() - started < 5


def test_a_text_is_encoded_in_pieces():
    """Never more at once than a piece."""
    encoding = Letters()

    assert 2 * PIECE + 1 == TokenCounter(lambda: encoding).count("é" * (2 * PIECE + 1))
    assert PIECE == max(map(len, encoding.asked))


def test_a_text_counted_before_is_not_encoded_again():
    """Only what is new in a conversation costs anything."""
    encoding = Letters()
    letters = TokenCounter(lambda: encoding)
    letters.count("a" * 1000)
    letters.count("b" * 1000)
    encoding.asked.clear()

    assert 1000 == letters.count("a" * 1000)
    assert [] == encoding.asked


def test_memory_is_bounded():
    """The text that was not asked for longest is forgotten first."""
    encoding = Letters()
    letters = TokenCounter(lambda: encoding)
    texts = [f"{number:05d}" + "x" * 300 for number in range(5000)]
    for text in texts:
        letters.count(text)
    encoding.asked.clear()
    for text in texts[-2000:]:
        letters.count(text)
    letters.count(texts[0])

    assert [texts[0]] == encoding.asked


def test_what_is_asked_for_again_and_again_is_not_forgotten():
    """However much else is counted in between."""
    encoding = Letters()
    letters = TokenCounter(lambda: encoding)
    for number in range(6000):
        letters.count(f"{number:05d}" + "x" * 300)
        letters.count("a" * 1000)

    assert 1 == encoding.asked.count("a" * 1000)


def test_an_agents_next_turn_costs_its_new_message_only():
    """What was said before is neither encoded again nor sent to the encoding in another shape."""
    encoding = Letters()
    counting = TokenCounter(lambda: encoding)
    said = tuple(Message("user", (Text(f"{number}" * 3000),)) for number in range(10, 40))
    counting.count_messages(Prompt(bot="b", messages=said))
    encoding.asked.clear()
    new = Message("user", (Text("new" * 1000),))
    counting.count_messages(Prompt(bot="b", messages=(*said, new)))

    assert ["new" * 1000] == encoding.asked


def test_threads_may_share_a_counter():
    """It is loaded once, and every count is right."""
    loaded = []
    letters = TokenCounter(lambda: loaded.append(1) or Letters())
    texts = ["x" * (number % 700) for number in range(2000)]
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(letters.count, texts))

    assert [len(text) for text in texts] == counts
    assert [1] == loaded


@settings(deadline=None)
@given(st.text(max_size=60), st.integers(0, 20))
def test_a_cut_text_is_a_start_within_the_limit(text, limit):
    """And no letter more would fit."""
    start = counter.cut(text, limit)

    assert text.startswith(start)
    assert counter.count(start) <= limit
    assert start == text or counter.count(text[: len(start) + 1]) > limit


@pytest.mark.parametrize(
    ("text", "limit", "start"),
    [("hello world", 1, "hello"), ("hello world", 2, "hello world"), ("hello", 0, "")],
)
def test_cutting_keeps_whole_words(text, limit, start):
    """As far as one token reaches."""
    assert start == counter.cut(text, limit)


def test_a_long_text_is_cut_behind_full_pieces():
    """Pieces that fit are kept whole."""
    letters = TokenCounter(Letters)

    assert PIECE + 5 == len(letters.cut("x" * PIECE * 3, PIECE + 5))


def test_messages_cost_as_in_openais_cookbook():
    """Three a message and three for the reply; a name one more."""
    hello = Message("user", (Text("tiktoken is great!"),))
    named = Message("system", (Text("Hello, world!"),), name="boss")

    assert 3 + (3 + 1 + 6) == counter.count_messages(Prompt(bot="b", messages=(hello,)))
    assert 3 + (3 + 1 + 6) + (3 + 1 + 4 + 1 + 1) == counter.count_messages(
        Prompt(bot="b", messages=(named, hello))
    )


def test_everything_that_the_bot_reads_counts():
    """Files by a fixed estimate; thoughts, calls, results, tools and the demanded form as text."""
    letters = TokenCounter(Letters)
    parts = (
        Reasoning("abc"),
        ToolCall(call_id="1", name="f", arguments="{}"),
        ToolResult(call_id="1", name="f", text="four", files=(File(url="https://x.example"),)),
        File(file_id="f"),
    )
    tool = Tool(name="f", schema={})
    custom = Tool(name="f", kind="custom", format={})
    prompt = Prompt(
        bot="b",
        messages=(Message("tool", parts),),
        tools=(tool, custom),
        output_format=OutputFormat(kind="json_schema", schema={"a": 1}),
    )
    tools = '{"name":"f","description":"","parameters":{}}{"name":"f","description":"","format":{}}'

    assert 3 + 3 + 4 + 3 + 3 + 5 + 2 * FILE_TOKENS + len(tools) + 7 == letters.count_messages(
        prompt
    )


def test_what_poeflask_says_itself_is_not_counted():
    """A client is told what its own words cost."""
    said = Message("user", (Text("hello"),))
    own = Message("system", (Text("Go on with the text."),), is_own=True)
    counter = TokenCounter(o200k.load)

    assert counter.count_messages(Prompt(bot="b", messages=(said,))) == counter.count_messages(
        Prompt(bot="b", messages=(own, said))
    )


def test_what_is_quick_is_known_once_the_encoding_is_there():
    """Loading it takes long, so that no first count is quick."""
    fresh = TokenCounter(Letters)

    assert not fresh.is_quick(1)
    fresh.count("a")
    assert fresh.is_quick(1000)
    assert not fresh.is_quick(1_000_000)


def test_the_letters_of_a_prompt_are_known_without_counting():
    """All that takes long to count is seen; a prompt with tools is never quick."""
    message = Message(
        "user",
        (
            Text("abc"),
            Reasoning("de"),
            ToolCall(call_id="1", name="f", arguments="{}"),
            ToolResult(call_id="1", text="fgh"),
            File(name="a", url="https://a"),
        ),
    )
    prompt = Prompt(bot="b", messages=(message, message))
    known = TokenCounter(Letters)
    known.count("a")

    assert 20 == letters(prompt)
    tool = Tool(name="f", description="", schema={})
    assert not known.is_quick(1 + letters(Prompt(bot="b", messages=(), tools=(tool,))))
