"""`taskbell doctor`: what is wrong with a deployment, step by step, each with its remedy.

    settings ─▶ ask_settings ─▶ ask_database ─▶ ask_web ─▶ ask_push     probes: thin, errors are values
                      └───────────────┴─────────────┴──────────┘
                                      Facts
                                        ▼
                       check_* : one pure function a check, in order    (`checks.CHECKS`)
                                        ▼
                                     report

The probes read, with three exceptions: an empty wake-up is posted to the functions, one more is queued in the
database, and with --send-test one browser rings. No value of a setting is ever printed.
"""
