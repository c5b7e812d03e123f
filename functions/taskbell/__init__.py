"""A task changes; its owner's phones and desktops ring.

     pg_net ─▶ webhook ─┐                                   ┌─▶ push services ─▶ browsers
    pg_cron ─▶ sweep ───┤                                   │
                        ▼                                   │
       intake:  verify ─▶ parse ─▶ record                   │ push: encrypt · vapid · sender
                                     │                      │
       notify:                    claim ─▶ decide ─▶ apply ─┴─▶ settle
                                     ▲                 │          │
    ═════════ gateway ═══════════════╪═════════════════╪══════════╪═════════ Postgres: taskbell_* functions
                                     ▲
    the page ─▶ api ─────────────────┘  subscriptions · inbox · contacts · tasks · preferences · receipts

One batch is three round trips (claim, apply, settle) however large it is, and may be cut off after any of
them: what was claimed is leased, and due again when its lease ends. `decide`, `message`, `digest` and
`outcome` are pure.

Imports go one way: app → api | intake | notify → push | gateway → model → errors | settings.
"""
