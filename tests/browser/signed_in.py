"""A project with a sign-in, as far as the page can tell: the stack's own server, and Supabase Auth beside it.

In: a page of the embedded stack. Out: the same page without its demo token, and sessions that have that one
as their access token, so that the server takes them. Touches: that page's requests to /v1/config, /auth/v1.
"""

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route

from tests.browser.stack import Stack

LIFE_SECONDS = 3600


class SignIn:
    """Answers for Supabase Auth; `renews` says what becomes of a session that has run out."""

    def __init__(self, page: Page, stack: Stack) -> None:
        self.renews = True
        self.asked: list[str] = []
        self._stack = stack
        self._demo_token = ""
        page.route("**/v1/config", self._config)
        page.route("**/auth/v1/**", self._auth)

    def _config(self, route: Route) -> None:
        answer = route.fetch()
        config = answer.json()
        self._demo_token = config["demo_token"]
        changed = {"demo_token": None, "supabase_url": self._stack.url, "supabase_publishable_key": "public"}
        route.fulfill(response=answer, json=config | changed)

    def _auth(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        kind = parse_qs(address.query).get("grant_type", [address.path.split("/")[-1]])[0]
        self.asked.append(kind)
        entered = route.request.post_data_json or {}
        wrong = kind == "password" and entered.get("password") != "right"
        if wrong or (kind == "refresh_token" and not self.renews):
            route.fulfill(status=400, json={"error_code": "refused"})
            return
        token = {"access_token": self._demo_token, "refresh_token": "once", "expires_in": LIFE_SECONDS}
        route.fulfill(json=token)
