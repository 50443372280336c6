"""The part ``writes`` on Twisted: connections that have data are noted, and epoll is told only if a
socket doesn't take everything."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autobahn_fbs
from autobahn_fbs import _accelerate

if not hasattr(select, "epoll"):
    pytest.skip("there is no epoll here", allow_module_level=True)
pytest.importorskip("twisted.internet.tcp")

from twisted.internet import tcp
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.interfaces import IHalfCloseableProtocol, IOpenSSLContextFactory
from twisted.internet.protocol import ClientFactory, Protocol
from twisted.python import log
from zope.interface import directlyProvides, implementer

IN, OUT = select.EPOLLIN, select.EPOLLOUT


class Poller:
    """An epoll object that records what it was told."""

    def __init__(self, poller: Any) -> None:
        self._poller = poller
        self.known: dict[int, int] = {}
        self.calls = 0

    def register(self, fd: int, flags: int) -> None:
        self._poller.register(fd, flags)
        self.known[fd] = flags
        self.calls += 1

    def modify(self, fd: int, flags: int) -> None:
        self._poller.modify(fd, flags)
        self.known[fd] = flags
        self.calls += 1

    def unregister(self, fd: int) -> None:
        self._poller.unregister(fd)
        del self.known[fd]
        self.calls += 1

    def poll(self, timeout: float, count: int) -> Any:
        return self._poller.poll(timeout, count)


class Talk(Protocol):  # type: ignore[misc]
    """Keeps what happens to a connection."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.received = b""
        self.answer: Callable[[bytes], None] = lambda data: None

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        self.answer(data)

    def connectionLost(self, reason: Any) -> None:
        self.seen.append(f"lost: {reason.type.__name__}")


@implementer(IHalfCloseableProtocol)
class Half(Talk):
    def readConnectionLost(self) -> None:
        self.seen.append("no more input")

    def writeConnectionLost(self) -> None:
        self.seen.append("no more output")


class Site:
    """A reactor with connections to plain sockets."""

    def __init__(self) -> None:
        self.reactor: Any = EPollReactor()
        self.poller: Any = Poller(self.reactor._poller)
        self.poller.known = dict.fromkeys(self.reactor._reads, IN)
        self.reactor._poller = self.poller
        self._sockets: list[socket.socket] = []
        self._talks: list[Any] = []

    def connect(self, kind: type[Talk] = Talk) -> tuple[Any, socket.socket]:
        """A protocol of a server, and its peer."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            peer = socket.create_connection(listening.getsockname(), 5)
            accepted, address = listening.accept()
        self._sockets.append(peer)
        talk = kind()
        self._talks.append(talk)
        talk.makeConnection(tcp.Server(accepted, talk, address, None, 0, self.reactor))
        return talk, peer

    def spin(self, done: Callable[[], Any]) -> None:
        """Iterates until `done` is true."""
        for _ in range(500):
            if done():
                return
            self.reactor.iterate(0.01)
        raise TimeoutError

    def writers(self) -> list[Any]:
        found: list[Any] = self.reactor.getWriters()
        return found

    def noted(self) -> dict[int, Any]:
        return dict(getattr(self.reactor, "_autobahn_fbs_noted", {}))

    def check(self) -> None:
        """epoll knows of each reader and writer, or the writer is noted."""
        noted = self.noted()
        reads, writes = set(self.reactor._reads), set(self.reactor._writes) - set(noted)
        assert set(noted) <= self.reactor._writes & self.reactor._reads
        expected = {fd: IN * (fd in reads) | OUT * (fd in writes) for fd in reads | writes}
        assert self.poller.known == expected

    def close(self) -> None:
        from twisted.internet.error import ConnectionDone
        from twisted.python.failure import Failure

        for talk in self._talks:
            talk.transport.connectionLost(Failure(ConnectionDone()))
        for each in self._sockets:
            each.close()
        for each in list(self.reactor._internalReaders):
            self.reactor.removeReader(each)
            each.connectionLost(None)
        self.poller._poller.close()


@pytest.fixture
def site() -> Iterator[Site]:
    """A reactor with the part on."""
    with autobahn_fbs.accelerate(["writes"]):
        assert _accelerate.status()["writes"]["twisted.internet.epollreactor"] == ("on", None)
        it = Site()
        it.reactor.iterate(0)
        yield it
        it.check()
        it.close()


@pytest.fixture(params=["stock", "accelerated"])
def either(request: Any) -> Iterator[Site]:
    """A reactor without and with the part: both must pass."""
    if request.param == "accelerated":
        yield request.getfixturevalue("site")
        return
    it = Site()
    yield it
    it.check()
    it.close()


def read(peer: socket.socket, count: int) -> bytes:
    """`count` bytes, or those until the end of the stream."""
    data = b""
    while len(data) < count and (more := peer.recv(count - len(data))):
        data += more
    return data


def fill(site: Site, talk: Any) -> int:
    """Writes until the socket takes no more; returns the number of bytes."""
    size = 0
    for _ in range(200):
        talk.transport.write(bytes(1 << 20))
        size += 1 << 20
        for _ in range(12):
            site.reactor.iterate(0)
        if talk.transport in site.writers():
            return size
    raise AssertionError("the socket takes everything")


def test_a_send_tells_epoll_nothing(site):
    talk, peer = site.connect()
    calls = site.poller.calls
    for _ in range(10):
        talk.transport.write(b"data")
        assert site.writers() == [talk.transport]
        site.reactor.iterate(0)
        assert site.writers() == []
    assert read(peer, 40) == b"data" * 10
    assert site.poller.calls == calls


def test_what_is_written_before_the_poll_is_sent_after_it_in_one_piece(either):
    talk, peer = either.connect()
    sizes: list[int] = []
    write = talk.transport.writeSomeData
    talk.transport.writeSomeData = lambda data: (sizes.append(len(data)), write(data))[1]
    either.reactor.callLater(0, lambda: (talk.transport.write(b"ab"), talk.transport.write(b"cd")))
    either.reactor.iterate(5)
    assert sizes == [4]
    assert read(peer, 4) == b"abcd"


def test_what_an_event_of_the_poll_adds_goes_with_it(either):
    talk, peer = either.connect()
    talk.answer = lambda data: talk.transport.write(b"answer")
    peer.sendall(b"ask")
    select.select([talk.transport.socket], [], [], 5)
    talk.transport.write(b"first, ")
    either.reactor.iterate(0)
    peer.setblocking(False)
    assert peer.recv(100) == b"first, answer"


def test_an_answer_is_sent_by_the_next_poll(either):
    talk, peer = either.connect()
    talk.answer = talk.transport.write
    peer.sendall(b"echo")
    either.spin(lambda: talk.received)
    assert either.writers() == [talk.transport]
    either.reactor.iterate(5)
    assert read(peer, 4) == b"echo"
    assert either.writers() == []


def test_a_replaced_method_of_the_reactor_is_called(either):
    talk, _ = either.connect()
    asked: list[Any] = []
    add = either.reactor.addWriter
    either.reactor.addWriter = lambda writer: (asked.append(writer), add(writer))
    talk.transport.write(b"data")
    assert asked == [talk.transport]
    either.reactor.iterate(0)


def test_a_descriptor_that_epoll_no_longer_knows_is_logged_and_does_not_stop_the_others(site):
    lost, _ = site.connect()
    other, peer = site.connect()
    fill(site, lost)
    site.reactor.removeWriter(lost.transport)
    fd, modify = lost.transport.fileno(), site.poller.modify

    def forgotten(number: int, flags: int) -> None:
        if number == fd and flags & OUT:
            raise OSError(9, "Bad file descriptor")
        modify(number, flags)

    site.poller.modify = forgotten
    logged: list[Any] = []
    log.addObserver(logged.append)
    try:
        lost.transport.startWriting()
        other.transport.write(b"data")
        site.reactor.iterate(0)
    finally:
        log.removeObserver(logged.append)
    assert read(peer, 4) == b"data"
    assert [each["failure"].type for each in logged if each["isError"]] == [OSError]
    assert site.writers() == []


def test_a_poll_does_not_wait_if_there_is_data_to_send(site):
    talk, _ = site.connect()
    waited: list[float] = []
    poll = site.poller.poll
    site.poller.poll = lambda timeout, count: (waited.append(timeout), poll(timeout, count))[1]
    talk.transport.write(b"now")
    site.reactor.iterate(60)
    assert waited == [0]


def test_if_the_socket_is_full_epoll_says_when_more_can_be_sent(either):
    talk, peer = either.connect()
    size = fill(either, talk)
    either.check()
    assert either.poller.known[talk.transport.fileno()] == IN | OUT
    talk.transport.write(b"end")
    received = 0
    while received < size + 3:
        either.reactor.iterate(0)
        received += len(peer.recv(1 << 20))
    either.spin(lambda: not either.writers())
    assert received == size + 3
    assert either.poller.known[talk.transport.fileno()] == IN


@pytest.mark.parametrize("streaming", [True, False])
def test_producers_are_paused_and_resumed(either, streaming):
    talk, peer = either.connect()
    seen: list[str] = []

    class Producer:
        left = 3

        def pauseProducing(self) -> None:
            seen.append("pause")

        def stopProducing(self) -> None:
            seen.append("stop")

        def resumeProducing(self) -> None:
            seen.append("resume")
            if self.left:
                self.left -= 1
                talk.transport.write(bytes(100_000))
            else:
                talk.transport.unregisterProducer()
                talk.transport.loseConnection()

    talk.transport.registerProducer(Producer(), streaming)
    if streaming:
        talk.transport.write(bytes(100_000))
    received = 0
    for _ in range(500):
        either.reactor.iterate(0.001)
        peer.setblocking(False)
        try:
            data = peer.recv(1 << 20)
        except BlockingIOError:
            continue
        if not data:
            break
        received += len(data)
    assert seen == (["pause", "resume"] if streaming else ["resume"]) * 4
    assert received == (400_000 if streaming else 300_000)
    either.spin(lambda: talk.seen)
    assert talk.seen == ["lost: ConnectionDone"]


def test_data_is_sent_before_a_connection_is_closed(either):
    talk, peer = either.connect()
    talk.transport.write(b"last words")
    talk.transport.loseConnection()
    assert either.writers() == [talk.transport]
    either.spin(lambda: talk.seen)
    assert read(peer, 100) == b"last words"
    assert talk.seen == ["lost: ConnectionDone"]


def test_data_is_sent_before_the_connection_is_half_closed(either):
    talk, peer = either.connect(Half)
    talk.transport.write(b"last words")
    talk.transport.loseWriteConnection()
    either.spin(lambda: talk.seen)
    assert read(peer, 100) == b"last words"
    assert talk.seen == ["no more output"]
    peer.sendall(b"still here")
    either.spin(lambda: talk.received)
    peer.shutdown(socket.SHUT_WR)
    either.spin(lambda: len(talk.seen) > 1)
    assert talk.seen[1] == "no more input"
    talk.transport.loseConnection()


def test_a_peer_that_half_closes_still_gets_data(either):
    talk, peer = either.connect(Half)
    peer.shutdown(socket.SHUT_WR)
    select.select([talk.transport.socket], [], [], 5)
    talk.transport.write(b"data")
    either.spin(lambda: talk.seen and not either.writers())
    assert talk.seen == ["no more input"]
    assert read(peer, 4) == b"data"
    talk.transport.write(b"more")
    either.reactor.iterate(1)
    assert read(peer, 4) == b"more"


def test_an_aborted_connection_sends_nothing(either):
    talk, peer = either.connect()
    talk.transport.write(b"dropped")
    talk.transport.abortConnection()
    assert either.writers() == []
    either.spin(lambda: talk.seen)
    assert talk.seen == ["lost: ConnectionAborted"]
    with pytest.raises(ConnectionResetError):
        peer.recv(100)


def test_a_connection_that_an_event_of_the_poll_closes_is_left_alone(either):
    first, one = either.connect()
    second, _ = either.connect()
    for talk, foe in ((first, second), (second, first)):
        talk.answer = lambda data, foe=foe: foe.transport.abortConnection()
    first.transport.write(b"1")
    second.transport.write(b"2")
    one.sendall(b"go")
    select.select([first.transport.socket], [], [], 5)
    either.reactor.iterate(0)
    either.spin(lambda: second.seen)
    assert second.seen == ["lost: ConnectionAborted"]
    assert read(one, 1) == b"1"


def test_a_peer_that_is_gone_ends_the_connection(either):
    talk, peer = either.connect()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    peer.close()
    talk.transport.write(b"data")
    either.spin(lambda: talk.seen)
    assert talk.seen == ["lost: ConnectionLost"]
    assert either.writers() == []


def test_an_error_of_sending_ends_the_connection(either):
    talk, _ = either.connect()
    talk.transport.socket.shutdown(socket.SHUT_WR)
    talk.transport.write(b"data")
    either.spin(lambda: talk.seen)
    assert talk.seen == ["lost: ConnectionLost"]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_an_exception_in_sending_is_logged_and_ends_the_connection(either, error):
    from twisted.python import log

    talk, _ = either.connect()
    logged: list[Any] = []

    def fail(data: bytes) -> int:
        raise error

    talk.transport.writeSomeData = fail
    talk.transport.write(b"data")
    log.addObserver(logged.append)
    try:
        either.spin(lambda: talk.seen)
    finally:
        log.removeObserver(logged.append)
    failures = [event for event in logged if event["isError"]]
    assert [event["failure"].value for event in failures] == [error]
    assert [event["system"] for event in failures] == [talk.transport.logstr]
    assert talk.seen == [f"lost: {type(error).__name__}"]


def test_data_that_waits_is_sent_while_reading_is_paused(either):
    talk, peer = either.connect()
    talk.transport.write(b"data")
    talk.transport.pauseProducing()
    either.check()
    either.reactor.iterate(5)
    assert read(peer, 4) == b"data"
    talk.transport.write(b"more")
    talk.transport.resumeProducing()
    either.check()
    either.reactor.iterate(5)
    assert read(peer, 4) == b"more"
    peer.sendall(b"input")
    either.spin(lambda: talk.received)


def test_all_can_be_removed(either):
    talk, peer = either.connect()
    talk.transport.write(b"data")
    assert either.reactor.removeAll() == [talk.transport]
    assert either.writers() == []
    either.check()
    either.reactor.iterate(0.01)
    peer.setblocking(False)
    with pytest.raises(BlockingIOError):
        peer.recv(4)
    talk.transport.startReading()
    talk.transport.startWriting()
    either.reactor.iterate(1)
    peer.setblocking(True)
    assert read(peer, 4) == b"data"


def test_a_handler_may_iterate(either):
    talk, peer = either.connect()
    other, _ = either.connect()

    def nested(data: bytes) -> None:
        talk.transport.write(b"in, ")
        either.reactor.iterate(0)
        talk.transport.write(b"out")

    other.answer = nested
    other.transport.socket, kept = _Loud(other.transport.socket, b"x"), other.transport.socket
    other.transport.doRead()
    other.transport.socket = kept
    either.reactor.iterate(0)
    assert read(peer, 7) == b"in, out"


class _Loud:
    """A socket that has received something."""

    def __init__(self, inner: Any, data: bytes) -> None:
        self._inner, self._data = inner, data

    def recv(self, size: int) -> bytes:
        return self._data


def test_a_client_that_connects_is_the_reactors(either):
    listening = socket.create_server(("127.0.0.1", 0))
    made: list[Talk] = []

    class Making(ClientFactory):  # type: ignore[misc]
        noisy = False

        def buildProtocol(self, address: Any) -> Any:
            made.append(Talk())
            return made[0]

    connector = either.reactor.connectTCP(*listening.getsockname(), Making())
    either.spin(lambda: made)
    peer, _ = listening.accept()
    assert type(connector.transport) is tcp.Client
    made[0].transport.write(b"data")
    either.reactor.iterate(1)
    assert read(peer, 4) == b"data"
    peer.close()
    listening.close()
    either.spin(lambda: made[0].seen)


def test_a_connection_of_another_class_is_the_reactors(site):
    talk, peer = site.connect()

    class Other(tcp.Server):  # type: ignore[misc]
        pass

    talk.transport.__class__ = Other
    talk.transport.write(b"data")
    assert not site.noted()
    site.check()
    site.reactor.iterate(1)
    assert read(peer, 4) == b"data"


def test_a_reactor_of_another_class_is_not_changed(site):
    class Other(EPollReactor):  # type: ignore[misc]
        pass

    other = Other()
    other.iterate(0)
    assert "_autobahn_fbs_noted" not in vars(other)
    for each in list(other._internalReaders):
        other.removeReader(each)
        each.connectionLost(None)
    other._poller.close()


def test_undoing_hands_over_what_was_noted(site):
    talk, peer = site.connect()
    talk.transport.write(b"data")
    assert site.noted()
    autobahn_fbs.decelerate()
    assert "_autobahn_fbs_noted" not in vars(site.reactor)
    site.check()
    site.reactor.iterate(1)
    assert read(peer, 4) == b"data"
    assert site.writers() == []


def test_a_handler_may_undo_it(site):
    from twisted.python import log

    pairs = [site.connect() for _ in range(5)]
    errors: list[Any] = []
    for talk, peer in pairs:
        talk.answer = lambda data: autobahn_fbs.decelerate()
        peer.sendall(b"ask")
        select.select([talk.transport.socket], [], [], 5)
        talk.transport.write(b"data")
    log.addObserver(errors.append)
    try:
        site.spin(lambda: all(talk.received for talk, _ in pairs) and not site.writers())
    finally:
        log.removeObserver(errors.append)
    assert [read(peer, 4) for _, peer in pairs] == [b"data"] * 5
    assert not [event for event in errors if event["isError"]]


def over_tls(site: Site, folder: Path, talk: Any, peer: socket.socket, size: int) -> bytes:
    """Echoes `size` bytes over TLS on a connection and closes it; returns what the peer got."""
    openssl = pytest.importorskip("OpenSSL.SSL", reason="NOT TESTED: TLS, which needs pyOpenSSL")
    from support.certificates import Authority

    authority = Authority(folder)
    server = authority.issue("server")
    tls = openssl.Context(openssl.TLS_METHOD)
    tls.use_certificate_file(str(server.certificate))
    tls.use_privatekey_file(str(server.key))
    keys = SimpleNamespace(getContext=lambda: tls)
    directlyProvides(keys, IOpenSSLContextFactory)
    talk.transport.startTLS(keys)

    def answer(data: bytes) -> None:
        for start in range(0, len(data), 1000):
            talk.transport.write(data[start : start + 1000])
        if len(talk.received) == size:
            talk.transport.loseConnection()

    talk.answer = answer
    received = b""

    def converse() -> None:
        nonlocal received
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(authority.certificate)
        with context.wrap_socket(peer, server_hostname="127.0.0.1") as encrypted:
            encrypted.sendall(bytes(size // 2))
            encrypted.sendall(b"x" * (size - size // 2))
            while more := encrypted.recv(1 << 16):  # an error unless TLS is closed properly
                received += more
            encrypted.unwrap()

    peer.settimeout(20)
    client = threading.Thread(target=converse)
    client.start()
    site.spin(lambda: not client.is_alive())
    client.join()
    return received


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_tls_is_sent_completely_and_closed_properly(either, tmp_path, size):
    talk, peer = either.connect()
    received = over_tls(either, tmp_path, talk, peer, size)
    assert received == bytes(size // 2) + b"x" * (size - size // 2)
    either.spin(lambda: talk.seen)
    assert talk.seen == ["lost: ConnectionDone"]


def test_tls_that_starts_after_plain_data_is_sent_after_it(either, tmp_path):
    talk, peer = either.connect()
    talk.transport.write(b"plain")
    assert talk.transport in either.writers()
    either.reactor.iterate(0)
    assert read(peer, 5) == b"plain"
    assert over_tls(either, tmp_path, talk, peer, 1000) == bytes(500) + b"x" * 500


#: What can be done with a connection, and with the part.
OPERATIONS: dict[str, Callable[[Any, socket.socket, Any], object]] = {
    "write": lambda transport, peer, reactor: transport.write(b"data"),
    "send": lambda transport, peer, reactor: (
        transport.connected
        and [peer.sendall(b"input"), select.select([transport.socket], [], [], 5)]
    ),
    "pause": lambda transport, peer, reactor: transport.pauseProducing(),
    "resume": lambda transport, peer, reactor: transport.resumeProducing(),
    "stop": lambda transport, peer, reactor: transport.stopWriting(),
    "start": lambda transport, peer, reactor: transport.connected and transport.startWriting(),
    "lose": lambda transport, peer, reactor: transport.loseConnection(),
    "half": lambda transport, peer, reactor: (
        transport.connected and transport.loseWriteConnection()
    ),
    "abort": lambda transport, peer, reactor: transport.abortConnection(),
    "iterate": lambda transport, peer, reactor: [reactor.iterate(0) for _ in range(3)],
    "on": lambda transport, peer, reactor: autobahn_fbs.accelerate(["writes"]),
    "off": lambda transport, peer, reactor: autobahn_fbs.decelerate(),
}


def _play(operations: list[tuple[str, int]], switching: bool) -> list[Any]:
    """What can be seen of two connections after each operation."""
    site = Site()
    seen: list[Any] = []
    try:
        site.reactor.iterate(0)
        pairs = [site.connect(), site.connect(Half)]
        for operation, number in operations:
            talk, peer = pairs[number]
            if switching or operation not in ("on", "off"):
                OPERATIONS[operation](talk.transport, peer, site.reactor)
            site.check()
            for which in (site.reactor.getReaders(), site.reactor.getWriters()):
                seen.append([pair[0].transport in which for pair in pairs])
            seen.append([list(pair[0].seen) for pair in pairs])
        for _ in range(5):
            site.reactor.iterate(0)
        for talk, peer in pairs:
            select.select([peer], [], [], 0.01)  # on a busy machine, loopback takes its time
            peer.setblocking(False)
            try:
                seen.append((talk.received, peer.recv(10_000)))
            except OSError as error:
                seen.append((talk.received, type(error)))
    finally:
        site.close()
    return seen


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(OPERATIONS)), st.integers(0, 1)), max_size=14))
def test_everything_looks_the_same_as_without_it(operations):
    expected = _play(operations, switching=False)
    with autobahn_fbs.accelerate(["writes"]):
        assert _play(operations, switching=True) == expected
    autobahn_fbs.decelerate()
