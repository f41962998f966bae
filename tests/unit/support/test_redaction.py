"""What is hidden in texts of errors and servers, and that no text holds the process up."""

from __future__ import annotations

import time

import pytest

from langchain_label_studio.label_studio.api_errors import reason_in
from langchain_label_studio.support.redaction import MAX_SCRUBBED, error_text, scrub_secrets
from tests.support.keys import KEYS

HOSTILE = {
    "blanks after a header": "authorization:" + " " * 40_000,
    "line ends after a header": "proxy-authorization=" + "\n" * 30_000,
    "quotes": "cookie" + "'" * 40_000,
    "blanks after a name": "api_key =" + " " * 40_000,
    "many headers": "authorization: bearer " * 20_000,
    "many names": "password=" * 50_000,
    "one word": "a" * 20_000_000,
    "one long key": "sk-" + "a" * 20_000_000,
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_key_is_hidden(key: str) -> None:
    assert scrub_secrets(f"The key {key} is not valid") == "The key [hidden] is not valid"


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [hidden]"),
        ('{"password": "correct horse battery"}', '{"password": "[hidden]"}'),
        (r"{\"api_key\": \"hunter2-hunter2\"}", r"{\"api_key\": \"[hidden]\"}"),
        ("AWS_SECRET_ACCESS_KEY=abc", "AWS_SECRET_ACCESS_KEY=[hidden]"),
        ("https://me:p@ss@host/x", "https://me:[hidden]@host/x"),
        ("the token limit is 8192 tokens; key error", "the token limit is 8192 tokens; key error"),
    ],
)
def test_what_stands_beside_its_name_is_hidden(text: str, scrubbed: str) -> None:
    assert scrub_secrets(text) == scrubbed


@pytest.mark.parametrize("key", [KEYS["openai"], KEYS["groq"], KEYS["xai"]])
@pytest.mark.parametrize(
    "around", ["the key is {} and so on", '{{"key_given":"{}","of":"me"}}', "钥匙是{}你好"]
)
def test_no_half_of_a_key_is_left_where_a_text_is_cut(key: str, around: str) -> None:
    for shown in range(1, len(key) + 1):
        before, _, after = around.partition("{}")
        text = f"{'x ' * 1000}"[: MAX_SCRUBBED - shown - len(before)] + before + key + after
        for part in (key[:4], key[:shown] if shown > 3 else key):
            assert part not in scrub_secrets(text)
            assert part not in error_text(ValueError(text))


def test_a_text_that_was_cut_says_so() -> None:
    assert scrub_secrets("word " * 1_000).endswith("word [cut]")
    assert scrub_secrets("a" * 10_000) == "[cut]"
    assert scrub_secrets("字" * 10_000) == "字" * MAX_SCRUBBED + " [cut]"
    assert len(error_text(ValueError("word " * 1_000))) < MAX_SCRUBBED + 20


@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_read_at_once(text: str) -> None:
    """Some 0.1 ms are usual. The square of the length was 8 seconds, in which no other thread ran."""
    started = time.perf_counter()

    error_text(ValueError(text))
    reason_in(text)
    reason_in({"detail": text})

    assert time.perf_counter() - started < 3
