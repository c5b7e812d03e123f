"""What the stand-ins compute themselves: who a request is, and signatures.

Whether they allow and refuse what Supabase does is told in test_hosted_supabase.py.
"""

from __future__ import annotations

from tests.database.database import Database


def test_a_request_is_who_its_claims_say(database: Database) -> None:
    user = database.user()
    with database.signed_in("authenticated", user) as connection:
        [(who, role)] = connection.execute("select auth.uid()::text, auth.jwt() ->> 'role'").fetchall()
    assert (user, "authenticated") == (who, role)
    assert database.value("select auth.uid()") is None


def test_hmac_is_that_of_rfc_4231(database: Database) -> None:
    """RFC 4231 §4.2 and §4.7: a short key, and one longer than a block."""
    for key, data, expected in (
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ):
        assert expected == database.value(
            "select encode(extensions.hmac(%s, %s, 'sha256'), 'hex')", data, key
        )
