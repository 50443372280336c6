"""``python -m autobahn_fbs bench``, and the parts that the suites in ``benchmarks/`` share.

==============  =====================================================================
``messages``    the messages: classes, payload sizes, modes
``contenders``  the serializers, each checked before it is timed
``jobs``        what is timed: serialize, unserialize, read, fan out, pass on
``races``       contenders in turn, ratios of side-by-side measurements
``short``       the short version: progress, then a table of ratios
==============  =====================================================================
"""

from __future__ import annotations


def main() -> int:
    """Runs the short version, in about 20 seconds of processor time; returns the exit status."""
    from .short import main

    return main()
