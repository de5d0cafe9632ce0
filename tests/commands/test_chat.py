"""Asking a bot in the terminal; the simulator answers."""

import json

import pytest
from click.testing import CliRunner, Result

from poeflask.commands import chat
from poeflask.settings import Settings


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command with nothing in the environment but a state folder."""
    for row in Settings.describe():
        monkeypatch.delenv(row.variable, raising=False)
    monkeypatch.delenv("POE_API_KEY", raising=False)
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("POEFLASK_STORE_URL", "memory")

    def run(*arguments: str, **more: object) -> Result:
        return CliRunner().invoke(chat.chat, arguments, **more)

    return run


def test_a_question_is_answered(run):
    """The words are the question; the answer is all that is printed."""
    assert "Hello there!\n" == run("Hello", "there!").output


def test_a_pipe_stands_behind_the_words(run):
    """So that a text can be asked about."""
    assert "What is this?\n\nA file.\n" == run("What is this?", input="A file.\n").output


def test_thoughts_come_before_the_answer(run):
    """They are shown apart from what the bot says."""
    output = run("-m", "Thinker", "Why?").output
    thoughts, _, answer = output.partition("\n\n")

    assert (True, True) == (bool(thoughts.strip()), bool(answer.strip()))


def test_an_answer_as_json(run):
    """One object with the answer, and without the thoughts."""
    told = json.loads(run("--json", "Hello!").output)

    assert ("Echo", "Hello!") == (told["model"], told["answer"])
    assert told["usage"]["total_tokens"] > 0


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_a_refusal_is_told(run, as_json):
    """A bot that is not there is a sentence and exit code 1."""
    result = run(*as_json, "-m", "No-Such-Bot", "Hello!")

    assert 1 == result.exit_code
    assert result.stderr.startswith("Error: ")


def test_without_a_key_and_a_simulator_nothing_can_be_asked(run):
    """The sentence says how to give a key; it is a mistake of usage."""
    result = run("Hello!", env={"POEFLASK_SIMULATOR": "off"})

    assert 2 == result.exit_code
    assert "--key" in result.stderr


def test_a_conversation_remembers(tmp_path):
    """What was said before is sent again; a question without an answer is not."""
    settings = Settings(store_url="memory", state_dir=tmp_path, log_level="error")
    talk = chat.Conversation(chat._client(settings), "demo", "Echo")

    first = "".join(piece.text for piece in talk.ask("One."))
    talk.model = "No-Such-Bot"
    with pytest.raises(chat.Refused):
        list(talk.ask("Lost."))

    assert "One." == first
    assert [("user", "One."), ("assistant", "One.")] == [
        (message["role"], message["content"]) for message in talk.messages
    ]


def test_an_answer_that_is_stopped_is_forgotten(tmp_path):
    """Closing the pieces ends the answer and takes back the question."""
    settings = Settings(store_url="memory", state_dir=tmp_path, log_level="error")
    talk = chat.Conversation(chat._client(settings), "demo", "Slow-Talker")

    pieces = talk.ask("Tell me everything.")
    next(pieces)
    pieces.close()

    assert [] == talk.messages
