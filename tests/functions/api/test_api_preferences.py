"""Preferences: stored whole, defaults where left out, anything doubtful refused by its name."""

from typing import Any

import pytest

from tests.functions.api.stage import Stage, reason

PATH = "/v1/preferences"
DEFAULTS: dict[str, Any] = {
    "kinds": {"draft_ready": True, "completed": True, "failed": True, "followup_due": True},
    "agents": {},
    "muted_contacts": [],
    "quiet_hours": None,
    "time_zone": "UTC",
    "language": "en",
    "digest": True,
}


def test_who_never_chose_gets_the_defaults(stage: Stage) -> None:
    _, browser = stage.someone()
    assert browser.get(PATH).json() == DEFAULTS


def test_what_is_stored_comes_back(stage: Stage) -> None:
    _, browser = stage.someone()
    wishes = {
        "kinds": {"draft_ready": True, "completed": False, "failed": True, "followup_due": False},
        "agents": {"a1": False, "a2": True},
        "muted_contacts": ["c1", "c2"],
        "quiet_hours": {"from": "22:00", "until": "07:30"},
        "time_zone": "America/Argentina/Buenos_Aires",
        "language": "de-AT",
        "digest": False,
    }
    assert wishes == browser.put(PATH, json=wishes).json()
    assert wishes == browser.get(PATH).json()


def test_what_is_left_out_goes_back_to_its_default(stage: Stage) -> None:
    _, browser = stage.someone()
    browser.put(PATH, json=DEFAULTS | {"digest": False, "language": "de"})
    expected = DEFAULTS | {"kinds": DEFAULTS["kinds"] | {"failed": False}}
    assert expected == browser.put(PATH, json={"kinds": {"failed": False}, "unknown": 1}).json()


def test_everybody_has_their_own(stage: Stage) -> None:
    _, ada = stage.someone()
    _, grace = stage.someone()
    ada.put(PATH, json={"language": "de"})
    assert grace.get(PATH).json()["language"] == "en"


def test_a_contact_is_muted_once(stage: Stage) -> None:
    _, browser = stage.someone()
    assert browser.put(PATH, json={"muted_contacts": ["a", "b", "a"]}).json()["muted_contacts"] == ["a", "b"]


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "Etc/GMT+5", "America/Indiana/Knox"]
)
def test_time_zones_of_the_world_are_known(stage: Stage, zone: str) -> None:
    _, browser = stage.someone()
    assert browser.put(PATH, json={"time_zone": zone}).json()["time_zone"] == zone


DOUBTFUL: dict[str, list[Any]] = {
    "time_zone": [
        *("", "Mars/Olympus", "Europe", "../etc/passwd", "/UTC", "Europe/Berlin\x00", "utc+2"),
        *(1, None),
    ],
    "quiet_hours": [
        {},
        {"from": "22:00"},
        {"from": "24:00", "until": "07:00"},
        {"from": "22:60", "until": "07:00"},
        {"from": "9:00", "until": "10:00"},
        {"from": "22:00:00", "until": "07:00"},
        {"from": "22:00\n", "until": "07:00"},
        {"from": "22:00", "until": "22:00"},
        {"from": 22, "until": 7},
        {"start": "22:00", "end": "07:00"},
        [],
        "night",
    ],
    "language": ["", "e", "english please", "de_AT", "x" * 40, None, 1],
    "digest": ["true", 1, None],
    "kinds": [{"failed": "no"}, []],
    "agents": [{"a": 1}, {"": True}, {"a\x00": True}, {str(n): True for n in range(201)}],
    "muted_contacts": [[str(n) for n in range(1001)], ["x" * 201], [1], "c1"],
}


@pytest.mark.parametrize(
    ("field", "wishes"),
    [(field, {field: value}) for field, values in DOUBTFUL.items() for value in values],
    ids=lambda value: str(value)[:40],
)
def test_doubtful_wishes_are_refused_by_name(stage: Stage, field: str, wishes: dict[str, Any]) -> None:
    _, browser = stage.someone()
    browser.put(PATH, json={"language": "de"})
    refused = browser.put(PATH, json=wishes)
    assert reason(refused) == (422, "bad_body")
    assert refused.json()["error"]["message"].startswith(f"{field}: ")
    assert browser.get(PATH).json() == DEFAULTS | {"language": "de"}


def test_a_refusal_does_not_repeat_what_was_sent(stage: Stage) -> None:
    _, browser = stage.someone()
    refused = browser.put(PATH, json={"agents": {"secret-agent": "secret-value"}})
    assert "secret" not in refused.text


def test_the_largest_preferences_fit(stage: Stage) -> None:
    _, browser = stage.someone()
    wishes = {
        "agents": {f"{n:0200}": False for n in range(200)},
        "muted_contacts": [f"{n:0190}" for n in range(1000)],
    }
    stored = browser.put(PATH, json=wishes)
    assert stored.status_code == 200
    assert wishes["muted_contacts"] == stored.json()["muted_contacts"]
