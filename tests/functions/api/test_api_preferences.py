"""Preferences: changed piece by piece from any browser, anything doubtful refused by its name."""

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
    assert wishes == browser.patch(PATH, json=wishes).json()
    assert wishes == browser.get(PATH).json()


def test_what_is_left_out_stays_and_two_devices_change_different_things(stage: Stage) -> None:
    user_id, phone = stage.someone()
    desk = stage.browser(user_id)
    quiet = {"from": "22:00", "until": "07:00"}
    phone.patch(PATH, json={"quiet_hours": quiet, "agents": {"a1": False}, "kinds": {"failed": False}})
    desk.patch(PATH, json={"time_zone": "Asia/Tokyo", "agents": {"a2": False}, "kinds": {"completed": False}})
    expected = DEFAULTS | {
        "kinds": DEFAULTS["kinds"] | {"failed": False, "completed": False},
        "agents": {"a1": False, "a2": False},
        "quiet_hours": quiet,
        "time_zone": "Asia/Tokyo",
    }
    assert expected == phone.get(PATH).json()
    assert expected == phone.patch(PATH, json={"unknown": 1}).json()


def test_each_end_of_the_quiet_hours_changes_by_itself_and_null_switches_them_off(stage: Stage) -> None:
    _, browser = stage.someone()
    browser.patch(PATH, json={"quiet_hours": {"from": "22:00", "until": "07:00"}})
    changed = browser.patch(PATH, json={"quiet_hours": {"until": "08:00"}}).json()
    assert changed["quiet_hours"] == {"from": "22:00", "until": "08:00"}
    assert browser.patch(PATH, json={"quiet_hours": None}).json() == DEFAULTS


def test_null_is_the_way_back_to_the_default(stage: Stage) -> None:
    _, browser = stage.someone()
    wishes = {
        "kinds": {"failed": False, "completed": False},
        "agents": {"a1": False, "a2": False},
        "muted_contacts": ["c1"],
        "language": "de",
        "digest": False,
    }
    browser.patch(PATH, json=wishes)
    some = browser.patch(PATH, json={"kinds": {"failed": None}, "agents": {"a1": None}}).json()
    assert some["kinds"] == DEFAULTS["kinds"] | {"completed": False}
    assert some["agents"] == {"a2": False}
    assert browser.patch(PATH, json=dict.fromkeys(wishes)).json() == DEFAULTS


def test_the_media_type_of_a_merge_patch_is_welcome(stage: Stage) -> None:
    _, browser = stage.someone()
    named = {"Content-Type": "application/merge-patch+json"}
    assert browser.patch(PATH, content=b'{"language": "de"}', headers=named).json()["language"] == "de"


def test_there_is_no_second_way_to_change_them(stage: Stage) -> None:
    _, browser = stage.someone()
    assert reason(browser.put(PATH, json=DEFAULTS)) == (405, "method_not_allowed")


def test_what_is_wrong_only_together_with_what_is_stored_is_refused_by_name(stage: Stage) -> None:
    _, browser = stage.someone()
    browser.patch(PATH, json={"agents": {str(n): False for n in range(200)}})
    full = browser.patch(PATH, json={"agents": {"one more": False}})
    assert reason(full) == (422, "bad_body")
    assert full.json()["error"]["message"].startswith("agents: ")
    assert len(browser.patch(PATH, json={"agents": {"one more": False, "7": None}}).json()["agents"]) == 200

    half = browser.patch(PATH, json={"quiet_hours": {"from": "22:00"}})
    browser.patch(PATH, json={"quiet_hours": {"from": "22:00", "until": "07:00"}})
    none = browser.patch(PATH, json={"quiet_hours": {"from": "07:00"}})
    for refused in (half, none):
        assert reason(refused) == (422, "bad_body")
        assert refused.json()["error"]["message"].startswith("quiet_hours: ")


def test_everybody_has_their_own(stage: Stage) -> None:
    _, ada = stage.someone()
    _, grace = stage.someone()
    ada.patch(PATH, json={"language": "de"})
    assert grace.get(PATH).json()["language"] == "en"


def test_a_contact_is_muted_once(stage: Stage) -> None:
    _, browser = stage.someone()
    assert browser.patch(PATH, json={"muted_contacts": ["a", "b", "a"]}).json()["muted_contacts"] == [
        "a",
        "b",
    ]


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "Etc/GMT+5", "America/Indiana/Knox"]
)
def test_time_zones_of_the_world_are_known(stage: Stage, zone: str) -> None:
    _, browser = stage.someone()
    assert browser.patch(PATH, json={"time_zone": zone}).json()["time_zone"] == zone


DOUBTFUL: dict[str, list[Any]] = {
    "time_zone": [
        *("", "Mars/Olympus", "Europe", "../etc/passwd", "/UTC", "Europe/Berlin\x00", "utc+2"),
        1,
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
    "language": ["", "e", "english please", "de_AT", "x" * 40, 1],
    "digest": ["true", 1],
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
    browser.patch(PATH, json={"language": "de"})
    refused = browser.patch(PATH, json=wishes)
    assert reason(refused) == (422, "bad_body")
    assert refused.json()["error"]["message"].startswith(f"{field}: ")
    assert browser.get(PATH).json() == DEFAULTS | {"language": "de"}


def test_a_refusal_does_not_repeat_what_was_sent(stage: Stage) -> None:
    _, browser = stage.someone()
    refused = browser.patch(PATH, json={"agents": {"secret-agent": "secret-value"}})
    assert "secret" not in refused.text


def test_the_largest_preferences_fit(stage: Stage) -> None:
    _, browser = stage.someone()
    wishes = {
        "agents": {f"{n:0200}": False for n in range(200)},
        "muted_contacts": [f"{n:0190}" for n in range(1000)],
    }
    stored = browser.patch(PATH, json=wishes)
    assert stored.status_code == 200
    assert wishes["muted_contacts"] == stored.json()["muted_contacts"]
