"""What all routes share: keys, errors, ids, browsers, health, the front page."""

from __future__ import annotations

import requests

from tests.live.conftest import Live, Simulator, serving

CHAT = "/v1/chat/completions"
BODY = {"model": "Echo", "messages": [{"role": "user", "content": "hi"}]}


def test_no_key_is_refused(live: Live) -> None:
    """Without a key the answer is 401 in OpenAI's shape and says how to send one."""
    answer = requests.post(live.url + CHAT, json=BODY, timeout=10)
    error = answer.json()["error"]

    assert 401 == answer.status_code
    assert "invalid_api_key" == error["code"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "false" == answer.headers["x-should-retry"]


def test_poe_refuses_a_key(live: Live) -> None:
    """Poe's refusal of a key is the client's 401 too."""
    answer = requests.post(
        live.url + CHAT, headers={"Authorization": "Bearer bad-key"}, json=BODY, timeout=10
    )

    assert 401 == answer.status_code
    assert "invalid_api_key" == answer.json()["error"]["code"]


def test_every_answer_has_a_request_id(live: Live) -> None:
    """Good answers and bad ones; a client's own id is kept if it looks like one."""
    for path in ("/healthz", "/nowhere", "/v1/models"):
        assert requests.get(live.url + path, timeout=10).headers["x-request-id"].startswith("req_")
    kept = requests.get(f"{live.url}/healthz", headers={"x-request-id": "mine-1234567"}, timeout=10)
    odd = requests.get(f"{live.url}/healthz", headers={"x-request-id": "a b"}, timeout=10)

    assert "mine-1234567" == kept.headers["x-request-id"]
    assert odd.headers["x-request-id"].startswith("req_")


def test_unknown_routes_and_methods(live: Live) -> None:
    """404 and 405 come in OpenAI's shape, the latter with what is allowed."""
    nowhere = requests.get(f"{live.url}/v1/nope", timeout=10)
    wrong = requests.get(live.url + CHAT, timeout=10)

    assert (404, "unknown_url") == (nowhere.status_code, nowhere.json()["error"]["code"])
    assert (405, "method_not_allowed") == (wrong.status_code, wrong.json()["error"]["code"])
    assert "POST" in wrong.headers["Allow"]


def test_browsers_of_any_origin(live: Live) -> None:
    """A pre-flight is granted the headers that it asks for, and never credentials."""
    preflight = requests.options(
        live.url + CHAT,
        headers={
            "Origin": "https://chat.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,x-stainless-lang",
        },
        timeout=10,
    )
    answer = requests.post(
        live.url + CHAT,
        headers={"Origin": "https://chat.example", "Authorization": "Bearer k"},
        json=BODY,
        timeout=10,
    )

    assert 204 == preflight.status_code
    assert "*" == preflight.headers["Access-Control-Allow-Origin"]
    assert "authorization,x-stainless-lang" == preflight.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in preflight.headers
    assert "*" == answer.headers["Access-Control-Allow-Origin"]


def test_browsers_of_chosen_origins(simulator: Simulator, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Only pages of the origins that are set may read answers."""
    with serving(simulator, tmp_path, POEFLASK_CORS_ORIGINS="https://a.example") as live:
        mine = requests.get(
            f"{live.url}/healthz", headers={"Origin": "https://a.example"}, timeout=10
        )
        other = requests.get(
            f"{live.url}/healthz", headers={"Origin": "https://b.example"}, timeout=10
        )

    assert "https://a.example" == mine.headers["Access-Control-Allow-Origin"]
    assert "Origin" in mine.headers["Vary"]
    assert "Access-Control-Allow-Origin" not in other.headers


def test_health(live: Live) -> None:
    """The process lives, and it is ready once it knows a list of bots."""
    requests.get(f"{live.url}/v1/models", headers={"x-api-key": "k"}, timeout=10)
    ready = requests.get(f"{live.url}/readyz", timeout=10)

    assert "ok\n" == requests.get(f"{live.url}/healthz", timeout=10).text
    assert 200 == ready.status_code
    assert {"status": "ready", "store": "ok", "catalogue": "fresh"} == ready.json()


def test_front_page(live: Live) -> None:
    """The page shows how to reach this very service and loads nothing from elsewhere."""
    page = requests.get(live.url, timeout=10)

    assert f"{live.url}/v1/chat/completions" in page.text
    assert "demo" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for asset in ("home.css", "home.js", "icon.svg"):
        assert 200 == requests.get(f"{live.url}/home/{asset}", timeout=10).status_code


def test_a_hostile_host_header_is_text(live: Live) -> None:
    """What a client claims as the host is shown escaped or not at all."""
    page = requests.get(live.url, headers={"Host": 'x"><script>alert(1)</script>'}, timeout=10)

    assert "<script>alert" not in page.text


def test_keys_are_in_no_log(live: Live) -> None:
    """Also at the level debug, no line of the log holds a key."""
    requests.post(
        live.url + CHAT, headers={"Authorization": "Bearer canary-4711"}, json=BODY, timeout=10
    )
    requests.post(live.url + CHAT, headers={"x-api-key": "canary-4711"}, json={}, timeout=10)

    assert "canary-4711" not in live.log.read_text()
