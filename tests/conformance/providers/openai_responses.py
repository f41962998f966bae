"""OpenAI's responses."""

from __future__ import annotations

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI

from tests.conformance.prompts import COMMON, IMAGE_NOTE, IMAGE_URL, QUESTION, THOUGHT, image
from tests.conformance.responses import Responses, call, message, text, thoughts, tool
from tests.conformance.script import IMAGE, SECRET, VERSIONS, Prompt, Provider
from tests.conformance.wire import named_events

_ANSWERS = Responses(model="gpt-5.1-2025-11-13")
_CITED_PAGE = {
    "type": "url_citation",
    "url": "https://weather.example/rome",
    "title": "Rome",
    "start_index": 0,
    "end_index": 12,
}
_CITED_FILE = {"type": "file_citation", "file_id": "file_1", "filename": "weather.pdf", "index": 12}
_FOUND = {
    "file_id": "file_1",
    "filename": "weather.pdf",
    "score": 0.9,
    "text": "Rome: sunny.",
    "attributes": {},
}

PROVIDER = Provider(
    name="openai_responses",
    model_name=_ANSWERS.model,
    model=lambda url: ChatOpenAI(
        model="gpt-5.1", api_key="k", base_url=f"{url}/v1", max_retries=0, use_responses_api=True
    ),
    stream=named_events,
    versions=(*VERSIONS, "v0"),  # v0: tools and thoughts are outside of the content
    prompts=[
        *COMMON,
        image("OpenAI's responses", {"type": "input_image", "image_url": IMAGE_URL}),
        Prompt(
            name="items",
            messages=[
                HumanMessage([{"type": "input_text", "text": "How is Rome?"}]),
                AIMessage(
                    [
                        thoughts("Rome is warm.", encrypted_content=SECRET),
                        {"type": "text", "text": "Let me look."},
                        call(1, "weather", '{"city": "Rome"}'),
                    ]
                ),
                ToolMessage(
                    [
                        {"type": "input_text", "text": "24 °C"},
                        {"type": "input_image", "image_url": IMAGE_URL},
                    ],
                    tool_call_id="call_1",
                ),
            ],
            turns=[
                QUESTION,
                THOUGHT,
                {
                    "role": "tool",
                    "content": f"24 °C\n{IMAGE_NOTE}",
                    "images": [IMAGE_URL],
                    "tool_call_id": "call_1",
                },
            ],
        ),
    ],
    scripts=[
        *_ANSWERS.common(),
        _ANSWERS.script(
            "a call with a text as its argument",
            tool("custom_tool_call", call_id="call_1", name="run", input="print(4)"),
            calls=[("run", {"__arg1": "print(4)"})],
        ),
        _ANSWERS.script(
            "thoughts that are hidden",
            thoughts(encrypted_content=SECRET),
            message(text("It is sunny.")),
            text="It is sunny.",
        ),
        _ANSWERS.script(
            "a search in the web",
            tool(
                "web_search_call",
                action={
                    "type": "search",
                    "query": "weather Rome",
                    "sources": [{"type": "url", "url": "https://weather.example/rome"}],
                },
            ),
            message(text("It is sunny.", _CITED_PAGE)),
            text="It is sunny.",
            server_tools=[("web_search", "https://weather.example/rome")],
            citations=["https://weather.example/rome"],
        ),
        _ANSWERS.script(
            "a search in files",
            tool("file_search_call", queries=["weather Rome"], results=[_FOUND]),
            message(text("It is sunny.", _CITED_FILE)),
            text="It is sunny.",
            server_tools=[("file_search", "weather.pdf\nRome: sunny.")],
            citations=["weather.pdf"],
        ),
        _ANSWERS.script(
            "code",
            tool(
                "code_interpreter_call",
                code="print(4)",
                container_id="cntr_1",
                outputs=[{"type": "logs", "logs": "4\n"}],
            ),
            message(text("It is 4.")),
            text="It is 4.",
            server_tools=[("code_interpreter", "4")],
        ),
        _ANSWERS.script(
            "a tool of an MCP server",
            {
                "type": "mcp_list_tools",
                "id": "mcpl_1",
                "server_label": "weather",
                "tools": [{"name": "forecast", "input_schema": {"type": "object"}}],
            },
            tool(
                "mcp_call",
                name="forecast",
                server_label="weather",
                arguments='{"city": "Rome"}',
                output="sunny",
                error=None,
            ),
            message(text("It is sunny.")),
            text="It is sunny.",
            server_tools=[("forecast", "sunny")],
        ),
        _ANSWERS.script(
            "a question of an MCP server",
            {
                "type": "mcp_approval_request",
                "id": "mcpr_1",
                "name": "delete",
                "server_label": "weather",
                "arguments": '{"all": true}',
            },
            notes=["[asks for approval: delete]"],
        ),
        _ANSWERS.script(
            "a patch",
            tool(
                "apply_patch_call",
                call_id="call_1",
                operation={"type": "create_file", "path": "a.txt", "diff": "+Rome"},
            ),
            tool("apply_patch_call_output", call_id="call_1", output="Done."),
            server_tools=[("apply_patch", "Done.")],
        ),
        _ANSWERS.script(
            "a search for tools",
            tool("tool_search_call", call_id=None, execution="server", arguments={"goal": "weather"}),
            tool(
                "tool_search_output",
                call_id=None,
                execution="server",
                tools=[{"type": "function", "name": "forecast", "parameters": {}, "strict": True}],
            ),
            server_tools=[("tool_search", "forecast")],
        ),
        _ANSWERS.script(
            "an image",
            tool(
                "image_generation_call",
                result=IMAGE,
                output_format="png",
                revised_prompt="A sunny day in Rome",
            ),
            message(text("Here it is.")),
            text="Here it is.",
            notes=["[image: image/png"],
            images=1,
        ),
        _ANSWERS.script(
            "a refusal",
            message({"type": "refusal", "refusal": "I can't help with that."}),
            said_beside="I can't help with that.",
            notes=["[refusal]"],
        ),
    ],
)
