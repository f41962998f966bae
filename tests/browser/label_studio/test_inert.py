"""What models and users write stays text: no script runs, no link acts, nothing is fetched."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, ChatMessage, HumanMessage
from playwright.sync_api import expect

from tests.browser.conftest import Record
from tests.browser.pages import Reviewer

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


@pytest.mark.parametrize("tag", ["hypertext", "markdown"])
def test_nothing_is_fetched(tag: str, record: Record, reviewer: Reviewer):
    asked: list[str] = []
    reviewer.page.on("request", lambda request: asked.append(request.url))
    handler = record(PICTURES, PICTURES, project_config=CONFIGS[tag])

    reviewer.open_task(handler.project_url)

    expect(reviewer.responses).to_be_visible()
    assert [url for url in asked if "example.invalid" in url] == []
