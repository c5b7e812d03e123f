"""Which settings are missing or malformed. In: variables. Out: every fault, not only the first. No I/O."""

from collections.abc import Mapping

from taskbell.errors import SettingsError
from taskbell.push import AllowedOrigins, EndpointRefused
from taskbell.settings import read_settings
from taskbell_local.doctor.facts import SettingsFacts
from taskbell_local.errors import StackError

# A well-formed stand-in for each that has a fault, so that the next fault shows.
FILLERS = {
    "SUPABASE_URL": "http://localhost:9",
    "SUPABASE_SECRET_KEY": "sb_secret_filler",
    "SUPABASE_PUBLISHABLE_KEY": "",
    "DATABASE_URL": "postgresql://127.0.0.1:1/filler",
    "VAPID_PRIVATE_KEY": "A" * 42 + "E",
    "VAPID_SUBJECT": "mailto:filler@example.com",
    "WEBHOOK_SECRETS": "whsec_" + "A" * 32,
    "PUBLIC_URL": "http://localhost:9",
    "EXTRA_PUSH_ORIGINS": "",
    "SWEEP_CALLER": "",
    "DEMO_TOKEN": "",
}


def ask_settings(environ: Mapping[str, str]) -> SettingsFacts:
    """Return the settings, each faulty one replaced by a filler, and the faults by variable.

    Raises StackError for a fault that no filler mends.
    """
    tried, faults = dict(environ), dict[str, str]()
    while True:
        try:
            settings = read_settings(tried)
            AllowedOrigins(settings.extra_push_origins)
        except SettingsError as error:
            # The sentence begins with the variable's name.
            name, sentence = error.message.split()[0], error.message
        except EndpointRefused as error:
            name, sentence = (
                "EXTRA_PUSH_ORIGINS",
                f"EXTRA_PUSH_ORIGINS is refused by the sender: {error.message}.",
            )
        else:
            return SettingsFacts(settings, faults, environ)
        if name in faults or name not in FILLERS:
            raise StackError("bad_settings", sentence)
        faults[name] = sentence
        tried[name] = FILLERS[name]
