"""`taskbell dev --public-url`: a phone that came through a tunnel is led back through it."""

import json
import urllib.request
from collections.abc import Iterator

import pytest

from taskbell_local.demo_data import contact_id
from tests.functions.local_page import RingingStack, request, ringing_stack, subscribe
from tests.functions.local_stack import status_of, taskbell

TUNNEL = "https://quiet-lake.trycloudflare.com"
MISDIRECTED = 421


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RingingStack]:
    with ringing_stack(tmp_path_factory.mktemp("tunnel") / "data", "--public-url", TUNNEL) as running:
        yield running


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "quiet-lake.trycloudflare.com"}, 200),
        ({"Host": "evil.example"}, MISDIRECTED),
        ({"Host": "evil.example", "X-Forwarded-Host": "quiet-lake.trycloudflare.com"}, MISDIRECTED),
    ],
)
def test_the_tunnel_s_name_leads_here_and_no_other_whatever_a_stranger_says(
    stack: RingingStack, headers: dict[str, str], status: int
) -> None:
    config = urllib.request.Request(f"{stack.url}/v1/config", headers=headers)  # noqa: S310  # our own
    assert status == status_of(config)


def test_a_click_on_a_phone_opens_the_contact_through_the_tunnel(stack: RingingStack) -> None:
    subscribe(stack, "A phone")
    done = taskbell("simulate", "--env", stack.data / "dev.env", "--contact", "Ada Lovelace")
    assert (0, "") == (done.returncode, done.stderr)
    payloads = [json.loads(push.payload or b"{}") for push in stack.push_service.received]
    opened = {payload["notification"]["navigate"] for payload in payloads}
    assert f"{TUNNEL}/?contact={contact_id('Ada Lovelace')}" in opened
    assert {TUNNEL} == {url.partition("/?")[0] for url in opened}


def test_the_page_on_this_machine_goes_on_as_without_a_tunnel(stack: RingingStack) -> None:
    assert 200 == stack.get("/")
    assert request(stack, "GET", "/v1/config")["demo_token"] == stack.settings["DEMO_TOKEN"]
    assert stack.url == stack.settings["PUBLIC_URL"]
