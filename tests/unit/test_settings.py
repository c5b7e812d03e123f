"""The environment is read once, strictly, and a mistake is one sentence that says what to do."""

from __future__ import annotations

import base64
import json
from dataclasses import fields

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from taskbell.errors import SettingsError
from taskbell.settings import P256_ORDER, Settings, is_loopback, read_settings


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


KEY = base64url(b"\x01" * 32)
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
ENVIRON = {
    "SUPABASE_URL": "https://abc.supabase.co",
    "SUPABASE_SECRET_KEY": "sb_secret_abcdefgh",
    "SUPABASE_PUBLISHABLE_KEY": "sb_publishable_abcdefgh",
    "VAPID_PRIVATE_KEY": KEY,
    "VAPID_SUBJECT": "mailto:ops@example.com",
    "WEBHOOK_SECRETS": SECRET,
    "PUBLIC_URL": "https://bell.example/",
}


def der(curve: ec.EllipticCurve) -> str:
    return base64url(
        ec.generate_private_key(curve).private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def jwt_with(role: str) -> str:
    claims = json.dumps({"role": role}).encode()
    return f"e30.{base64url(claims)}.c2ln"


def complaint(**environ: str | None) -> str:
    wrong = {name: value for name, value in {**ENVIRON, **environ}.items() if value is not None}
    with pytest.raises(SettingsError) as caught:
        read_settings(wrong)
    assert caught.value.reason == "bad_settings"
    sentence = str(caught.value)
    for value in wrong.values():
        for part in value.split():
            assert len(part) < 12 or part not in sentence, "a value must never be printed"
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_good_settings_are_read() -> None:
    expected = Settings(
        supabase_url="https://abc.supabase.co",
        supabase_secret_key="sb_secret_abcdefgh",
        supabase_publishable_key="sb_publishable_abcdefgh",
        database_url=None,
        vapid_private_keys=(KEY,),
        vapid_subject="mailto:ops@example.com",
        webhook_secrets=(SECRET,),
        public_url="https://bell.example",
    )
    assert expected == read_settings(ENVIRON)


def test_a_database_url_stands_in_for_the_secret_key() -> None:
    settings = read_settings(
        {**ENVIRON, "SUPABASE_SECRET_KEY": "", "DATABASE_URL": "postgresql://u:p@localhost/db"}
    )
    assert (settings.supabase_secret_key, settings.database_url) == (None, "postgresql://u:p@localhost/db")


@pytest.mark.parametrize(
    "name",
    [
        "SUPABASE_URL",
        "SUPABASE_SECRET_KEY",
        "VAPID_PRIVATE_KEY",
        "VAPID_SUBJECT",
        "WEBHOOK_SECRETS",
        "PUBLIC_URL",
    ],
)
@pytest.mark.parametrize("absent", [None, "", "  "])
def test_a_missing_setting_is_named_with_the_way_to_get_it(name: str, absent: str | None) -> None:
    assert complaint(**{name: absent}).startswith(f"{name} is missing: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SUPABASE_URL", "abc.supabase.co"),
        ("SUPABASE_URL", "http://abc.supabase.co"),
        ("SUPABASE_URL", "https://user@abc.supabase.co"),
        ("SUPABASE_URL", "https://abc.supabase.co:99999"),
        ("SUPABASE_SECRET_KEY", "sb_publishable_abcdefgh"),
        ("SUPABASE_SECRET_KEY", jwt_with("anon")),
        ("SUPABASE_PUBLISHABLE_KEY", "sb_secret_abcdefgh"),
        ("SUPABASE_PUBLISHABLE_KEY", jwt_with("service_role")),
        ("SUPABASE_SECRET_KEY", "a.###.c"),
        ("DATABASE_URL", "mysql://somewhere/else"),
        ("DATABASE_URL", "postgresql://postgres:hun%ter2secret@db.example/postgres"),
        ("DATABASE_URL", "postgresql://postgres:hunter2/secret@db.example/postgres"),
        ("DATABASE_URL", "postgresql://postgres:hunter2@secret@db.example/postgres"),
        ("DATABASE_URL", "postgresql://postgres:hunter2#secret@db.example/postgres"),
        ("VAPID_PRIVATE_KEY", "not+base64url/atall"),
        ("VAPID_PRIVATE_KEY", base64url(b"\x01" * 31)),
        ("VAPID_PRIVATE_KEY", base64url(bytes(32))),
        ("VAPID_PRIVATE_KEY", base64url(P256_ORDER.to_bytes(32, "big"))),
        ("VAPID_PRIVATE_KEY", f"{KEY} broken"),
        ("VAPID_PRIVATE_KEY", der(ec.SECP384R1())),
        ("VAPID_SUBJECT", "ops@example.com"),
        ("VAPID_SUBJECT", "mailto:ops@localhost"),
        ("VAPID_SUBJECT", "mailto:ops"),
        ("VAPID_SUBJECT", "https://localhost/contact"),
        ("VAPID_SUBJECT", "https://127.0.0.1/contact"),
        ("VAPID_SUBJECT", "http://example.com/contact"),
        ("WEBHOOK_SECRETS", "whsec_"),
        ("WEBHOOK_SECRETS", "whsec_" + base64.b64encode(b"s" * 23).decode()),
        ("WEBHOOK_SECRETS", "whsec_" + base64.b64encode(b"s" * 65).decode()),
        ("WEBHOOK_SECRETS", base64.b64encode(b"s" * 32).decode()),
        ("WEBHOOK_SECRETS", f"{SECRET} whsec_!!!!"),
        ("PUBLIC_URL", "http://bell.example"),
        ("PUBLIC_URL", "bell.example"),
        ("PUBLIC_URL", "https://bell.example/?a=b"),
        ("PUBLIC_URL", "https://bell.example\\@evil.example"),
        ("EXTRA_PUSH_ORIGINS", "https://push.example/path"),
        ("EXTRA_PUSH_ORIGINS", "http://push.example"),
        ("EXTRA_PUSH_ORIGINS", "https://a@push.example"),
        ("EXTRA_PUSH_ORIGINS", "wherever.example"),
        ("DEMO_TOKEN", "a-token-for-everyone"),
    ],
)
def test_a_malformed_setting_stops_with_one_sentence(name: str, value: str) -> None:
    assert complaint(**{name: value}).startswith(name)


@pytest.mark.parametrize("length", [24, 32, 64])
def test_webhook_secrets_of_the_standards_lengths_pass(length: int) -> None:
    secret = "whsec_" + base64.b64encode(b"s" * length).decode()
    assert (SECRET, secret) == read_settings(
        {**ENVIRON, "WEBHOOK_SECRETS": f"{SECRET}  {secret}"}
    ).webhook_secrets


@pytest.mark.parametrize("key", [KEY, KEY + "=", base64url(b"\xff" + bytes(31)), der(ec.SECP256R1())])
def test_vapid_keys_may_be_scalars_or_der(key: str) -> None:
    assert (KEY, key) == read_settings({**ENVIRON, "VAPID_PRIVATE_KEY": f"{KEY} {key}"}).vapid_private_keys


def test_a_legacy_service_role_key_passes() -> None:
    key = jwt_with("service_role")
    assert key == read_settings({**ENVIRON, "SUPABASE_SECRET_KEY": key}).supabase_secret_key


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://postgres.abc:p%2Fw%25@aws-0.pooler.example:5432/postgres?sslmode=require",
        "postgres://[::1]:5433/postgres",
        "postgresql://one.example:5432,two.example/postgres",
        "postgresql:///postgres?host=/run/postgresql",
    ],
)
def test_a_database_address_is_whatever_libpq_reads(url: str) -> None:
    assert url == read_settings({**ENVIRON, "DATABASE_URL": url}).database_url


@pytest.mark.parametrize("url", ["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"])
def test_plain_http_is_for_loopback_where_a_demo_token_may_be(url: str) -> None:
    settings = read_settings({**ENVIRON, "PUBLIC_URL": f"{url}/", "DEMO_TOKEN": "token"})
    assert (url, "token") == (settings.public_url, settings.demo_token)


def test_push_origins_are_written_as_browsers_write_them() -> None:
    origins = "https://Push.Example:443 http://localhost:9000/ https://push.example:8443"
    expected = ("https://push.example", "http://localhost:9000", "https://push.example:8443")
    assert expected == read_settings({**ENVIRON, "EXTRA_PUSH_ORIGINS": origins}).extra_push_origins


@pytest.mark.parametrize(("threads", "held"), [("64", 48), ("1", 1), ("", 3), ("many", 3), ("٣", 3)])
def test_three_quarters_of_the_threads_may_hold_requests(threads: str, held: int) -> None:
    assert held == read_settings({**ENVIRON, "THREADS": threads}).held_requests


def test_settings_show_their_names_and_never_a_value() -> None:
    shown = repr(read_settings(ENVIRON))
    assert "vapid_private_keys" in shown
    for field in fields(Settings):
        value = getattr(read_settings(ENVIRON), field.name)
        for one in value if isinstance(value, tuple) else (value,):
            assert not isinstance(one, str) or one not in shown


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost.example", False),
    ],
)
def test_loopback_is_this_machine_only(host: str, expected: bool) -> None:
    assert expected == is_loopback(host)
