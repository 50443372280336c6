"""The functions that acceleration knows: their fingerprints, by version.

Written by tools/fingerprints.py.
"""

from __future__ import annotations

KNOWN: dict[str, dict[str, str]] = {
    "autobahn.asyncio.rawsocket:PrefixProtocol.connection_made": {
        "6d7e4503cfda6186": "autobahn 26.10.2",
    },
    "autobahn.asyncio.rawsocket:PrefixProtocol.data_received": {
        "9cd9b75d58071733": "autobahn 26.10.2",
    },
    "autobahn.asyncio.rawsocket:PrefixProtocol.sendString": {
        "117adb8e6b71c0b0": "autobahn 26.10.2",
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
    "autobahn.twisted.rawsocket:WampRawSocketProtocol.connectionMade": {
        "eb88452a2b5e288e": "autobahn 26.10.2",
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
    "autobahn.twisted.websocket:WebSocketAdapterProtocol.connectionMade": {
        "0940bd596b4bc2e7": "autobahn 26.10.2",
        "f4cb5bedf932d846": "autobahn 25.12.2",
    },
    "autobahn.twisted.websocket:WebSocketAdapterProtocol.dataReceived": {
        "3be2afaaba60cc49": "autobahn 26.10.2",
        "e8376cccdaa9ffad": "autobahn 25.12.2",
    },
    "autobahn.util:id": {
        "43c9f09e7f237521": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Abort.__init__": {
        "325265f9c1412f3c": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Authenticate.__init__": {
        "c90c4c1250ab8bc5": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Call.__init__": {
        "ff7b55cd0235735a": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Cancel.__init__": {
        "e43708ce0bdb128d": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Challenge.__init__": {
        "f1a959ee13c2355d": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Error.__init__": {
        "883a1be4e8f1f89d": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Event.__init__": {
        "4f6a2057749619f4": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:EventReceived.__init__": {
        "1380b41a2edd4e4f": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Goodbye.__init__": {
        "854c8bf1c333de25": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Hello.__init__": {
        "f4b7536e229fc4c4": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Interrupt.__init__": {
        "d3017b49f8b768eb": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Invocation.__init__": {
        "836f90fafd6b15cc": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Message.__init__": {
        "79e6a5fafa2c2861": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:MessageWithAppPayload._init_app_payload": {
        "795017b863a8b9bf": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:MessageWithForwardFor._init_forward_for": {
        "13624810d0b32298": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Publish.__init__": {
        "49bdd37e2f1c82c9": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Published.__init__": {
        "f9a7fb418e020d24": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Register.__init__": {
        "512fddddd1ebe0fc": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Registered.__init__": {
        "5a2baa66f428a9d5": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Result.__init__": {
        "68032d6341a77644": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Subscribe.__init__": {
        "02e985e1d78a4e1b": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Subscribed.__init__": {
        "4b6923b4c1f36b6d": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Unregister.__init__": {
        "ef565cc0c431dee1": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Unregistered.__init__": {
        "abe58b1574b1b88f": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Unsubscribe.__init__": {
        "6bb9230bc58329ad": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Unsubscribed.__init__": {
        "332c8f1b71f3203a": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Welcome.__init__": {
        "6eb77fded90bc309": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:Yield.__init__": {
        "fdee4bb91b115d7d": "autobahn 26.10.2",
    },
    "autobahn.wamp.message:_validate_kwargs": {
        "bdd1a8508a00aefd": "autobahn 26.10.2",
        "7220aaa664306fa4": "autobahn 25.12.2",
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
    "crossbar.router.dealer:Dealer._call": {
        "017eda516542d67e": "crossbar 26.10.1",
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
    "twisted.internet.abstract:FileDescriptor.doWrite": {
        "525780e7da0c81c2": "twisted 26.10.0",
        "06f7b29b642b7449": "twisted 22.10.0",
    },
    "twisted.internet.abstract:FileDescriptor.startWriting": {
        "046621b6349a4dd7": "twisted 26.10.0",
    },
    "twisted.internet.abstract:FileDescriptor.stopWriting": {
        "b88cb023ea8295a7": "twisted 26.10.0",
    },
    "twisted.internet.abstract:FileDescriptor.write": {
        "bbc63e0f4a92a152": "twisted 26.10.0",
    },
    "twisted.internet.defer:maybeDeferred": {
        "94f3a3014e46894d": "twisted 26.10.0",
        "32497997df4ba827": "twisted 22.10.0",
        "6eef521df117005a": "twisted 23.8.0",
        "ed77aeb7f65ea6e6": "twisted 23.10.0",
        "7a61aa416b15dded": "twisted 24.10.0",
    },
    "twisted.internet.epollreactor:EPollReactor": {
        "5c63c54ce99bbd36": "twisted 26.10.0",
    },
    "twisted.internet.epollreactor:EPollReactor.addWriter": {
        "52d5d3e53f0fc4af": "twisted 26.10.0",
    },
    "twisted.internet.epollreactor:EPollReactor.doPoll": {
        "bc6ef678035f9529": "twisted 26.10.0",
    },
    "twisted.internet.epollreactor:EPollReactor.removeReader": {
        "ff33cc9ecc1cc3a1": "twisted 26.10.0",
    },
    "twisted.internet.epollreactor:EPollReactor.removeWriter": {
        "64d3f6fe1137837f": "twisted 26.10.0",
    },
    "twisted.internet.posixbase:PosixReactorBase._removeAll": {
        "5a8a130c2405a637": "twisted 26.10.0",
    },
    "twisted.internet.posixbase:_DisconnectSelectableMixin._disconnectSelectable": {
        "423a2be031302ea5": "twisted 26.10.0",
    },
    "twisted.internet.posixbase:_PollLikeMixin._doReadOrWrite": {
        "efe08a13f494e95a": "twisted 26.10.0",
    },
    "twisted.internet.tcp:BaseClient": {
        "85ad0e4ff35d32b1": "twisted 26.10.0",
        "6b9fe940208f6c0c": "twisted 22.10.0",
    },
    "twisted.internet.tcp:Connection": {
        "8a15f08c1761bb72": "twisted 26.10.0",
        "19273035bd019a59": "twisted 22.10.0",
        "e7cd2413521e03cb": "twisted 24.11.0",
    },
    "twisted.internet.tcp:Connection.doRead": {
        "c1cfad26da8a92d3": "twisted 26.10.0",
        "e02ef6ec8621ee7d": "twisted 22.10.0",
    },
    "twisted.internet.tcp:Connection.writeSomeData": {
        "c853bfc496022bf2": "twisted 26.10.0",
        "592718a5614e3c8f": "twisted 22.10.0",
        "f44ec0a80f4b8c01": "twisted 24.11.0",
    },
    "twisted.protocols.basic:IntNStringReceiver": {
        "74f2251e27873f48": "twisted 26.10.0",
    },
    "twisted.protocols.basic:IntNStringReceiver.dataReceived": {
        "8b611527c840eeb0": "twisted 26.10.0",
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
