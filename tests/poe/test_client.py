"""Tests of the way to Poe, against a server that may do anything."""

import json
import time
import weakref

import gevent
import pytest

from poeflask.core.errors import ClientError, ErrorKind, OwnError, PoeError
from poeflask.core.reply import Finish, TextDelta, gather
from poeflask.poe.client import Attachment

from .conftest import DONE, SSE, A, B, ask, chunked, head, sized, told

# Queries


def test_a_query_is_one_post(poe, connect):
    """The bot's name is quoted, the key is a bearer token, nothing is compressed."""
    poe.answers.append(chunked(A, DONE))
    got = told(connect(poe.url + "/"), "GPT 4/ü", "k")

    assert [TextDelta("a"), Finish("stop")] == got
    (request,) = poe.requests
    assert (request["method"], request["path"]) == ("POST", "/bot/GPT%204%2F%C3%BC")
    assert json.loads(request["body"]) == {"x": "é"}
    headers = request["headers"]
    assert headers["authorization"] == "Bearer k"
    assert headers["accept-encoding"] == "identity"
    assert headers["user-agent"] == "test"


@pytest.mark.parametrize("bot", ["", ".", ".."])
def test_a_name_is_never_another_path(poe, connect, bot):
    """What would lead elsewhere is no bot."""
    with pytest.raises(PoeError) as raised:
        ask(connect(poe.url), bot)

    assert raised.value.kind == ErrorKind.UNKNOWN_MODEL
    assert poe.requests == []


def test_a_name_may_hold_anything(poe, connect):
    """Poe says whether there is such a bot, even for half a character."""
    poe.answers.append(chunked(DONE))
    ask(connect(poe.url), "../a\r\n\ud83d")

    assert poe.requests[0]["path"] == "/bot/..%2Fa%0D%0A%3F"


def test_the_question_is_let_go_once_it_is_answered(poe, connect):
    """A long answer does not keep a long question in memory."""

    class Question(dict):
        """Can be watched."""

    poe.answers.append(chunked(A, end=b""))
    question = Question(a=1)
    watched = weakref.ref(question)
    batches = connect(poe.url).query("Bot", question, "key")
    del question
    next(batches)

    assert watched() is None


def test_it_is_told_when_the_question_has_left(poe, connect):
    """Before anything has come back, so that nobody waits with it for the bot."""
    told_s = []

    def answer(sock):
        gevent.sleep(0.05)
        sock.sendall(chunked(DONE))

    poe.answers.append(answer)
    batches = connect(poe.url).query("Bot", {"x": "y"}, "key", lambda: told_s.append(time.time()))
    assert [] == told_s
    next(batches)

    assert 1 == len(told_s)
    assert time.time() - told_s[0] >= 0.04
    assert {"x": "y"} == json.loads(poe.requests[0]["body"])


def test_answers_share_a_connection(poe, connect):
    """One after the other, all queries use the same connection."""
    poe.answers += [chunked(A, DONE)] * 5
    client = connect(poe.url)
    for _ in range(5):
        ask(client)

    assert poe.connections == 1


def test_a_connection_that_was_closed_meanwhile_is_made_anew(poe, connect):
    """Poe closes idle connections; the next answer does not suffer."""
    poe.hang_up = True
    poe.answers += [chunked(A, DONE)] * 2
    client = connect(poe.url)
    ask(client)
    gevent.sleep(0.02)

    assert [TextDelta("a"), Finish("stop")] == told(client)
    assert poe.connections == 2


def test_nothing_is_sent_before_the_first_read(poe, connect):
    """An answer that nobody reads costs no points."""
    connect(poe.url).query("Bot", {}, "key")
    gevent.sleep(0.01)

    assert poe.connections == 0


def test_an_answer_that_is_not_read_on_after_its_end_gives_its_connection_back(poe, connect):
    """Whoever stops at the end event costs no connection."""
    poe.answers += [chunked(A + DONE)] * 2
    client = connect(poe.url)
    for _ in range(2):
        batches = client.query("Bot", {}, "key")
        next(batches)
        batches.close()

    assert poe.connections == 1


# Before the answer


def refused(client, **query):
    """The error that a query raises."""
    with pytest.raises((PoeError, OwnError, ClientError)) as raised:
        ask(client, **query)
    return raised.value


def test_a_refusal_is_raised_with_its_reason(poe, connect):
    """Status, sentence and waiting time are Poe's."""
    body = json.dumps({"error": {"message": "Slow down"}}).encode()
    poe.answers.append(sized(body, 429, Retry_After=7))

    error = PoeError(ErrorKind.RATE_LIMITED, "Slow down", retry_after_s=7.0)
    assert error == refused(connect(poe.url))


def test_a_refusal_of_another_kind_than_events_is_raised(poe, connect):
    """Status 200 alone does not make an answer."""
    poe.answers.append(sized(b"<html><title>Hi</title></html>", content_type="text/html"))
    got = refused(connect(poe.url))

    assert got.kind == ErrorKind.POE_BROKEN
    assert '"Hi"' in got.message


def test_redirects_are_not_followed(poe, connect):
    """A key is only sent where the settings say."""
    poe.answers.append(sized(b"", 307, Location=f"{poe.url}/bot/Other"))
    got = refused(connect(poe.url))

    assert got.kind == ErrorKind.POE_BROKEN
    assert "307" in got.message
    assert ["/bot/Bot"] == [request["path"] for request in poe.requests]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(head(500, Content_Length=99) + b"partly", id="cut"),
        pytest.param(head(500, Content_Length=99_999) + b"partly" + b" " * 99_993, id="long"),
    ],
)
def test_of_a_refusal_as_much_is_read_as_comes(poe, connect, answer):
    """A body that is cut or long does not hide the status."""
    poe.hang_up = True
    poe.answers.append(answer)
    got = refused(connect(poe.url))

    assert (got.kind, got.message.strip()) == (ErrorKind.POE_FAILED, "partly")


def test_a_refusal_gives_no_key_away(poe, connect):
    """Nor does a broken transport: no text of an error holds the key."""
    poe.answers.append(sized(b"no: k-1234567", 401))
    got = refused(connect(poe.url), key="k-1234567")

    assert "k-1234567" not in repr(got) + got.message


def test_nobody_there_is_unreachable(connect):
    """A refused connection says so."""
    assert refused(connect("http://127.0.0.1:9")).kind == ErrorKind.POE_UNREACHABLE


def test_a_dead_proxy_is_named(connect):
    """The way through a proxy is told from Poe itself."""
    got = refused(connect("http://127.0.0.1:9", proxy="http://127.0.0.1:9"))

    assert (got.kind, "proxy" in got.message) == (ErrorKind.POE_UNREACHABLE, True)


def test_a_hang_up_before_the_answer_is_unreachable(poe, connect):
    """No status came, so nothing was answered."""
    poe.hang_up = True
    poe.answers.append(b"")

    assert refused(connect(poe.url)).kind == ErrorKind.POE_UNREACHABLE


def test_silence_before_the_answer_is_a_timeout(poe, connect):
    """Poe took the question and said nothing."""
    poe.answers.append(b"")

    assert refused(connect(poe.url, idle_timeout_s=0.1)).kind == ErrorKind.POE_TIMEOUT


@pytest.mark.parametrize("url", ["ftp://x", "http://", "nonsense", "http://a b"])
def test_a_wrong_address_is_our_fault(connect, url):
    """The settings are wrong, not the client's request."""
    got = refused(connect(url))

    assert got.kind == ErrorKind.INTERNAL
    assert "https://api.poe.com" in got.message


@pytest.mark.parametrize("key", ["a\r\nX: y", "a\nb", "", "ключ", "a b", "a\x00"])
def test_what_cannot_be_a_key_is_sent_nowhere(poe, connect, key):
    """Nothing that could write headers of its own reaches one."""
    client = connect(poe.url)

    assert refused(client, key=key).kind == ErrorKind.UNAUTHENTICATED
    with pytest.raises(ClientError):
        client.balance(key)
    with pytest.raises(ClientError):
        client.upload_link(key, url="https://a", name="a")
    assert poe.requests == []


# One session for many keys


def test_cookies_are_not_kept(poe, connect):
    """What Poe wants to remember of one key does not reach another."""
    poe.answers += [
        head(Set_Cookie="a=b; Path=/", Content_Length=0, **SSE),
        chunked(DONE),
    ]
    client = connect(poe.url)
    ask(client)
    ask(client)

    assert "cookie" not in poe.requests[1]["headers"]


def test_the_environment_changes_nothing(poe, connect, monkeypatch, tmp_path):
    """Neither a proxy variable nor a ~/.netrc is looked at."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    poe.answers.append(chunked(DONE))
    ask(connect(poe.url))

    assert poe.requests[0]["headers"]["authorization"] == "Bearer key"


# Lists, balance, files


def test_the_list_of_bots_needs_no_key(poe, connect):
    """Entries come as Poe describes them; what is no entry is left out."""
    poe.answers.append(sized(b'{"object": "list", "data": [{"id": "a"}, 5]}'))

    assert connect(poe.url).models() == [{"id": "a"}]
    assert poe.requests[0]["path"] == "/v1/models"
    assert "authorization" not in poe.requests[0]["headers"]


@pytest.mark.parametrize("body", [b'{"data": 5}', b"[]", b"<", b"{}", b""])
def test_something_else_is_no_list_of_bots(poe, connect, body):
    """Poe's answer is looked at before it is believed."""
    poe.answers.append(sized(body))

    with pytest.raises(PoeError) as raised:
        connect(poe.url).models()
    assert raised.value.kind == ErrorKind.POE_BROKEN


def test_a_list_that_is_cut_is_broken(poe, connect):
    """Half a list is none."""
    poe.hang_up = True
    poe.answers.append(head(Content_Length=99) + b'{"data"')

    with pytest.raises(PoeError) as raised:
        connect(poe.url).models()
    assert raised.value.kind == ErrorKind.POE_BROKEN


def test_the_balance_is_asked_with_the_key(poe, connect):
    """Which is how a key can be checked."""
    poe.answers.append(sized(b'{"current_point_balance": 5}'))

    assert connect(poe.url).balance("k") == {"current_point_balance": 5}
    assert poe.requests[0]["path"] == "/usage/current_balance"
    assert poe.requests[0]["headers"]["authorization"] == "Bearer k"


def test_the_record_of_usage_is_asked_page_by_page(poe, connect):
    """With the key, and from behind the last entry on; what is no entry is left aside."""
    poe.answers += [sized(b'{"data": [{"query_id": "q"}, 5], "has_more": false}')] * 2
    client = connect(poe.url)

    assert client.usage_history("k") == [{"query_id": "q"}]
    client.usage_history("k", limit=5, after="q 1")
    assert [request["path"] for request in poe.requests] == [
        "/usage/points_history?limit=100",
        "/usage/points_history?limit=5&starting_after=q+1",
    ]
    assert poe.requests[0]["headers"]["authorization"] == "Bearer k"


def test_a_record_of_usage_that_is_none(poe, connect):
    """Is Poe's fault, told as such."""
    poe.answers.append(sized(b'{"data": {}}'))
    with pytest.raises(PoeError) as caught:
        connect(poe.url).usage_history("k")

    assert caught.value.kind is ErrorKind.POE_BROKEN


def test_connections_are_counted(poe, connect):
    """Before any was made, and when one waits to be used again."""
    poe.answers.append(sized(b'{"current_point_balance": 5}'))
    client = connect(poe.url)
    assert client.connections() == (0, 0)
    client.balance("k")

    assert client.connections() == (1, 0)


def test_a_wrong_key_has_no_balance(poe, connect):
    """Poe's word about the key is passed on."""
    poe.answers.append(sized(b'{"error": {"type": "authentication_error", "message": "No"}}', 401))

    with pytest.raises(PoeError) as raised:
        connect(poe.url).balance("k")
    assert PoeError(ErrorKind.BAD_KEY, "No") == raised.value


STORED = b'{"attachment_url": "https://p/a", "mime_type": "image/png", "size": 3}'


def test_a_file_is_sent_as_a_form(poe, connect):
    """With the bare key, as Poe's own client does, and the file's name as it is."""
    poe.answers.append(sized(STORED))
    got = connect(poe.url).upload("k", content=b"\x89\r\n", name="ü.png", content_type="image/png")

    assert got == Attachment(url="https://p/a", content_type="image/png", name="ü.png", size=3)
    (request,) = poe.requests
    assert (request["path"], request["headers"]["authorization"]) == ("/upload", "k")
    assert request["headers"]["content-length"] == str(len(request["body"]))
    assert request["headers"]["content-type"].startswith("multipart/form-data; boundary=")
    expected = (
        'Content-Disposition: form-data; name="file"; filename="ü.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    ).encode() + b"\x89\r\n\r\n"
    assert expected in request["body"]


def test_a_link_is_fetched_by_poe(poe, connect):
    """The file never passes through here."""
    poe.answers.append(sized(b'{"attachment_url": "https://p/a", "mime_type": "x/y"}'))
    got = connect(poe.url).upload_link("k", url="https://a/b?c=d", name="b")

    assert Attachment(url="https://p/a", content_type="x/y", name="b") == got
    assert (
        poe.requests[0]["body"] == b"download_url=https%3A%2F%2Fa%2Fb%3Fc%3Dd&download_filename=b"
    )


def test_a_refused_file_is_named(poe, connect):
    """So that its owner knows which of many it was."""
    poe.answers.append(sized(b'{"error": "Too big"}', 400))

    with pytest.raises(PoeError) as raised:
        connect(poe.url).upload("k", content=b"x", name="a.png", content_type="image/png")
    message = "The file 'a.png' could not be given to Poe: Too big"
    assert PoeError(ErrorKind.BOT_REJECTED, message) == raised.value


@pytest.mark.parametrize("body", [b"{}", b'{"attachment_url": "a"}', b'{"mime_type": "a"}'])
def test_a_file_that_is_nowhere_is_not_attached(poe, connect, body):
    """Poe must say where it is and what it is."""
    poe.answers.append(sized(body))

    with pytest.raises(PoeError, match=r"'a\.png'") as raised:
        connect(poe.url).upload_link("k", url="https://a", name="a.png")
    assert raised.value.kind == ErrorKind.POE_BROKEN


def test_odd_names_and_types_can_be_sent(poe, connect):
    """They come from clients and may hold anything; neither writes lines of its own."""
    poe.answers += [sized(STORED)] * 2
    client = connect(poe.url)
    client.upload("k", content=b"x", name='a"\r\nX: \ud83d', content_type="a/b\r\nX: y")
    client.upload_link("k", url="https://a/\ud83d", name="\ud83d")

    form, link = (request["body"] for request in poe.requests)
    assert b"\r\nX:" not in form
    assert b"\r\nContent-Type: application/octet-stream\r\n\r\nx\r\n" in form
    assert link == b"download_url=https%3A%2F%2Fa%2F%3F&download_filename=%3F"


def test_an_empty_file_is_not_sent(poe, connect):
    """Poe would store nothing and the bot would see nothing."""
    with pytest.raises(ClientError, match=r"'a\.txt' is empty"):
        connect(poe.url).upload("k", content=b"", name="a.txt", content_type="text/plain")
    assert poe.requests == []


def test_many_answers_at_once(poe, connect):
    """Each greenlet gets its own answer."""
    poe.answers += [chunked(A, B, DONE)] * 8
    client = connect(poe.url)
    readers = [gevent.spawn(ask, client) for _ in range(8)]
    gevent.joinall(readers, timeout=5)

    assert [gather(reader.value).text for reader in readers] == ["ab"] * 8


PNG = b"\x89PNG\r\n\x1a\n"


def test_a_file_is_fetched(poe, connect):
    """A file comes with the type that its bytes show, and without the client's key."""
    poe.answers.append(sized(PNG, content_type="text/plain"))

    assert (PNG, "image/png") == connect(poe.url).fetch(f"{poe.url}/base/image/a")
    assert b"uthorization" not in poe.requests[0]


def test_a_file_is_read_piece_by_piece(poe, connect):
    """The first piece tells the type; the size is known if the server says it."""
    poe.answers.append(sized(PNG + b"x" * 100_000, content_type="image/png"))
    file = connect(poe.url).open_file(f"{poe.url}/a")

    assert ("image/png", 100_008) == (file.content_type, file.size)
    assert PNG + b"x" * 100_000 == b"".join(file.pieces)


def test_a_file_that_is_not_read_on_is_let_go(poe, connect):
    """Closing the pieces closes the connection."""
    poe.answers.append(head(Content_Length=10_000_000, Content_Type="video/mp4") + b"x" * 1000)
    file = connect(poe.url).open_file(f"{poe.url}/a")
    next(file.pieces)
    file.pieces.close()

    assert poe.left.wait(2)


def test_files_elsewhere_are_not_asked_for(poe, connect):
    """A link to anywhere but Poe is not followed at all."""
    client = connect("http://127.0.0.1:9")
    with pytest.raises(PoeError, match="lies somewhere else") as caught:
        client.fetch(f"{poe.url}/a")

    assert not caught.value.may_succeed_later
    assert 0 == poe.connections


def test_redirects_to_files_are_not_followed(poe, connect):
    """A redirect is an answer that is no file."""
    poe.answers.append(head(302, Location=f"{poe.url}/b", Content_Length=0))

    with pytest.raises(PoeError, match="status 302"):
        connect(poe.url).fetch(f"{poe.url}/a")


def test_a_file_that_is_too_large(poe, connect, monkeypatch):
    """Reading stops at the bound."""
    monkeypatch.setattr("poeflask.poe.client.MAX_FETCHED_BYTES", 1000)
    poe.answers += [sized(b"x" * 1000), sized(b"x" * 1001)]
    client = connect(poe.url)

    assert 1000 == len(client.fetch(f"{poe.url}/a")[0])
    with pytest.raises(PoeError, match="larger than 1000 bytes"):
        client.fetch(f"{poe.url}/a")


def test_a_file_that_breaks_off(poe, connect):
    """Half a file is none."""
    poe.hang_up = True
    poe.answers.append(head(Content_Length=99, Content_Type="image/png") + PNG)

    with pytest.raises(PoeError) as caught:
        connect(poe.url).fetch(f"{poe.url}/a")

    assert ErrorKind.POE_BROKEN == caught.value.kind


def test_a_file_that_comes_too_slowly(poe, connect):
    """A whole file has a bound of time, however steadily it trickles."""

    def trickle(sock):
        sock.sendall(head(Content_Length=99, Content_Type="image/png") + PNG)
        poe.left.wait(2)

    poe.answers.append(trickle)
    with pytest.raises(PoeError, match="did not arrive within") as caught:
        connect(poe.url, fetch_timeout_s=0.2).fetch(f"{poe.url}/a")

    assert not caught.value.may_succeed_later
