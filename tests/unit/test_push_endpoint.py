"""Only push services are sent to, whatever a user hands us as an endpoint."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskbell.push import AllowedOrigins, EndpointRefused, check_endpoint, endpoint_label

KNOWN = AllowedOrigins()


@pytest.mark.parametrize(
    ("endpoint", "origin"),
    [
        ("https://fcm.googleapis.com/fcm/send/cX:APA91b-_x", "https://fcm.googleapis.com"),
        ("https://jmt17.google.com/fcm/send/cX:APA91b", "https://jmt17.google.com"),
        (
            "https://updates.push.services.mozilla.com/wpush/v2/gAAAAA-_==",
            "https://updates.push.services.mozilla.com",
        ),
        (
            "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAC%2bx%3d",
            "https://wns2-par02p.notify.windows.com",
        ),
        ("https://web.push.apple.com/QGuQyavXutnMH", "https://web.push.apple.com"),
        ("https://api.eu.push.apple.com/3/device", "https://api.eu.push.apple.com"),
    ],
)
def test_the_known_push_services_are_accepted(endpoint: str, origin: str) -> None:
    assert origin == check_endpoint(endpoint, KNOWN)


@pytest.mark.parametrize(
    "endpoint",
    [
        pytest.param("", id="empty"),
        pytest.param("/push/1", id="relative"),
        pytest.param("//fcm.googleapis.com/x", id="no scheme"),
        pytest.param("http://fcm.googleapis.com/x", id="http"),
        pytest.param("HTTPS://fcm.googleapis.com/x", id="scheme in capitals"),
        pytest.param("ftp://fcm.googleapis.com/x", id="ftp"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("gopher://fcm.googleapis.com/x", id="gopher"),
        pytest.param("https://example.com/x", id="another host"),
        pytest.param("https://169.254.169.254/x.push.apple.com/", id="metadata service, name in the path"),
        pytest.param("https://169.254.169.254/?.push.apple.com", id="name in the query"),
        pytest.param("https://169.254.169.254#.push.apple.com/", id="name in the fragment"),
        pytest.param("https://127.0.0.1/x", id="IPv4"),
        pytest.param("https://2130706433/x", id="IPv4 as a number"),
        pytest.param("https://0x7f.1/x", id="IPv4 in hex"),
        pytest.param("https://[::1]/x", id="IPv6"),
        pytest.param("https://[::ffff:127.0.0.1]/x", id="IPv4 in IPv6"),
        pytest.param("https://localhost/x", id="localhost"),
        pytest.param("https://user@fcm.googleapis.com/x", id="user name"),
        pytest.param("https://fcm.googleapis.com@evil.example/x", id="host as user name"),
        pytest.param("https://fcm.googleapis.com:x@evil.example/x", id="host as user, with password"),
        pytest.param("https://evil.example\\@fcm.googleapis.com/x", id="backslash before @"),
        pytest.param("https://evil.example\\.push.apple.com/x", id="backslash"),
        pytest.param("https://fcm.googleapis.com:443/x", id="default port"),
        pytest.param("https://fcm.googleapis.com:22/x", id="another port"),
        pytest.param("https://fcm.googleapis.com:/x", id="empty port"),
        pytest.param("https://fcm.googleapis.com./x", id="trailing dot"),
        pytest.param("https://.push.apple.com/x", id="empty label"),
        pytest.param("https://a..push.apple.com/x", id="empty label within"),
        pytest.param("https://push.apple.com/x", id="the bare suffix"),
        pytest.param("https://evilpush.apple.com/x", id="suffix without its dot"),
        pytest.param("https://fcm.googleapis.com.evil.example/x", id="known host as prefix"),
        pytest.param("https://xfcm.googleapis.com/x", id="known host as suffix"),
        pytest.param("https://x.fcm.googleapis.com/x", id="below a known host"),
        pytest.param("https://FCM.googleapis.com/x", id="capitals"),
        pytest.param("https://fcm。googleapis。com/x", id="ideographic dots"),
        pytest.param("https://fcm.googleapis.c\u03bfm/x", id="Greek letter"),
        pytest.param("https://xn--fcm-.push.apple.com/x", id="international name"),
        pytest.param("https://ﬁ.push.apple.com/x", id="ligature"),
        pytest.param("https://fcm.googleapis.com%2eevil.example/x", id="escaped dot"),
        pytest.param("https://fcm.googleapis.com", id="no path"),
        pytest.param("https://fcm.googleapis.com?x", id="no path, a query"),
        pytest.param("https://fcm.googleapis.com/x#y", id="fragment"),
        pytest.param("https://fcm.googleapis.com/x y", id="space"),
        pytest.param("https://fcm.googleapis.com/x\r\nHost: evil.example", id="header injection"),
        pytest.param("https://fcm.googleapis.com/x\n", id="line break at the end"),
        pytest.param("https://fcm.googleapis.com/\0", id="zero byte"),
        pytest.param("https://fcm.googleapis.com/é", id="not ASCII"),
        pytest.param(" https://fcm.googleapis.com/x", id="space before"),
        pytest.param("https://fcm.googleapis.com/" + "x" * 2048, id="too long"),
        pytest.param("https://" + "a" * 64 + ".push.apple.com/x", id="label too long"),
        pytest.param("https://-a.push.apple.com/x", id="label with a dash first"),
    ],
)
def test_everything_else_is_refused_and_never_quoted(endpoint: str) -> None:
    with pytest.raises(EndpointRefused) as refused:
        check_endpoint(endpoint, KNOWN)
    assert "endpoint_not_allowed" == refused.value.reason
    assert len(endpoint) < 9 or endpoint not in str(refused.value)


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("https:/.fcmgoleapis@\\?#%[]0127pushwxn- \n。"), max_size=60))
def test_whatever_is_accepted_is_at_a_known_host(tail: str) -> None:
    """Judged here by another parser than the one under test."""
    from urllib.parse import urlsplit

    try:
        check_endpoint(f"https://{tail}.push.apple.com/x", KNOWN)
    except EndpointRefused:
        return
    parts = urlsplit(f"https://{tail}.push.apple.com/x")
    assert parts.hostname is not None
    assert parts.hostname.endswith(".push.apple.com")
    assert (None, None, None) == (parts.port, parts.username, parts.password)


def test_an_added_origin_is_accepted_exactly_as_written() -> None:
    allowed = AllowedOrigins(["https://push.example.com:8443", "http://localhost:9000"])
    assert "https://push.example.com:8443" == check_endpoint("https://push.example.com:8443/a?b=c", allowed)
    assert "http://localhost:9000" == check_endpoint("http://localhost:9000/x", allowed)
    for other in (
        "https://push.example.com/a",
        "https://push.example.com:84430/a",
        "https://a.push.example.com:8443/a",
        "http://push.example.com:8443/a",
        "http://localhost:90000/x",
        "http://localhost:9000@evil.example/x",
        "https://localhost:9000/x",
    ):
        with pytest.raises(EndpointRefused):
            check_endpoint(other, allowed)


@pytest.mark.parametrize(
    "origin",
    [
        "push.example.com",
        "https://push.example.com/",
        "https://push.example.com/x",
        "https://user@push.example.com",
        "https://*.example.com",
        "https://Push.example.com",
        "http://push.example.com",
        "http://localhost.evil.example",
        "http://10.0.0.1",
        "ftp://localhost",
        "",
    ],
)
def test_an_added_origin_that_is_none_or_is_not_safe_is_refused(origin: str) -> None:
    with pytest.raises(EndpointRefused):
        AllowedOrigins([origin])


def test_logs_tell_endpoints_apart_without_giving_them_away() -> None:
    endpoint = "https://fcm.googleapis.com/fcm/send/secret"
    assert "https://fcm.googleapis.com#" == endpoint_label(endpoint)[:-8]
    assert endpoint_label(endpoint) != endpoint_label(endpoint + "2")
    assert "unknown#" == endpoint_label("\0not a URL")[:-8]
