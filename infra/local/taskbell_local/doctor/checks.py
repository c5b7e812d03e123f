"""All checks, in the order in which a person mends things."""

from taskbell_local.doctor import (
    check_clocks,
    check_database,
    check_delivery,
    check_functions,
    check_page,
    check_settings,
    check_wake_up,
)

CHECKS = (
    *check_settings.checks(),
    *check_database.checks(),
    *check_clocks.checks(),
    *check_functions.checks(),
    *check_wake_up.checks(),
    *check_page.checks(),
    *check_delivery.checks(),
)
