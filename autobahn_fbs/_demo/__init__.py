"""``python -m autobahn_fbs demo``: shows the drop-in in a real router, with measurements.

=============  ====================================================================
``main``       what happens, in order
``config``     who may join and how, and the router's configuration for it
``router``     the router's process: start, wait, show what went wrong, stop
``sessions``   an Autobahn session that joins or is refused, and logs its messages
``talk``       publish and subscribe, call and register, between two sessions
``links``      several routers, linked
``linked``     messages of sessions at linked routers
``samples``    the messages that are measured
``rates``      sizes and message rates beside Autobahn's own serializers
``cost``       what a small event costs a router and a client: stock, drop-in, accelerated
``report``     how all of it is printed
=============  ====================================================================
"""

from __future__ import annotations


def main(nodes: int = 1) -> int:
    """Runs the demo with this many routers. Returns the exit status: 0 if everything succeeded,
    else 1."""
    from .main import main

    return main(nodes)
