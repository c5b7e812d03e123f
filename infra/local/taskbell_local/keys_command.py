"""`taskbell keys`: makes new keys and says where each goes. Out: lines to copy; nothing is kept."""

from taskbell_local import keys


def run() -> None:
    """Print a VAPID key pair and a webhook secret."""
    made = keys.make()
    print(f"""# New keys. They are shown once and kept nowhere: copy them now.

# Settings of the functions (on Google Cloud: Secret Manager, by reference). To change keys without losing
# subscriptions, add the new one behind the old one, with a space between.
VAPID_PRIVATE_KEY={made.vapid_private_key}
WEBHOOK_SECRETS={made.webhook_secret}

# Public; pages get it from /v1/config by themselves.
# VAPID public key: {made.vapid_public_key}

# In the database, so that it signs its wake-ups: run this in Supabase's SQL editor.
# select vault.create_secret('{made.webhook_secret}', 'taskbell_webhook_secret');""")
