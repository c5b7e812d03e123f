"""The name under which a newer message replaces an older one.

In: a user, a contact or a task, an agent. Out: 32 base64url characters that tell a push service nothing.
Pure.
"""

import base64
import hashlib


def topic(user_id: str, subject: str, agent_id: str | None) -> str:
    """Return the Topic (RFC 8030 §5.4: at most 32 base64url characters), which is the tag on screen too.

    `subject` is a contact's id, or `task:` and a task's id where there is no contact. Apple refuses a Topic
    whose length leaves 1 when divided by 4, so it is always the full 32: the first 24 bytes of a SHA-256.
    """
    digest = hashlib.sha256("|".join([user_id, subject, agent_id or ""]).encode()).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()
