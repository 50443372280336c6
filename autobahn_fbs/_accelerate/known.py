"""The functions that acceleration knows: their fingerprints, by version.

Written by tools/fingerprints.py.
"""

from __future__ import annotations

KNOWN: dict[str, dict[str, str]] = {
    "autobahn.asyncio.rawsocket:PrefixProtocol.connection_made": {
        "6d7e4503cfda6186": "autobahn 26.10.2",
    },
    "autobahn.asyncio.rawsocket:RawSocketProtocol.data_received": {
        "300030a127c88fa8": "autobahn 26.10.2",
        "b12e6f7b1186755b": "autobahn 25.12.2",
    },
    "autobahn.asyncio.rawsocket:WampRawSocketMixinGeneral.send": {
        "44b7aba2ee7f5025": "autobahn 26.10.2",
        "461cac026da8a38e": "autobahn 25.12.2",
    },
    "autobahn.asyncio.rawsocket:WampRawSocketMixinGeneral.stringReceived": {
        "61d6664415081bb9": "autobahn 26.10.2",
    },
    "autobahn.asyncio.websocket:WebSocketAdapterProtocol.connection_made": {
        "71c31b3579fa964a": "autobahn 26.10.2",
    },
    "autobahn.nvx._xormasker:XorMaskerNvx": {
        "690f3c511095f428": "autobahn 26.10.2",
    },
    "autobahn.twisted.rawsocket:WampRawSocketClientProtocol.dataReceived": {
        "40d140b1eda1a34a": "autobahn 26.10.2",
        "85a8f1aa5803f9c7": "autobahn 25.12.2",
    },
    "autobahn.twisted.rawsocket:WampRawSocketProtocol.send": {
        "8e7b8a1e785fd1bf": "autobahn 26.10.2",
        "5fb24d1d3369dc48": "autobahn 25.12.2",
    },
    "autobahn.twisted.rawsocket:WampRawSocketProtocol.stringReceived": {
        "5d336e2a4abbe2ec": "autobahn 26.10.2",
    },
    "autobahn.twisted.rawsocket:WampRawSocketServerProtocol.dataReceived": {
        "96b1714789783274": "autobahn 26.10.2",
        "ff884aace8b83fc2": "autobahn 25.12.2",
    },
    "autobahn.twisted.websocket:WebSocketAdapterProtocol.dataReceived": {
        "3be2afaaba60cc49": "autobahn 26.10.2",
        "e8376cccdaa9ffad": "autobahn 25.12.2",
    },
    "autobahn.util:id": {
        "43c9f09e7f237521": "autobahn 26.10.2",
    },
    "autobahn.wamp.protocol:ApplicationSession.onMessage": {
        "0cfa5cb3f2721c52": "autobahn 26.10.2",
        "8adf9500f52c61f6": "autobahn 25.12.2",
    },
    "autobahn.wamp.websocket:WampWebSocketProtocol.onMessage": {
        "b210755dce8b2233": "autobahn 26.10.2",
        "fcaa00edc1162514": "autobahn 25.12.2",
    },
    "autobahn.wamp.websocket:WampWebSocketProtocol.send": {
        "b2d0309bb776a2c2": "autobahn 26.10.2",
        "6beec346369c58e0": "autobahn 25.12.2",
    },
    "autobahn.websocket.protocol:PreparedMessage.__init__": {
        "016cce4ce3173234": "autobahn 26.10.2",
        "02a6a6daaf5c0948": "autobahn 25.12.2",
    },
    "autobahn.websocket.protocol:WebSocketProtocol.beginMessageFrame": {
        "1bc7b7252d33df0d": "autobahn 26.10.2",
        "a699a03773576250": "autobahn 25.12.2",
    },
    "autobahn.websocket.protocol:WebSocketProtocol.consumeData": {
        "d44b961e244b7d76": "autobahn 26.10.2",
        "b5200e169f6c2439": "autobahn 25.12.2",
    },
    "autobahn.websocket.protocol:WebSocketProtocol.logRxFrame": {
        "a170bdb51d0c6699": "autobahn 26.10.2",
        "c3338590e5378bb0": "autobahn 25.12.2",
    },
    "autobahn.websocket.protocol:WebSocketProtocol.logRxOctets": {
        "7866422e895fe60c": "autobahn 26.10.2",
        "539240bd2dc779b0": "autobahn 25.12.2",
    },
    "autobahn.websocket.protocol:WebSocketProtocol.logTxFrame": {
        "1c7121c08272d544": "autobahn 26.10.2",
        "fbff0a824bd9f76d": "autobahn 25.12.2",
    },
    "autobahn.websocket.protocol:WebSocketProtocol.logTxOctets": {
        "bdf92a926b81fec9": "autobahn 26.10.2",
        "2be4955075ba8b19": "autobahn 25.12.2",
    },
    "autobahn.websocket.protocol:WebSocketProtocol.onFrameData": {
        "6be8cd613ed218d8": "autobahn 26.10.2",
        "0c03af236bd42df0": "autobahn 25.12.2",
        "6ed2042018da0e3a": "autobahn 26.6.1",
        "92ef2aeb882ea0b5": "autobahn 26.7.1",
    },
    "autobahn.websocket.protocol:WebSocketProtocol.processData": {
        "a7f0c098fa5f6cb5": "autobahn 26.10.2",
        "e86396e3f0401f18": "autobahn 25.12.2",
    },
    "autobahn.websocket.protocol:WebSocketProtocol.sendData": {
        "f14acee2938df78a": "autobahn 26.10.2",
        "9be914de95082697": "autobahn 25.12.2",
    },
    "autobahn.websocket.protocol:WebSocketProtocol.sendFrame": {
        "579e663b7e7a5096": "autobahn 26.10.2",
        "55722f8d825fc5ac": "autobahn 25.12.2",
    },
    "crossbar.router.broker:Broker.processPublish": {
        "dc7ae615bbabaf18": "crossbar 26.10.1",
    },
    "crossbar.router.broker:Broker.processSubscribe": {
        "88534452b8281335": "crossbar 26.10.1",
    },
    "crossbar.router.dealer:Dealer.processCall": {
        "a2a0996512e163a3": "crossbar 26.10.1",
    },
    "crossbar.router.dealer:Dealer.processInvocationError": {
        "11877905b48343f0": "crossbar 26.10.1",
    },
    "crossbar.router.dealer:Dealer.processRegister": {
        "79f04010b620518a": "crossbar 26.10.1",
    },
    "crossbar.router.dealer:Dealer.processYield": {
        "66f5393c2ee50d36": "crossbar 26.10.1",
    },
    "crossbar.router.role:RouterRole.authorize": {
        "819d003326ba5363": "crossbar 26.10.1",
    },
    "crossbar.router.role:RouterRoleDynamicAuth.authorize": {
        "e11f424fb4d03a7d": "crossbar 26.10.1",
    },
    "crossbar.router.role:RouterRoleStaticAuth": {
        "0313aceac7a519bc": "crossbar 26.10.1",
    },
    "crossbar.router.role:RouterRoleStaticAuth.authorize": {
        "ebbe5422d334cd77": "crossbar 26.10.1",
    },
    "crossbar.router.role:RouterTrustedRole.authorize": {
        "cbffcc5fdc7366f7": "crossbar 26.10.1",
    },
    "crossbar.router.router:Router.authorize": {
        "0eab0d3db09c8914": "crossbar 26.10.1",
    },
    "crossbar.router.router:Router.send": {
        "f0c21124ceadeb50": "crossbar 26.10.1",
    },
    "crossbar.router.router:Router.validate": {
        "8edfb6fd92ba2ff3": "crossbar 26.10.1",
    },
    "crossbar.router.session:RouterApplicationSession.send": {
        "6d4394b042707f46": "crossbar 26.10.1",
    },
    "crossbar.router.session:RouterSession.onMessage": {
        "9033f6fd7ff674f6": "crossbar 26.10.1",
    },
    "twisted.internet.defer:maybeDeferred": {
        "94f3a3014e46894d": "twisted 26.10.0",
        "32497997df4ba827": "twisted 22.10.0",
        "6eef521df117005a": "twisted 23.8.0",
        "ed77aeb7f65ea6e6": "twisted 23.10.0",
        "7a61aa416b15dded": "twisted 24.10.0",
    },
    "txaio.aio:_AsyncioApi.add_callbacks": {
        "5483d8969e138a58": "txaio 26.6.1",
    },
    "txaio.aio:_AsyncioApi.as_future": {
        "6e85c7bae80b5d73": "txaio 26.6.1",
    },
    "txaio.aio:_TxaioLogWrapper": {
        "1cd880fce4ccd512": "txaio 26.6.1",
    },
    "txaio.aio:_no_op": {
        "f24299e277aaafcd": "txaio 26.6.1",
    },
    "txaio.tx:Logger": {
        "c7b2a1818c2bac6d": "txaio 26.6.1",
        "740a8c018fe7deb4": "txaio 25.9.2",
    },
    "txaio.tx:_TxApi.add_callbacks": {
        "8592322f7266afa2": "txaio 26.6.1",
    },
    "txaio.tx:_TxApi.as_future": {
        "11382b354cbaf0aa": "txaio 26.6.1",
    },
    "txaio.tx:_no_op": {
        "6c27ddbe7fe68449": "txaio 26.6.1",
    },
}
