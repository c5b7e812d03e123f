"""How a test finds things on the page: the only place that knows its markup."""

NOTIFY_BUTTON = '[data-testid="notify"]'
STATUS_LINE = '[data-testid="status-line"]'
CONTACT_NAME = '[data-testid="contact-name"]'
DRAFT = '[data-testid="draft"]'
TASK = '[data-testid="task"]'
FOLLOWUP = '[data-testid="followup"]'
ELAPSED = '[data-testid="elapsed"]'
ASSIGN_FORM = '[data-testid="assign-form"]'
ASSIGN_BUTTON = '[data-testid="assign"]'
CLOSE = '[data-testid="close"]'
TOAST = '[data-testid="toasts"]'
TROUBLE = '[data-testid="trouble"]'
ANNOUNCER = '[data-testid="announcer"]'
BROWSER = '[data-testid="browser"]'
HEALTH = '[data-testid="health"]'
PREFERENCES = '[data-testid="preferences"]'
SAVED = '[data-testid="saved"]'
PUSH_HELP = '[data-testid="push-help"]'
READY = "html[data-ready]"
# Given a name and a contact: whether what the browser keeps under that name tells of that contact.
REMEMBERED = "([what, id]) => memory.get(what).then((kept) => JSON.stringify(kept ?? null).includes(id))"
VIEWS = {
    "list": "#list",
    "contact": CONTACT_NAME,
    "settings": '#app[data-place="settings"] #side h2',
}


def push(state: str) -> str:
    """Return the selector of the status line while push is on, off, denied, unreachable, …."""
    return f'{STATUS_LINE}[data-push="{state}"]'


def updates(state: str) -> str:
    """Return the selector of the status line while updates are live, polling, …."""
    return f'{STATUS_LINE}[data-updates="{state}"]'


def card(contact_id: str) -> str:
    """Return the selector of a contact's card."""
    return f'contact-card[contact-id="{contact_id}"]'


def group(part: str) -> str:
    """Return the selector of a part of the list: attention, working, rest."""
    return f'[data-testid="group-{part}"]'


def badge(contact_id: str, status: str | None = None) -> str:
    """Return the selector of a contact's badge, in one status or in any."""
    return f'{card(contact_id)} [data-testid="badge"]' + (f'[data-status="{status}"]' if status else "")


def trouble(reason: str) -> str:
    """Return the selector of the box that says what is wrong: offline, server, storage."""
    return f'{TROUBLE}[data-reason="{reason}"]'


def action(name: str) -> str:
    """Return the selector of a button: approve, reject, retry, mute, rename, remove, test, …."""
    return f'[data-action="{name}"]'


def preference(name: str) -> str:
    """Return the selector of a switch or a field of the settings: kind:failed, quiet, from, language, …."""
    return f'{PREFERENCES} [name="{name}"]'
