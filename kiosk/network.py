"""Where this device is on its network, found out without sending anything."""

import ipaddress
import socket

_NOWHERE = "192.0.2.1"
"""An address for documentation, which nobody has: asked for, it leads the way that leads out."""


def own_address(towards: str | None = None) -> str | None:
    """This device's own IPv4 address on the way to that one, or else on its way out; None: there is no network."""
    for destination in (towards, _NOWHERE):
        found = _on_the_way_to(destination)
        if found is not None:
            return found
    return None


def _on_the_way_to(destination: str | None) -> str | None:
    try:
        # A name is not looked up: that would be a question to the network.
        aim = str(ipaddress.IPv4Address(destination or ""))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            # Of a datagram socket this chooses the way, and sends nothing.
            probe.connect((aim, 9))
            own = str(probe.getsockname()[0])
    except (OSError, ValueError):
        return None
    found = ipaddress.ip_address(own)
    return None if found.is_loopback or found.is_unspecified else own
