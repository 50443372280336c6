"""Imported for its effect: chooses asyncio as txaio's framework.

Autobahn's own serializers take their clock from txaio, which needs a framework first.
"""

import txaio

txaio.use_asyncio()
