"""infra/gcp where a test may change and apply it, and what an operator would answer to its questions.

In: a folder. Out: the copy in it; the variables. Touches: that folder.
"""

import json
import shutil
from pathlib import Path

GCP = Path(__file__).parents[2] / "infra" / "gcp"
SECRETS = {
    "SUPABASE_SECRET_KEY": "sb_secret_hidden",
    "VAPID_PRIVATE_KEY": "A" * 42 + "E",
    "WEBHOOK_SECRETS": "whsec_" + "B" * 32,
}
VARIABLES = {
    "domain": "bell.example.com",
    "project_id": "bell-project",
    "secrets": json.dumps(SECRETS),
    "supabase_publishable_key": "sb_publishable_x",
    "supabase_url": "https://abc.supabase.co",
    "vapid_subject": "mailto:me@bell.dev",
}


def copied(checkout: Path) -> Path:
    """Copy infra/gcp to where it would be in a checkout, without what was applied from it before."""
    left_out = shutil.ignore_patterns(".terraform*", "*.tfstate*")
    return Path(shutil.copytree(GCP, checkout / "infra" / "gcp", ignore=left_out))
