"""Is the page served so that a browser can install it, subscribe, and never run an old worker? Pure."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

from taskbell_local.doctor.facts import Answer, Facts
from taskbell_local.doctor.verdict import Bad, Check, Good, Verdict

SECTION = "Page"
LONGEST_SECONDS = 600
NO_CACHE = "Serve it with `Cache-Control: no-cache` (infra/gcp does)."
SCRIPT_TYPES = {"text/javascript", "application/javascript"}  # HTML: what a worker may be
SERVE = "Serve the folder web/ at PUBLIC_URL (infra/gcp does)."


def _type(answer: Answer) -> str:
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower()


def _page(facts: Facts) -> Verdict:
    answer = facts.web["page"]
    if answer.error == "bad certificate":
        return Bad("the certificate of PUBLIC_URL is not valid", "Renew it; a new one may take an hour.")
    if answer.status != 200:
        return Bad(answer.told, SERVE)
    if _type(answer) != "text/html" or 'rel="manifest"' not in answer.body:
        return Bad("something else than our page", SERVE)
    return Good("served at /")


def _worker(facts: Facts) -> Verdict:
    answer = facts.web["worker"]
    if answer.status != 200:
        return Bad(f"/sw.js: {answer.told}", "Serve web/sw.js at the root: its scope is the whole page.")
    if _type(answer) not in SCRIPT_TYPES:
        return Bad(
            f"/sw.js is {_type(answer) or 'of no type'}, and browsers refuse such a worker",
            "Serve .js files as text/javascript, and never the page in their place.",
        )
    if not _is_fresh(answer):
        return Bad("caches may keep /sw.js, and browsers then run an old worker", NO_CACHE)
    return Good("at the root, text/javascript, not kept by caches")


def _is_fresh(answer: Answer) -> bool:
    said = answer.headers.get("cache-control", "").lower()
    if "immutable" in said:
        return False
    ages = [int(age) for age in re.findall(r"(?:s-maxage|max-age)=\"?(\d+)", said)]
    return max(ages) <= LONGEST_SECONDS if ages else ("no-cache" in said or "no-store" in said)


def _manifest(facts: Facts) -> Verdict:
    answer = facts.web["manifest"]
    remedy = "Serve web/manifest.webmanifest as application/manifest+json."
    if answer.status != 200:
        return Bad(f"/manifest.webmanifest: {answer.told}", remedy)
    try:
        manifest = json.loads(answer.body)
        installs = manifest["icons"] and manifest["display"] in {"standalone", "fullscreen", "minimal-ui"}
    except (ValueError, KeyError, TypeError):
        installs = False
    if not installs:
        return Bad("no manifest that an iPhone would install", remedy)
    if _type(answer) not in {"application/manifest+json", "application/json"}:
        return Bad(f"served as {_type(answer) or 'no type'}", remedy)
    return Good("an iPhone can install it")


class _Policies(HTMLParser):
    """Collects the policies that a page carries in itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a meta element that is a policy."""
        given = dict(attrs)
        if tag == "meta" and (given.get("http-equiv") or "").lower() == "content-security-policy":
            self.found.append(given.get("content") or "")


def _policy(facts: Facts) -> Verdict:
    answer = facts.web["page"]
    parser = _Policies()
    parser.feed(answer.body)
    header = answer.headers.get("content-security-policy")
    policies = [*parser.found, *([header] if header else [])]
    if not policies:
        return Bad(
            "the page has none", "Serve web/index.html unchanged, or send the header as infra/gcp does."
        )
    needed = {facts.settings.settings.supabase_url, facts.settings.settings.public_url}
    refused = [url for url in needed for policy in policies if not _may_connect(policy, url, facts)]
    if refused:
        host = urlsplit(refused[0]).netloc
        return Bad(
            f"it forbids the page to reach {host}",
            f"Add https://{host} and wss://{host} to connect-src in web/index.html"
            + (" and in the header Content-Security-Policy." if header else "."),
        )
    if header and "frame-ancestors" in header:
        return Good("lets the page reach what it needs, and nobody frame it")
    return Good("lets the page reach what it needs; only a header can add frame-ancestors")


def _may_connect(policy: str, url: str, facts: Facts) -> bool:
    """Tell whether a policy lets the page connect (CSP Level 3 §6.7.2): connect-src, else default-src."""
    directives = {words[0].lower(): words[1:] for part in policy.split(";") if (words := part.split())}
    sources = directives.get("connect-src", directives.get("default-src"))
    if sources is None:
        return True
    wanted, page = urlsplit(url), urlsplit(facts.settings.settings.public_url)
    if "'self'" in sources and wanted.netloc == page.netloc:
        return True
    return any(_matches(source, wanted.scheme, wanted.netloc) for source in sources)


def _matches(source: str, scheme: str, host: str) -> bool:
    if source in {"*", f"{scheme}:"}:
        return True
    given, _, pattern = source.rpartition("://")
    if given not in {"", scheme}:
        return False
    pattern = pattern.partition("/")[0]
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def checks() -> Iterator[Check]:
    """Yield this section's checks in order."""
    yield Check("page", SECTION, "page", _page, ("page_address",))
    yield Check("worker", SECTION, "worker", _worker, ("page",))
    yield Check("manifest", SECTION, "manifest", _manifest, ("page",))
    yield Check("policy", SECTION, "content security policy", _policy, ("page", "supabase_url"))
