"""Secrets are compared in a time that tells nothing: each candidate with each secret."""

from __future__ import annotations

import ast
import hmac
from pathlib import Path

import pytest

import taskbell
from taskbell.intake.verify import sign, verify
from taskbell.notify.receipt import receipt_token, verify_receipt

SECRETS = ["whsec_" + letter * 32 for letter in "ABC"]
NOW = 1_767_225_600
FUNCTIONS = Path(taskbell.__file__).parent


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Collect how each comparison ended."""
    ends: list[bool] = []
    real = hmac.compare_digest

    def recording(one: bytes, other: bytes) -> bool:
        ends.append(real(one, other))
        return ends[-1]

    monkeypatch.setattr(hmac, "compare_digest", recording)
    return ends


@pytest.mark.parametrize("which", range(3))
def test_a_signature_is_compared_with_every_secret_whichever_made_it(
    compared: list[bool], which: int
) -> None:
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(NOW),
        "webhook-signature": sign("msg_1", NOW, b"{}", SECRETS[which]),
    }
    verify(headers, b"{}", secrets=SECRETS, now=NOW)
    assert compared == [number == which for number in range(3)]


@pytest.mark.parametrize("which", range(3))
def test_a_shown_secret_is_compared_with_every_one(compared: list[bool], which: int) -> None:
    verify({"x-taskbell-secret": SECRETS[which]}, b"{}", secrets=SECRETS, now=NOW)
    assert compared == [number == which for number in range(3)]


def test_a_receipt_is_compared_with_every_secret(compared: list[bool]) -> None:
    assert verify_receipt(receipt_token(7, SECRETS[:1]), SECRETS) == 7
    assert compared == [True, False, False]


def test_no_secret_is_compared_in_any_other_way() -> None:
    """Whoever compares something named like a secret with == gets to hear of it here."""
    telling = ("secret", "signature", "token", "digest", "mac")
    found = []
    for file in FUNCTIONS.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.In):
                sides = [node.left, *node.comparators]
                names = [side.id for side in sides if isinstance(side, ast.Name)]
                names += [side.attr for side in sides if isinstance(side, ast.Attribute)]
                if any(name.lower().endswith(telling) for name in names):
                    found.append(f"{file.name}:{node.lineno}")
    assert found == []
