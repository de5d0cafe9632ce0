"""Files in: what is uploaded, what is not, and where it ends up."""

import base64
import json
from dataclasses import dataclass, field

import gevent
import pytest

from poeflask.core.errors import ClientError, ErrorKind, PoeError
from poeflask.core.prompt import File, Message, Prompt, Text, ToolResult
from poeflask.poe.attachments import Attachments, reattach

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
CDN = "https://pfst.cf2.poecdn.net/base/image/0123abcd?w=10&h=10"


@dataclass
class Held:
    url: str
    content_type: str


@dataclass
class Poe:
    """Takes files as Poe does, and remembers what it was given."""

    contents: list = field(default_factory=list)
    links: list = field(default_factory=list)
    slow_s: float = 0.0
    error: PoeError | None = None
    busy: int = 0
    busiest: int = 0

    def upload(self, key, *, content, name, content_type):
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            gevent.sleep(self.slow_s)
        finally:
            self.busy -= 1
        if self.error:
            raise self.error
        self.contents.append((key, content, name, content_type))
        return Held(f"https://poe.example/{len(self.contents)}", content_type)

    def upload_link(self, key, *, url, name):
        self.links.append((key, url, name))
        return Held(f"https://poe.example/link/{len(self.links)}", "text/html; charset=utf-8")


class Memory(dict):
    """A cache of JSON values that forgets nothing and notes for how long it was to remember."""

    def put(self, key, value, ttl_s=None):
        self[key] = json.loads(json.dumps(value))
        self.ttl_s = ttl_s


def attachments(poe, cache=None, stored=None, **options):
    """The part under test over a Poe and a cache."""
    cache = Memory() if cache is None else cache
    kept = stored or {}
    return Attachments(
        poe, cache, lookup=lambda owner, file_id: kept.get((owner, file_id)), **options
    )


def inline(content, **said):
    """A file that carries its content."""
    return File(base64=base64.b64encode(content).decode(), **said)


def asking(*files):
    """A prompt with files in the user's turn."""
    return Prompt(bot="Bot", messages=(Message("user", (Text("Look."), *files)),))


def parts_of(prompt):
    """The parts of the last message."""
    return list(prompt.messages[-1].parts)


def test_content_is_uploaded_and_becomes_a_link():
    """Poe gets the bytes, a name and the true type; the prompt holds the link alone."""
    poe = Poe()

    got = attachments(poe).attach(asking(inline(PNG)), owner="k", key="k")

    assert [("k", PNG, "image.png", "image/png")] == poe.contents
    link = File(url="https://poe.example/1", content_type="image/png", name="image.png")
    assert [Text("Look."), link] == parts_of(got)


def test_a_prompt_without_files_stays_the_same():
    """Nothing is made anew where there is nothing to do."""
    prompt = asking()

    assert prompt is attachments(Poe()).attach(prompt, owner="k", key="k")


def test_the_same_content_is_uploaded_once_under_all_its_names():
    """Within one prompt and between prompts of one owner, but not between owners."""
    poe, cache = Poe(), Memory()
    files = attachments(poe, cache, content_ttl_s=7.0)

    got = files.attach(
        asking(inline(PNG, name="a.png"), inline(PNG, name="b.png")), owner="k", key="k"
    )
    files.attach(asking(inline(PNG)), owner="k", key="k")
    files.attach(asking(inline(PNG)), owner="another", key="another")

    assert ["k", "another"] == [given[0] for given in poe.contents]
    assert ["a.png", "b.png"] == [part.name for part in parts_of(got)[1:]]
    assert 7.0 == cache.ttl_s
    assert not any("another" in place for place in cache)


def test_uploads_run_side_by_side_within_a_bound():
    """Eight files take as long as the rounds they need, never more than four at once."""
    poe = Poe(slow_s=0.01)

    got = attachments(poe, parallel=4).attach(
        asking(*(inline(PNG + bytes([n])) for n in range(8))), owner="k", key="k"
    )

    assert 4 == poe.busiest
    uploaded = {content[-1]: n + 1 for n, (_, content, _, _) in enumerate(poe.contents)}
    assert [f"https://poe.example/{uploaded[n]}" for n in range(8)] == [
        part.url for part in parts_of(got)[1:]
    ]


def test_uploads_die_with_their_caller():
    """Who goes away leaves no upload behind."""
    poe = Poe(slow_s=60)
    prompt = asking(inline(PNG), inline(PNG + b"2"))
    caller = gevent.spawn(attachments(poe).attach, prompt, owner="k", key="k")
    gevent.sleep(0.01)
    assert 2 == poe.busy

    caller.kill()

    assert 0 == poe.busy


@pytest.mark.parametrize("number", [1, 3])
def test_a_failed_upload_is_the_error_and_stops_the_others(number):
    """Poe's own error comes through unchanged, never content in the prompt."""
    error = PoeError(ErrorKind.POE_UNREACHABLE, "Poe did not take the file 'a.png'.")
    poe = Poe(error=error)

    with pytest.raises(PoeError) as caught:
        attachments(poe).attach(
            asking(*(inline(PNG + bytes([n])) for n in range(number))), owner="k", key="k"
        )

    assert error is caught.value
    assert 0 == poe.busy


@pytest.mark.parametrize(
    "text", ["aGVs\nbG8h\n", "aGVsbG8h", " aGVs bG8h"], ids=["lines", "plain", "blanks"]
)
def test_base64_with_whitespace_is_read(text):
    """Line breaks and blanks in base64 mean nothing."""
    poe = Poe()

    attachments(poe).attach(asking(File(base64=text)), owner="k", key="k")

    assert [b"hello!"] == [given[1] for given in poe.contents]


def test_base64_without_padding_and_in_the_alphabet_of_links_is_read():
    """What clients take from links is base64 too."""
    poe = Poe()

    attachments(poe).attach(asking(File(base64="-_8")), owner="k", key="k")

    assert [b"\xfb\xff"] == [given[1] for given in poe.contents]


@pytest.mark.parametrize(
    ("file", "kind", "word"),
    [
        (File(base64="not base64!", name="a.png"), ErrorKind.INVALID_REQUEST, "'a.png'"),
        (File(base64="AAAAA"), ErrorKind.INVALID_REQUEST, "base64"),
        (File(base64="äöü="), ErrorKind.INVALID_REQUEST, "base64"),
        (File(base64="  ", name="b.txt"), ErrorKind.INVALID_REQUEST, "'b.txt' is empty"),
        (inline(bytes(101), name="c"), ErrorKind.BODY_TOO_LARGE, "'c' is larger than 100"),
        (inline(bytes(5000)), ErrorKind.BODY_TOO_LARGE, "100 bytes"),
        (File(file_id="file-1"), ErrorKind.INVALID_REQUEST, "'file-1'"),
        (File(url="file:///etc/passwd"), ErrorKind.INVALID_REQUEST, "http"),
        (File(url="http://["), ErrorKind.INVALID_REQUEST, "http"),
    ],
)
def test_what_cannot_be_a_file_is_refused_by_name(file, kind, word):
    """The client is told which file is wrong and why; Poe is not asked."""
    poe = Poe()

    with pytest.raises(ClientError) as caught:
        attachments(poe, max_bytes=100).attach(asking(file), owner="k", key="k")

    assert kind == caught.value.kind
    assert word in caught.value.message
    assert ([], []) == (poe.contents, poe.links)


def test_a_stored_file_is_looked_up():
    """An id stands for the content that this client stored under it, and for nobody else's."""
    poe = Poe()
    stored = {("k", "file-1"): inline(b"a,b", name="a.csv")}

    attachments(poe, stored=stored).attach(asking(File(file_id="file-1")), owner="k", key="k")
    with pytest.raises(ClientError, match="no file with the id 'file-1'"):
        attachments(poe, stored=stored).attach(
            asking(File(file_id="file-1")), owner="another", key="another"
        )

    assert [("k", b"a,b", "a.csv", "text/csv")] == poe.contents


@pytest.mark.parametrize(
    ("url", "content_type"),
    [
        (CDN, "image/png"),
        ("https://x.poecdn.net/base/video/ab", "video/mp4"),
        ("https://x.poecdn.net/base/application/ab", "application/octet-stream"),
        ("https://x.poecdn.net/a/b.webp", "image/webp"),
    ],
)
def test_poes_own_links_are_attached_as_they_are(url, content_type):
    """What Poe holds is not uploaded again; its type is read from the link."""
    poe = Poe()

    got = attachments(poe).attach(asking(File(url=url)), owner="k", key="k")

    [_, link] = parts_of(got)
    assert (url, content_type) == (link.url, link.content_type)
    assert link.name
    assert ([], []) == (poe.contents, poe.links)


def test_other_links_are_fetched_by_poe_once():
    """The link goes to Poe, and its answer is kept for a shorter time."""
    poe, cache = Poe(), Memory()
    files = attachments(poe, cache, link_ttl_s=3.0)
    prompt = asking(File(url="https://a.example/b%20c.html?x=1"))

    files.attach(prompt, owner="k", key="k")
    got = files.attach(prompt, owner="k", key="k")

    assert [("k", "https://a.example/b%20c.html?x=1", "b c.html")] == poe.links
    link = File(url="https://poe.example/link/1", content_type="text/html", name="b c.html")
    assert [Text("Look."), link] == parts_of(got)
    assert 3.0 == cache.ttl_s


@pytest.mark.parametrize("host", ["evilpoecdn.net", "poecdn.net.evil.example"])
def test_hosts_that_look_like_poes_are_not(host):
    """Only the domain itself and what is under it is Poe's."""
    poe = Poe()

    attachments(poe).attach(asking(File(url=f"https://{host}/base/image/a")), owner="k", key="k")

    assert 1 == len(poe.links)


def test_files_of_other_turns_move_to_a_users_turn():
    """Forward to the next user's turn; from behind the last one, back to it."""
    one, two, three = (File(url=f"{CDN}&n={n}", name=f"{n}.png") for n in range(3))
    result = ToolResult(call_id="c", text="", files=(two,))
    prompt = Prompt(
        bot="Bot",
        messages=(
            Message("assistant", (Text("Here."), one)),
            Message("user", (Text("Go on."), three)),
            Message("tool", (result,)),
        ),
    )

    got = attachments(Poe()).attach(prompt, owner="k", key="k")

    mine, user, tool = got.messages
    assert (Text("Here."),) == mine.parts
    assert ["2.png", "0.png", "1.png"] == [part.name for part in user.parts[1:]]
    assert ToolResult(call_id="c", text="The result is the attached file.") == tool.parts[0]


def test_files_without_any_users_turn_get_one():
    """Nothing is left out for want of a user's turn."""
    prompt = Prompt(bot="Bot", messages=(Message("system", (File(url=CDN),)),))

    got = attachments(Poe()).attach(prompt, owner="k", key="k")

    assert ["system", "user"] == [message.role for message in got.messages]
    assert CDN == parts_of(got)[-1].url


def conversation(said, *files):
    """An answer, and the user's turn after it."""
    return Prompt(
        bot="Bot",
        messages=(
            Message("user", (Text("Draw."),)),
            Message("assistant", (Text(said),)),
            Message("user", (Text("Bluer."), *files)),
        ),
    )


def test_pictures_of_the_last_answer_are_attached_again():
    """A turn that asks for a change carries the picture it is about, once."""
    got = reattach(conversation(f"![a]({CDN})\n\n![a]({CDN}) ![b](https://a.example/b.png)"))

    assert [Text("Bluer."), File(url=CDN, content_type="image/png")] == parts_of(got)


@pytest.mark.parametrize(
    "prompt",
    [
        conversation(f"![a]({CDN})", File(url="https://a.example/mine.png")),
        conversation(f"[a link]({CDN})"),
        conversation("![a](https://[)"),
        Prompt(bot="Bot", messages=conversation(f"![a]({CDN})").messages[:2]),
        Prompt(bot="Bot", messages=()),
    ],
)
def test_nothing_is_attached_again_where_it_is_not_meant(prompt):
    """Not beside the user's own files, not from plain links, not without a user's turn."""
    assert prompt == reattach(prompt)
