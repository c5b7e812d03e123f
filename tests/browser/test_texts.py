"""What is said is said in every language, in full, and alike by the page and by the function."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from taskbell.notify.texts import TEXTS
from taskbell_local import places
from tests.browser.stack import Stack

PLACEHOLDER = re.compile(r"\{(\w+)\}")
Phrases = dict[str, str | dict[str, str]]

# The page's phrase that says the same as a notification; the page may say more after it.
SAME = {"draft_ready": "says_draft_ready", "completed": "says_completed", "failed": "says_failed"}


@pytest.fixture
def texts(page: Page, stack: Stack, needs_chromium: None) -> dict[str, Phrases]:  # noqa: ARG001
    """Return the texts as the worker has them: all of them, by language."""
    page.goto(stack.url)
    texts: dict[str, Phrases] = page.evaluate(
        """async () => {
          await import("/js/texts.more.js");
          await import("/js/texts.de.js");
          return self.texts;
        }"""
    )
    return texts


def forms(phrase: str | dict[str, str]) -> dict[str, str]:
    return {"other": phrase} if isinstance(phrase, str) else phrase


def test_every_sentence_is_said_in_both_languages_with_the_same_names_and_plurals(
    texts: dict[str, Phrases],
) -> None:
    english, german = texts["en"], texts["de"]
    assert set(english) == set(german)
    for key in english:
        assert forms(english[key]).keys() == forms(german[key]).keys(), key
        for form in forms(english[key]):
            names = [set(PLACEHOLDER.findall(forms(of[key])[form])) for of in (english, german)]
            assert names[0] == names[1], key
    unsaid = {"push_unknown", "live", "offline", "settings"}
    same = {key for key in english if english[key] == german[key] and str(english[key]).strip("…")}
    assert same - unsaid <= {"an_agent", "activity", "password", "test"}


def test_the_page_and_the_function_speak_the_same_languages_and_say_the_same(
    texts: dict[str, Phrases],
) -> None:
    assert set(TEXTS) == set(texts)
    for language, ours in TEXTS.items():
        for kind, key in SAME.items():
            notification = getattr(ours, kind).named.replace("{contact}", "{name}")
            assert str(texts[language][key]).startswith(notification), (language, key)


def test_what_is_said_at_first_is_loaded_at_first() -> None:
    js = Path(places.WEB, "js")
    first = set(re.findall(r"^    (\w+):", (js / "texts.js").read_text(), re.MULTILINE))
    more = set(re.findall(r"^  (\w+):", (js / "texts.more.js").read_text(), re.MULTILINE))
    assert set() == first & more
    preloaded = re.findall(r'modulepreload" href="/js/([^"]+)"', Path(places.WEB, "index.html").read_text())
    said = {
        (module, phrase)
        for module in preloaded
        for phrase in re.findall(r'\bsay\(\s*"(\w+)"', (js / module).read_text())
    }
    assert set() == {(module, phrase) for module, phrase in said if phrase not in first}
