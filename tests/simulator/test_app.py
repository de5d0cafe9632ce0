import io

import pytest

from poeflask.simulator.app import UPLOAD_PATH, create_simulator
from poeflask.simulator.media import FILM, picture
from poeflask.simulator.shelf import Shelf
from tests.simulator.conftest import body

KEY = {"Authorization": "Bearer k"}


@pytest.fixture
def web():
    """A client of a simulator whose clock stands still."""
    return create_simulator(clock=lambda: 1.5).test_client()


def upload(web, headers=None, **form):
    """Uploads a form."""
    return web.post(UPLOAD_PATH, data=form, headers=headers or KEY)


def send(web, content=b"abc", name="a.txt", mime="text/plain", **options):
    """Uploads a file."""
    return upload(web, file=(io.BytesIO(content), name, mime), **options)


@pytest.mark.parametrize(
    ("path", "headers", "status", "kind"),
    [
        ("/bot/echo", {}, 401, "authentication_error"),
        ("/bot/echo", {"Authorization": "Bearer"}, 401, "authentication_error"),
        ("/bot/echo", {"Authorization": "k"}, 401, "authentication_error"),
        ("/bot/echo", {"Authorization": "Bearer bad-key"}, 401, "authentication_error"),
        ("/bot/echo", {"Authorization": "Bearer no-points-http"}, 402, "insufficient_credits"),
        ("/bot/nobody", KEY, 404, "not_found_error"),
        ("/nowhere", KEY, 404, "not_found_error"),
    ],
)
def test_a_query_is_refused_in_poes_shape(web, path, headers, status, kind):
    """Keys and bots that do not count are answered with Poe's error body."""
    got = web.post(path, json=body("hi"), headers=headers)

    assert status == got.status_code
    assert kind == got.json["error"]["type"]
    assert got.json["error"]["message"]


@pytest.mark.parametrize("content", ["oops", "[]", '{"version":"1.2"}'])
def test_a_malformed_query_is_a_400(web, content):
    """What is no query is told so in JSON."""
    got = web.post("/bot/echo", data=content, headers=KEY)

    assert (400, "invalid_request_error") == (got.status_code, got.json["error"]["type"])
    assert got.json["error"]["message"].startswith("Malformed query: ")


def test_a_wrong_method_is_told_in_json(web):
    """Also errors of HTTP itself have Poe's shape."""
    got = web.get("/bot/echo")

    assert (405, "invalid_request_error") == (got.status_code, got.json["error"]["type"])


def test_names_have_no_case(web):
    """A bot is found however its name is written."""
    assert b'data: {"text":"hi"}' in web.post("/bot/ECHO", json=body("hi"), headers=KEY).data


def test_a_key_without_points_is_told_in_the_stream(web):
    """The key no-points gets Poe's error event from every bot."""
    got = web.post("/bot/echo", json=body("hi"), headers={"Authorization": "Bearer no-points"})

    assert 200 == got.status_code
    assert b'"error_type":"insufficient_fund"' in got.data


@pytest.mark.parametrize("key", ["Bearer k", "k"])
def test_an_upload_is_answered_with_its_link(web, key):
    """A file is taken with a raw key or a bearer's, and can be fetched."""
    got = send(web, headers={"Authorization": key}).json

    sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert {
        "attachment_url": f"http://localhost/base/text/{sha}",
        "mime_type": "text/plain",
        "size": 3,
        "file_id": f"file-{sha[:24]}",
    } == got
    fetched = web.get(got["attachment_url"])
    assert (b"abc", "text/plain") == (fetched.data, fetched.content_type)


def test_an_upload_needs_one_file_that_holds_something(web):
    """Empty files, no file, and two files at once are wrong; a bad key is refused."""
    assert 400 == send(web, b"").status_code
    assert 400 == upload(web).status_code
    assert 400 == send(web, download_url="http://x/a.png").status_code
    assert 401 == send(web, headers={"Authorization": "bad-key"}).status_code


def test_a_file_may_be_too_large():
    """A file over the limit is refused, be it a little over or far."""
    web = create_simulator(max_file_bytes=10).test_client()

    assert [200, 413, 413] == [send(web, b"x" * n).status_code for n in (10, 11, 100_000)]
    assert "request_too_large" == send(web, b"x" * 11).json["error"]["type"]


def test_a_type_is_guessed_where_none_is_given(web):
    """A part without a type gets that of its name."""
    assert "image/png" == send(web, name="a.png", mime="").json["mime_type"]


def test_a_link_of_ours_is_found(web):
    """A link to a kept file gives the very same content."""
    link = send(web).json["attachment_url"]

    assert link == upload(web, download_url=link, download_filename="b.txt").json["attachment_url"]


@pytest.mark.parametrize(
    ("url", "name", "mime"),
    [
        ("http://x.example/a.png", "a.png", "image/png"),
        ("http://x.example/some", "b.wav", "audio/x-wav"),
        ("http://x.example/page", "page", "text/plain"),
    ],
)
def test_a_link_elsewhere_gets_a_stand_in(web, url, name, mime):
    """Nothing is fetched: a file of the right type stands for the one behind the link."""
    got = upload(web, download_url=url, download_filename=name).json

    assert mime == got["mime_type"]
    assert got["size"] == len(web.get(got["attachment_url"]).data) > 0


def test_uploads_are_remembered_without_keys(web):
    """The list of uploads tells form, name, type and size."""
    upload(web, download_url="http://x.example/a.png")

    (got,) = web.get("/simulator/uploads").json
    assert ("download_url", "http://x.example/a.png", "a.png") == (
        got["form"],
        got["download_url"],
        got["name"],
    )


def test_what_bots_make_can_be_fetched(web):
    """The links in an answer lead to the files, with their types."""
    web.post("/bot/film-maker", json=body("go"), headers=KEY).get_data()

    fetched = web.get(FILM.path)
    assert (FILM.content, "video/mp4") == (fetched.data, fetched.content_type)


def test_links_begin_with_the_public_url():
    """A simulator behind another address says that one."""
    web = create_simulator(public_url="https://sim.example/").test_client()
    got = web.post("/bot/link-painter", json=body("cat"), headers=KEY).data.decode()

    assert f"(https://sim.example{picture('cat').path})" in got


def test_files_that_are_gone_are_a_404():
    """A small shelf forgets, and says so."""
    web = create_simulator(shelf=Shelf(3)).test_client()
    link = send(web, b"abc").json["attachment_url"]
    send(web, b"xyz")

    assert 404 == web.get(link).status_code


def test_attached_files_are_read(web):
    """A bot reads what was uploaded before."""
    link = send(web, b"so it is").json["attachment_url"]
    attachment = {"url": link, "content_type": "text/plain", "name": "a.txt"}
    asked = body("read", message={"attachments": [attachment]})

    assert b'"is\\n"' in web.post("/bot/reader", json=asked, headers=KEY).data


def test_queries_are_shown_as_they_came(web):
    """Tests see the parsed body of each query, and never the key."""
    web.post("/bot/echo", json=body("hi", temperature=0.5), headers=KEY).get_data()

    (got,) = web.get("/simulator/queries").json
    assert ("Echo", 1, body("hi", temperature=0.5)) == (got["bot"], got["attempt"], got["body"])


def test_a_retry_is_seen_and_succeeds(web):
    """Fail-Once counts tries of the same conversation."""
    tries = [web.post("/bot/fail-once", json=body("hi"), headers=KEY).data for _ in range(2)]

    assert [True, False] == [b"Internal server error" in one for one in tries]
    assert [1, 2] == [entry["attempt"] for entry in web.get("/simulator/queries").json]


def test_points_are_shown_to_the_keys_owner(web):
    """Balance and history follow the queries; keys without points have none."""
    web.post("/bot/echo", json=body("hi"), headers=KEY).get_data()

    points = web.get("/usage/points_history", headers=KEY).json["data"]
    assert [("Echo", 1_500_000)] == [(e["bot_name"], e["creation_time"]) for e in points]
    balance = web.get("/usage/current_balance", headers=KEY).json
    assert {"current_point_balance": 1_000_000 - points[0]["cost_points"]} == balance
    poor = {"Authorization": "Bearer no-points"}
    assert {"current_point_balance": 0} == web.get("/usage/current_balance", headers=poor).json
    assert 401 == web.get("/usage/current_balance").status_code
    assert 400 == web.get("/usage/points_history?limit=101", headers=KEY).status_code


def test_models_need_no_key(web):
    """The model list is public; its pictures can be fetched."""
    first = web.get("/v1/models").json["data"][0]

    assert "echo" == first["id"]
    assert "image/png" == web.get(first["metadata"]["image"]["url"]).content_type
    assert "Silent-Start" in [bot["name"] for bot in web.get("/simulator/bots").json]


def test_reset_forgets_everything(web):
    """After a reset there are no queries, uploads, files or counts."""
    link = send(web).json["attachment_url"]
    web.post("/bot/echo", json=body("hi"), headers=KEY).get_data()
    web.post("/simulator/reset")

    assert [] == web.get("/simulator/queries").json == web.get("/simulator/uploads").json
    assert 0 == web.get("/simulator/connections").json["started"]
    assert 404 == web.get(link).status_code


@pytest.mark.parametrize(
    ("key", "status", "points"),
    [("dead-1", 401, None), ("poor-a", 402, 0), ("busy", 429, 999_989), ("tired-2", 429, 999_989)],
)
def test_a_keys_first_word_says_how_it_is_refused(web, key, status, points):
    """So that there can be several keys of a kind."""
    headers = {"Authorization": f"Bearer {key}"}
    got = web.post("/bot/echo", json=body("hi"), headers=headers)
    balance = web.get("/usage/current_balance", headers=headers).json

    assert status == got.status_code
    assert ("Retry-After" in got.headers) is key.startswith("tired")
    assert points == balance.get("current_point_balance")


def test_a_bot_can_be_out_of_order_for_a_while():
    """Only this one, until the time is over or somebody ends it."""
    now_s = [100.0]
    web = create_simulator(clock=lambda: now_s[0]).test_client()

    def statuses():
        bots = ("echo", "mirror")
        return [web.post(f"/bot/{b}", json=body("hi"), headers=KEY).status_code for b in bots]

    web.post("/simulator/outage?bot=ECHO&seconds=5")
    assert [503, 200] == statuses()
    now_s[0] += 5
    assert [200, 200] == statuses()
    web.post("/simulator/outage?bot=Echo&seconds=5")
    web.post("/simulator/outage?bot=Echo&seconds=0")
    assert [200, 200] == statuses()


@pytest.mark.parametrize("query", ["", "bot=echo", "bot=nobody&seconds=1", "bot=echo&seconds=-1"])
def test_an_outage_needs_a_bot_and_a_time(web, query):
    """Anything else is a mistake of the test that asks for it."""
    assert 400 == web.post(f"/simulator/outage?{query}").status_code
