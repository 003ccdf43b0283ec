"""What the kiosk and the hub say to each other, and how.

The ground floor: messages, identifiers, seals, the hash chain, errors, the exchange engine, its pace,
and the one file that speaks HTTP. Nothing here knows Flask, SQL, the clock or the environment.
"""

PROTO = 1
"""The protocol version this code speaks; every message carries it."""
SPOKEN = range(max(1, PROTO - 2), PROTO + 1)
"""The versions a hub takes facts in: a kiosk may wake up months later."""
