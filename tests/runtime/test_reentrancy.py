"""Python code that runs while a message is serialized, and changes the objects being read: a key's
``__eq__``, or a finalizer that the collector calls. (test_lifetime.py tests codecs that do so.)

The tests run in separate processes, because these bugs were crashes.
"""

from __future__ import annotations

import textwrap

import pytest

from support.marks import extension_only
from support.programs import run_python

pytestmark = extension_only

BEGIN = """
    import gc
    from autobahn.wamp import message as m
    from autobahn_fbs import FlatBuffersObjectSerializer

    objser = FlatBuffersObjectSerializer()
    msg = m.Publish(1, "a.b")
"""


def printed(program: str) -> str:
    """The output of a program, in which freed memory is overwritten."""
    code = textwrap.dedent(BEGIN) + textwrap.dedent(program)
    result = run_python("-c", code, PYTHONMALLOC="debug")
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_a_key_of_a_hop_may_empty_forward_for_when_it_is_compared():
    assert printed("""
        class Key:
            def __hash__(self):
                return hash("session")

            def __eq__(self, other):
                hops.clear()
                return False

        hops = []
        hops.append({Key(): 1, "session": 1, "authid": "a" * 40, "authrole": "b" * 40})
        msg._forward_for = hops
        try:
            objser.serialize(msg)
        except (TypeError, ValueError) as error:
            print(error)
    """).startswith("PUBLISH.forward_for: can't be encoded: ")


def test_a_key_of_a_hop_may_drop_texts_that_are_still_to_be_written():
    assert (
        printed("""
        class Key(str):
            def __hash__(self):
                return str.__hash__(self)

            def __eq__(self, other):
                msg._exclude_authid.clear()
                return str.__eq__(self, other)

        names = ["".join(("some", "body", str(i))) for i in range(3)]
        msg._exclude_authid = names[:]
        msg._forward_for = [{Key("session"): 7, "authid": "a", "authrole": "b"}]
        del names
        [back] = objser.unserialize(objser.serialize(msg))
        print(back.exclude_authid, back.forward_for)
    """)
        == "['somebody0', 'somebody1', 'somebody2'] "
        "[{'session': 7, 'authid': 'a', 'authrole': 'b'}]"
    )


@pytest.mark.parametrize("attribute", ["exclude_authid", "forward_for"])
def test_a_finalizer_may_empty_the_list_whose_item_is_refused(attribute):
    """CPython 3.11 runs the collector when creating an exception."""
    assert printed(f"""
        text = "".join(("no UTF-8: \\ud800", str(id(msg))))
        items = [text if {attribute!r} == "exclude_authid" else
                 {{"session": 1, "authid": "a", "authrole": text}}]
        msg._{attribute} = items
        del text

        class Finalized:
            def __del__(self):
                items.clear()

        gc.disable()
        garbage = Finalized()
        garbage.itself = garbage
        del garbage
        if hasattr(gc, "set_threshold"):
            gc.set_threshold(1, 1, 1)
        gc.enable()
        try:
            objser.serialize(msg)
        except ValueError as error:
            print(ascii(error))
    """).startswith(f'ValueError("PUBLISH.{attribute}: ')


def test_an_interrupt_while_metadata_is_read_is_passed_on():
    """The bytes are not the cause."""
    assert (
        printed("""
            import cbor2
            import datetime
            from autobahn.wamp.role import RoleCallerFeatures

            hello = m.Hello("realm1", {"caller": RoleCallerFeatures()})
            hello.authextra = {"when": datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)}
            data = objser.serialize(hello)

            def interrupted(data):
                raise KeyboardInterrupt

            cbor2.loads = interrupted
            try:
                objser.unserialize(data)
            except KeyboardInterrupt:
                print("interrupted")
        """)
        == "interrupted"
    )
