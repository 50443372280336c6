"""Several interpreters in one process, each with its own GIL (PEP 684)."""

from __future__ import annotations

import sys
import textwrap

import pytest

import autobahn_fbs
from support.programs import run_python
from support.typed_schemas import SCHEMAS

WORK = """
    import warnings; warnings.simplefilter("ignore")
    import txaio; txaio.use_asyncio()
    from autobahn_fbs import FlatBuffersObjectSerializer
    from autobahn.wamp import message as m
    objser = FlatBuffersObjectSerializer()
    for i in range(500):
        sent = m.Event(1, i, args=[i, "x"], kwargs={"a": {"b": i}}, topic="a.b")
        (got,) = objser.unserialize(objser.serialize(sent))
        assert (got.args, got.kwargs, got.topic) == ([i, "x"], {"a": {"b": i}}, "a.b")

    from autobahn_fbs.typed import Catalog, Union
    catalog = Catalog.load(FOLDER + "/basics.bfbs", FOLDER + "/unions.bfbs")
    Node = catalog["basics.Node"]
    for i in range(100):
        node = Node(name=str(i), children=[Node(name="child")])
        data = catalog.encode("basics.Node", node)
        assert catalog.decode("basics.Node", data) == node
        assert catalog.lazy("basics.Node", data).children[0].name == "child"
        drawing = catalog.decode(
            "unions.Drawing", catalog.encode("unions.Drawing", {"everything": [("Text", str(i))]})
        )
        assert drawing.everything == [Union("Text", str(i))]
    node.next = node  # a cycle at the end
""".replace("FOLDER", repr(str(SCHEMAS)))

MAIN = """
    import threading
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters

    work = {work!r}
    exec(work)
    errors = []

    def run(id):
        run_string = getattr(interpreters, "exec", None) or interpreters.run_string
        try:
            error = run_string(id, work)
        except Exception as raised:
            error = raised
        if error is not None:
            errors.append(str(getattr(error, "formatted", error)))

    if hasattr(interpreters, "get_config"):  # since 3.13; before, there is nothing to ask
        config = interpreters.get_config(interpreters.create())
        assert config.gil == "own" and config.check_multi_interp_extensions, config
    for _ in range(2):
        ids = [interpreters.create() for _ in range(3)]
        if not {threads}:
            for id in ids:
                run(id)
            continue
        threads = [threading.Thread(target=run, args=(id,)) for id in ids]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for id in ids:
            interpreters.destroy(id)
    exec(work)
    assert not errors, errors
    print("all interpreters agree")
"""


def assert_interpreters_agree(*, threads):
    code = textwrap.dedent(MAIN).format(work=textwrap.dedent(WORK), threads=threads)
    done = run_python("-c", code)
    assert (done.returncode, done.stdout) == (0, "all interpreters agree\n"), done.stderr


not_through_cffi = pytest.mark.skipif(
    autobahn_fbs.backend == "cffi", reason="cffi itself can't be loaded in a second interpreter"
)


@not_through_cffi
@pytest.mark.skipif(sys.version_info < (3, 12), reason="interpreters with a GIL each: Python 3.12")
def test_interpreters_with_a_gil_of_their_own_take_turns():
    assert_interpreters_agree(threads=False)


@not_through_cffi
# In CPython 3.12, merely importing threading in an interpreter that a thread runs hangs its join().
@pytest.mark.skipif(sys.version_info < (3, 13), reason="interpreters with a GIL each: Python 3.13")
def test_interpreters_side_by_side_do_not_disturb_each_other():
    assert_interpreters_agree(threads=True)


def test_the_interpreter_ends_with_messages_alive():
    code = textwrap.dedent(WORK) + textwrap.dedent("""
        import sys
        sys.keep = [got, objser, got.args_view]
        class Cycle: pass
        cycle = Cycle(); cycle.me = cycle; got._router_internal = cycle; cycle.message = got
        print("bye")
    """)
    done = run_python("-c", code)
    assert (done.returncode, done.stdout) == (0, "bye\n"), done.stderr
