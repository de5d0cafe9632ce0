"""What faults of the way to Poe mean, those too that no server can be made to show."""

from __future__ import annotations

import inspect

import pytest
import requests
import responses
import urllib3.exceptions

from poeflask.core.errors import ErrorKind, OwnError, PoeError, PoeflaskError
from poeflask.poe.client import PoeClient
from poeflask.poe.transport import MEANINGS, transport_faults

BASE = "https://poe.example"
UPLOAD = "https://upload.example/files"


@pytest.fixture
def client():
    """A client whose way to Poe is played."""
    made = PoeClient(
        base_url=BASE,
        upload_url=UPLOAD,
        connect_timeout_s=1,
        idle_timeout_s=1,
        pool_size=1,
        user_agent="poeflask/test",
    )
    yield made
    made.close()


@responses.activate
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (requests.exceptions.SSLError("certificate has expired"), ErrorKind.POE_UNREACHABLE),
        (requests.exceptions.ProxyError("407"), ErrorKind.POE_UNREACHABLE),
        (requests.exceptions.ConnectTimeout("slow"), ErrorKind.POE_UNREACHABLE),
        (requests.exceptions.ReadTimeout("slow"), ErrorKind.POE_TIMEOUT),
        (requests.exceptions.ConnectionError("no route to host"), ErrorKind.POE_UNREACHABLE),
        (requests.exceptions.ContentDecodingError("not gzip"), ErrorKind.POE_BROKEN),
    ],
)
def test_a_fault_of_the_network_is_told_in_our_words(client, fault, kind):
    """A sentence of ours with its kind; the library's own words stay out of it."""
    responses.get(f"{BASE}/v1/models", body=fault)

    with pytest.raises(PoeflaskError) as caught:
        client.models()

    assert kind == caught.value.kind
    assert str(fault) not in caught.value.message
    assert fault is caught.value.__cause__


@responses.activate
def test_a_redirect_is_not_followed(client):
    """Whoever stands in between does not send keys or questions elsewhere."""
    elsewhere = responses.get("https://elsewhere.example/", json={"data": []})
    responses.get(
        f"{BASE}/v1/models", status=307, headers={"Location": "https://elsewhere.example/"}
    )

    with pytest.raises(PoeError):
        client.models()

    assert 0 == elsewhere.call_count


@responses.activate
def test_no_cookie_of_one_key_reaches_another(client):
    """One session serves many keys; what Poe sets with one answer is not sent with the next."""
    responses.get(
        f"{BASE}/usage/current_balance",
        json={"current_point_balance": 1},
        headers={"Set-Cookie": "who=first; Path=/"},
    )
    client.balance("first-key")
    client.balance("second-key")

    assert "Cookie" not in responses.calls[1].request.headers


def _classes(module, base):
    found = {value for value in vars(module).values() if inspect.isclass(value)}
    return sorted(
        (c for c in found if issubclass(c, base) and not issubclass(c, Warning) and c is not base),
        key=lambda c: c.__name__,
    )


ALL_FAULTS = [
    *_classes(requests.exceptions, requests.exceptions.RequestException),
    *_classes(urllib3.exceptions, urllib3.exceptions.HTTPError),
]


@pytest.mark.parametrize("fault", ALL_FAULTS, ids=lambda c: f"{c.__module__}.{c.__name__}")
def test_every_fault_of_the_transport_has_a_meaning(fault):
    """A new version of a library may not bring an error that nobody knows."""
    with pytest.raises((PoeError, OwnError)), transport_faults():
        raise fault.__new__(fault)


def test_the_table_names_no_base_of_all():
    """Else the test above could not fail."""
    assert not {requests.RequestException, urllib3.exceptions.HTTPError, OSError} & MEANINGS.keys()


def test_what_is_no_fault_of_the_transport_passes():
    """A mistake of ours is not dressed up as one of Poe's."""
    with pytest.raises(KeyError), transport_faults():
        raise KeyError
