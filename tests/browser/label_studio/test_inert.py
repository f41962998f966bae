"""What models and users write stays text: no script runs, no link acts, nothing is fetched."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any, Self

import pytest
from langchain_core.messages import AIMessage, ChatMessage, HumanMessage
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import Record
from tests.browser.pages import Reviewer
from tests.support.servers import BusyServer

ATTACK = """Hello <b>world</b>
<img src=x onerror="window.top.__hit = 1"> <script>window.top.__hit = 2</script>
<iframe srcdoc="<script>window.top.__hit = 3</script>"></iframe>
<svg onload="window.top.__hit = 4"></svg> <a href="javascript:window.top.__hit = 5">raw link</a>

[written link](javascript:window.top.__hit=6) [data link](data:text/html,<script>window.top.__hit=7</script>)

```
<script>window.top.__hit = 8</script>
```

<details open ontoggle="window.top.__hit = 9">details</details>
"""
CONVERSATION = [
    HumanMessage(ATTACK),
    AIMessage(ATTACK),
    ChatMessage(role="<img src=x onerror='window.top.__hit = 10'>", content="Hi"),
]
# What a browser fetches of HTML without a click, each from an address of its own.
BEACONS = """
<img src="{0}/1"> <img srcset="{0}/2 1x"> <picture><source srcset="{0}/3"><img></picture>
<video src="{0}/4" poster="{0}/5" autoplay></video> <audio src="{0}/6" autoplay></audio>
<object data="{0}/7"></object> <embed src="{0}/8"> <input type="image" src="{0}/9">
<link rel="stylesheet" href="{0}/10"> <style>@import url("{0}/11"); p {{background: url("{0}/12")}}</style>
<table background="{0}/13"><tr><td style="background: url({0}/14)">cell</td></tr></table>
<svg><image href="{0}/15"></image><use href="{0}/16#a"></use></svg> <iframe src="{0}/17"></iframe>
<IMG/SRC={0}/18> <p>A</p> ![one]({0}/19) ![two][2] [![three]({0}/20)]({0}/21)

[2]: {0}/22
"""
PICTURES = """![one](http://example.invalid/1) <img src="http://example.invalid/2"> ![three][3]

[3]: http://example.invalid/3
"""
# Label Studio itself shows HyperText in a frame.
ACTIVE = "img, details, svg[onload], script, iframe:not(.lsf-richtext__iframe)"
TEXT_AREA = (
    '<TextArea name="response" toName="prompt" editable="true"/><Rating name="rating" toName="prompt"/>'
)
CONFIGS = {
    "text": f'<View><Text name="prompt" value="$prompt"/>{TEXT_AREA}</View>',
    "paragraphs": f"""<View><Paragraphs name="prompt" value="$prompt" layout="dialogue"
        textKey="content" nameKey="role"/>{TEXT_AREA}</View>""",
    "hypertext": f'<View><HyperText name="prompt" value="$prompt"/>{TEXT_AREA}</View>',
    # The editor knows no name for Markdown: a TextArea cannot be for it, only stand beside it.
    "markdown": f"""<View><Text name="prompt" value="$prompt"/><Markdown value="$prompt"/>
        {TEXT_AREA}</View>""",
}


class Beacon:
    """A server that notes what it is asked for.

    Attributes:
        asked: The paths, in order.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(200)
                self.send_header("Content-Type", "image/svg+xml")
                self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()
                self.wfile.write(b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')

            def log_message(self, *_: object) -> None:
                pass

        self._server = BusyServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("prompt", [ATTACK, CONVERSATION], ids=["prompt", "chat"])
def test_nothing_runs(prompt: Any, config: str, record: Record, reviewer: Reviewer):
    handler = record(prompt, ATTACK, project_config=config)

    reviewer.open_task(handler.project_url)

    expect(reviewer.responses).to_contain_text(["window.top.__hit = 8"])
    places = [reviewer.task, *(frame.locator("body") for frame in reviewer.page.frames[1:])]
    for place in places:
        for link in place.locator("a").all():
            link.click()
        assert place.locator(ACTIVE).count() == 0
    assert reviewer.page.evaluate("window.__hit") is None
    shown = "\n".join(place.inner_text() for place in places).replace("\N{WORD JOINER}", "")
    assert "Hello <b>world</b>" in shown
    assert "<script>window.top.__hit = 8</script>" in shown


ANSWERED = '<Text name="prompt" value="$run_id"/><TextArea name="response" toName="prompt" editable="true"/>'
RATED = '<Rating name="rating" toName="prompt"/>'
SHOWN = {
    "prompt in hypertext": CONFIGS["hypertext"],
    "prompt in markdown": CONFIGS["markdown"],
    "hypertext beside a text": f'<View><Text name="prompt" value="$prompt"/><HyperText name="h" value="$prompt"/>{TEXT_AREA}</View>',
    "hypertext": '<HyperText name="h" value="$note"/>',
    "hypertext in the page": '<HyperText name="h" value="$note" inline="true"/>',
    "hypertext with a page": '<HyperText name="h" value="text"><div>It said: $note</div></HyperText>',
    "markdown with two keys": '<Markdown value="$note and $other"/>',
    "names in any case": '<hypertext name="h" value="$note"/><MARKDOWN VALUE="$note"/>',
    "markdown with a text": "<Markdown>## It said $note</Markdown>",
    "error": '<HyperText name="h" value="$error"/><Markdown value="$error"/>',
    "items of a list": '<List name="l" value="$items"/>',
    "items of a ranker": '<List name="l" value="$items"/><Ranker name="r" toName="l"/>',
    "choices": '<Choices name="c" toName="prompt" value="$choices"/>',
    "items of a repeater": '<Repeater on="$items" indexFlag="{{idx}}"><HyperText name="h_{{idx}}" value="$items[{{idx}}].html"/><Markdown value="$items[{{idx}}].html"/></Repeater>',
    "text": '<Text name="t" value="$note"/><Header value="$note"/>',
    "paragraphs": '<Paragraphs name="p" value="$dialogue" layout="dialogue" nameKey="role" textKey="content"/>',
    "table": '<Table name="t" value="$table"/>',
}


@pytest.fixture
def beacon() -> Iterator[Beacon]:
    with Beacon() as server:
        yield server


@pytest.mark.parametrize("config", SHOWN.values(), ids=SHOWN)
def test_nothing_is_fetched(config: str, record: Record, reviewer: Reviewer, beacon: Beacon):
    text = BEACONS.format(beacon.url)
    config = config if config.startswith("<View>") else f"<View>{ANSWERED}{config}{RATED}</View>"
    own = {
        "note": text,
        "other": text,
        "items": [{"id": "1", "title": text, "body": text, "html": text}],
        "choices": [{"value": "one", "html": text, "hint": text}],
        "dialogue": [{"role": text, "content": text}],
        "table": {"one": text, text: "two"},
    }
    handler = record(text, text, project_config=config, data=own)

    reviewer.open_task(handler.project_url)

    expect(reviewer.responses).to_be_visible()
    reviewer.page.wait_for_load_state("networkidle")
    assert beacon.asked == []


NO_ADDRESS = "no address of a text"
LOADED = {
    NO_ADDRESS: '<Text name="i" value="$note" valueType="url"/>',
    "image": '<Image name="i" value="$prompt"/>',
    "audio": '<Audio name="i" value="$prompt"/>',
    "pdf": '<Pdf name="i" value="$prompt"/>',
    "video": '<Video name="i" value="$prompt"/>',
    "time series": '<TimeSeries name="i" value="$prompt" valueType="url"><Channel column="a"/></TimeSeries>',
    "text": '<Text name="i" value="$prompt" valueType="url"/>',
    "hypertext": '<HyperText name="i" value="$prompt" valueType="url"/>',
    "base64": '<HyperText name="i" value="$prompt" encoding="base64"/>',
    "table": '<Table name="i" value="$prompt" valueType="csv|url"/>',
    "resolver": '<HyperText name="i" value="$prompt" resolver="csv"/>',
}


@pytest.mark.parametrize("tag", LOADED.values(), ids=LOADED)
def test_an_address_of_a_stranger_is_not_fetched(
    tag: str, record: Record, signed_in: BrowserContext, beacon: Beacon
):
    config = f'<View><Text name="prompt" value="$prompt"/>{TEXT_AREA}{tag}</View>'
    address = f"{beacon.url}/secret.png"
    own = {"note": f"<img src='{address}'>"}
    handler = record(address, "Hello", project_config=config, data=own)

    # Not a reviewer whose console has to be clean: the page says that it cannot load these.
    page = signed_in.new_page()
    page.goto(str(handler.project_url))
    page.get_by_role("button", name="Label All Tasks").click()
    expect(page.get_by_role("button", name="Submit current annotation")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.close()

    assert beacon.asked == []


def test_an_image_of_the_application_is_shown(record: Record, reviewer: Reviewer, beacon: Beacon):
    config = f'<View><Text name="prompt" value="$prompt"/>{TEXT_AREA}<Image name="i" value="$image"/></View>'
    handler = record("Hi", "Hello", project_config=config, data={"image": f"{beacon.url}/mine.svg"})

    reviewer.open_task(handler.project_url)

    expect(reviewer.responses).to_be_visible()
    assert "/mine.svg" in beacon.asked
