"""Router-to-router links: the ``forward_for`` chain of a message.

A router that forwards a message appends itself to the chain, whose first hop is the session that
the message came from (WAMP message design, "MessageWithForwardFor"). These functions work on the
chain of any message class that has one, received or made, and never change the list they are
given.
"""

from __future__ import annotations

from typing import Any

from autobahn.wamp import message

Hop = dict[str, Any]


def chain_of(msg: message.Message) -> list[Hop]:
    """The message's chain as a new list, empty if it was never forwarded.

    :raises TypeError: if messages of this class are not forwarded.
    """
    if not isinstance(msg, message.MessageWithForwardFor):
        raise TypeError(f"{type(msg).__name__} messages have no forward_for")
    return [dict(hop) for hop in msg.forward_for or ()]


def has_loop(msg: message.Message, session: int | None = None) -> bool:
    """Whether the message has passed a place twice, or has passed ``session`` at all.

    :param session: WAMP session ID of the link that is about to forward the message; None to
        look for repetitions only.
    :raises TypeError: if messages of this class are not forwarded.
    """
    sessions = [hop["session"] for hop in chain_of(msg)]
    return session in sessions or len(set(sessions)) < len(sessions)


def append_hop(msg: message.Message, session: int, authid: str | None, authrole: str) -> None:
    """Adds a hop to the end of the message's chain, in the message.

    What was serialized before is forgotten, as after any change.

    :param session: WAMP session ID of the forwarding link, 0 to 2**53.
    :param authid: its authid, or None.
    :param authrole: its authrole.
    :raises ValueError: if the session is in the chain already, or out of range.
    :raises TypeError: for values of another type, or a message class without ``forward_for``.
    """
    if type(session) is not int or type(authrole) is not str:
        raise TypeError("a hop needs an int as session and a str as authrole")
    if authid is not None and type(authid) is not str:
        raise TypeError("the authid of a hop is a str or None")
    if not 0 <= session <= 2**53:
        raise ValueError(f"session {session} is not a WAMP ID")
    if has_loop(msg, session):
        raise ValueError(f"session {session} would forward {type(msg).__name__} in a loop")
    chain = chain_of(msg)
    chain.append({"session": session, "authid": authid, "authrole": authrole})
    msg.forward_for = chain  # type: ignore[attr-defined]  # chain_of() has seen to it
    msg.uncache()


def reversed_chain(msg: message.Message) -> list[Hop]:
    """The chain from its end to its beginning, as an answer travels; a new list.

    :raises TypeError: if messages of this class are not forwarded.
    """
    return chain_of(msg)[::-1]
