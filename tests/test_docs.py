"""The code blocks of the documentation run, those of sessions against a real router."""

from __future__ import annotations

import asyncio
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

import autobahn_fbs
from autobahn_fbs import payloads

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"^\.\. code-block:: python\n\n((?:    .*\n|\n)+)", re.MULTILINE)


def blocks(page: str) -> list[str]:
    return [textwrap.dedent(code) for code in BLOCK.findall((DOCS / page).read_text("utf-8"))]


SESSIONS = [code for code in blocks("payloads.rst") if "Component(" in code]
OTHERS = [code for code in blocks("payloads.rst") if "Component(" not in code]


@pytest.mark.parametrize("code", OTHERS, ids=lambda code: code.splitlines()[0])
def test_a_block_of_the_payload_page_runs(code):
    try:
        exec(compile(code, "payloads.rst", "exec"), {})
    finally:
        payloads._registered.pop("x_pickle", None)


def test_the_page_shows_every_codec():
    shown = set(re.findall(r'"flatbuffers-?([a-z]*)"', " ".join(SESSIONS)))
    assert shown | {"cbor"} == {*payloads.NUMBERS, ""}


@pytest.fixture(scope="module")
def router_url():
    sessions = pytest.importorskip("test_router", reason="needs Crossbar.io")
    site = sessions.make_site()
    autobahn_fbs.install()
    try:
        with sessions.Router(site.auth) as router:
            yield f"ws://127.0.0.1:{router.websocket}/", sessions.REALM
    finally:
        autobahn_fbs.uninstall()


@pytest.mark.filterwarnings("ignore:autobahn_fbs.install:RuntimeWarning")
@pytest.mark.parametrize("code", SESSIONS, ids=lambda code: code.split('"serializers": ["')[1][:24])
def test_a_session_of_the_payload_page_publishes_and_hears_itself(code, router_url):
    url, realm = router_url
    names: dict[str, Any] = {"url": str(url)}
    exec(compile(code.replace('"realm1"', repr(realm)), "payloads.rst", "exec"), names)
    component = names["component"]
    heard: list[Any] = []

    async def play() -> None:
        done = asyncio.get_running_loop().create_future()

        async def joined(session: Any, details: Any) -> None:
            from autobahn.wamp.types import PublishOptions

            await session.subscribe(lambda *args: heard.append(args), "com.example.docs")
            options = PublishOptions(acknowledge=True, exclude_me=False)
            await session.publish("com.example.docs", 1, "two", options=options)
            while not heard:
                await asyncio.sleep(0.01)
            heard.append(details.serializer)
            await session.leave()
            done.set_result(None)

        component.on("join", joined)
        component.start(loop=asyncio.get_running_loop())
        await asyncio.wait_for(done, 20)

    asyncio.run(play())
    assert heard[0] == (1, "two")
    assert heard[1].startswith("flatbuffers")
