"""Router-to-router links: the ``forward_for`` chain of a message.

A router that forwards a message appends itself to the chain. The first hop of the chain is the
session that the message came from (WAMP message design, "MessageWithForwardFor"). These functions
work with any message class that has a chain, whether the message was received or created. They
never change a list that they are given.
"""

from __future__ import annotations

from typing import Any

from autobahn.wamp import message

Hop = dict[str, Any]


def chain_of(msg: message.Message) -> list[Hop]:
    """The message's chain as a new list, empty if it was never forwarded.

    :raises TypeError: messages of this class are not forwarded.
    """
    if not isinstance(msg, message.MessageWithForwardFor):
        raise TypeError(f"{type(msg).__name__} messages have no forward_for")
    return [dict(hop) for hop in msg.forward_for or ()]


def has_loop(msg: message.Message, session: int | None = None) -> bool:
    """Whether the message has passed a place twice, or has passed ``session`` at all.

    :param session: WAMP session ID of the link that is about to forward the message; None to check
        only for repetitions.
    :raises TypeError: messages of this class are not forwarded.
    """
    sessions = [hop["session"] for hop in chain_of(msg)]
    return session in sessions or len(set(sessions)) < len(sessions)


def append_hop(msg: message.Message, session: int, authid: str | None, authrole: str) -> None:
    """Appends a hop to the message's chain, in place.

    This discards the message's cached bytes, like any change.

    :param session: WAMP session ID of the forwarding link, 0 to 2**53.
    :param authid: its authid, or None.
    :param authrole: its authrole.
    :raises ValueError: the session is already in the chain, or out of range.
    :raises TypeError: a value has the wrong type, or the message class has no ``forward_for``.
    """
    if type(session) is not int or type(authrole) is not str:
        raise TypeError("a hop needs an int as session and a str as authrole")
    if authid is not None and type(authid) is not str:
        raise TypeError("the authid of a hop must be a str or None")
    if not 0 <= session <= 2**53:
        raise ValueError(f"session {session} is not a WAMP ID")
    if has_loop(msg, session):
        raise ValueError(f"session {session} would forward {type(msg).__name__} in a loop")
    chain = chain_of(msg)
    chain.append({"session": session, "authid": authid, "authrole": authrole})
    msg.forward_for = chain  # type: ignore[attr-defined]  # chain_of() has checked this
    msg.uncache()


def reversed_chain(msg: message.Message) -> list[Hop]:
    """The reversed chain, which is the path of an answer; a new list.

    :raises TypeError: messages of this class are not forwarded.
    """
    return chain_of(msg)[::-1]
