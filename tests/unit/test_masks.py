"""The ready-made masks: what they hide, what they leave, and that no text holds them up."""

from __future__ import annotations

import pickle
import string
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_label_studio import masks
from langchain_label_studio.masks import TextMask
from tests.support.keys import KEYS

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----"
AWS = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


@pytest.mark.parametrize(
    ("mask", "text", "masked"),
    [
        (masks.emails, "Bob <bob.smith+x@mail.example.co.uk>.", "Bob <[email]>."),
        (masks.emails, "o'brien@x.ie,用户@例子.公司", "[email],[email]"),
        (masks.emails, "https://x.org/?to=bob%40example.com&n=1", "https://x.org/?to=[email]&n=1"),
        (masks.phones, "Call +49 (0)30 1234-567 or 0044 20 7946 0000", "Call [phone] or [phone]"),
        (masks.phones, "+15550104477, (555) 010-4477; 555-010-4477", "[phone], [phone]; [phone]"),
        (masks.phones, "555.010.4477 / 030 1234567 / 06 12 34 56 78", "[phone] / [phone] / [phone]"),
        (masks.cards, "4111 1111 1111 1111 exp 12/28", "[card] exp 12/28"),
        (masks.cards, "4111111111111111, 3782 822463 10005", "[card], [card]"),
        (masks.cards, "4111  1111  1111  1111, 4111\u20131111\u20131111\u20131111", "[card], [card]"),
        (masks.cards, "4111 - 1111 - 1111 - 1111, 4111/1111/1111/1111", "[card], [card]"),
        (masks.cards, "4111_1111_1111_1111, 4111\u00b71111\u00b71111\u00b71111", "[card], [card]"),
        (
            masks.cards,
            "4111\u00a01111\u00a01111\u00a01111, 4111\u202f1111\u202f1111\u202f1111",
            "[card], [card]",
        ),
        (
            masks.cards,
            "4111\u20111111\u20111111\u20111111, 4111\u20121111\u20121111\u20121111",
            "[card], [card]",
        ),
        (
            masks.cards,
            "4111\u20141111\u20141111\u20141111, 4111\u22121111\u22121111\u22121111",
            "[card], [card]",
        ),
        (
            masks.cards,
            "4111\u200b1111\u200b1111\u200b1111, 4111\u00ad1111\u00ad1111\u00ad1111",
            "[card], [card]",
        ),
        (masks.cards, "3782-822463-10005, 3782.822463.10005, 3782 8224 6310 005", "[card], [card], [card]"),
        (masks.cards, "3056 930902 5904, 3056-9309-0259-04", "[card], [card]"),
        (masks.cards, "4222 2222 2222 2, 41111111 11111111", "[card], [card]"),
        (masks.cards, "id_5555-5555-5555-4444 123", "id_[card] 123"),
        (masks.cards, "1234 4111 1111 1111 1111 2026", "1234 [card] 2026"),
        (masks.keys, "sk-proj-abcdEFGH1234ijkl, ghp_0123456789abcdefABCD", "[key], [key]"),
        (masks.keys, "AKIAIOSFODNN7EXAMPLE xoxb-123456789012-abcdef", "[key] [key]"),
        (masks.keys, f"Authorization: Bearer abc123def456ghi; {JWT}", "Authorization: Bearer [key]; [key]"),
        (masks.keys, f"Mine is\n{PEM}\n, keep it.", "Mine is\n[key]\n, keep it."),
        (masks.keys, PEM[:60], "[key]"),
        (masks.keys, "postgres://me:hunter2@host/db", "postgres://me:[key]@host/db"),
        (
            masks.keys,
            "https://me:p@ss@host, redis://:pw@h:6379/0",
            "https://me:[key]@host, redis://:[key]@h:6379/0",
        ),
        (masks.keys, '["a://me:p\'w@h","x@y.z"]', '["a://me:[key]@h","x@y.z"]'),
        (masks.keys, "Basic dXNlcjpwYXNzd29yZA==, basic dXNlcjpwYXNz.", "Basic [key], basic [key]."),
        (masks.keys, f"AKIAIOSFODNN7EXAMPLE / {AWS}, {AWS}", f"[key] / [key], {AWS}"),
        (masks.keys, f'"secretAccessKey": "{AWS}"', '"secretAccessKey": "[key]"'),
        (masks.keys, f"AccountKey={'aB3+' * 21}aA==;End", "AccountKey=[key];End"),
        (
            masks.keys,
            "https://hooks.slack.com/services/T0000/B0000/XXXXxxxxXXXX",
            "https://hooks.slack.com/services/[key]",
        ),
        (
            masks.defaults,
            "a@b.co 4111111111111111 +15550104477 sk-abcdefgh12345",
            "[email] [card] [phone] [key]",
        ),
    ],
)
def test_what_they_hide(mask: TextMask, text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21 09:30:00, 01.02.2026, 21/11/2026, 1732200000000, 192.168.100.200",
        "3.14159265358979, 100,000,000 and 12345678901234567890, 4111111111111112",
        "@handle, user@localhost, a @ b. The bearer authorizes; skateboarding, sk-learn, task-oriented-work",
        "Basic authentication takes a cookie: mine is a token economy. call_0123456789, v1.2.3-rc4",
        "pk_user_id, fw_version_number_three, r8_uniform_01_sample_generator, xai-explainability-toolkit-2, r8_x",
        "secret_manager_client, ntn_config_loader, vck_handler_function(x1), lin_api_client_factory, sbp_widget",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709 and e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "http://localhost:8080/@scope/pkg, https://a.b:443?mail=1",
        "basic understanding, Basic authentication, Basic JavaScriptTutorials, Basic Chemistry101, bearer of bad news",
        "patent, pattern.compile, dapi_client, dapi0123, 1//02, ya29.x, gsk_ or pplx-70b-online, hf_transformers, npm_config_registry, pk_user_organization, ASIAN_MARKETS_INDEX",
        "Years 2020, 2021, 2022, 2023 and 1234-5678-9012-3456, 0.1234 5678 9012 3456",
    ],
)
def test_what_they_leave(text: str) -> None:
    assert masks.defaults(text) == text


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize(
    "around", ["{}", "It is {}, not another", "key={}", '{{"key":"{}"}}', "({})\n", "schlüssel:{}\t"]
)
def test_keys_of_todays_providers(key: str, around: str) -> None:
    assert masks.keys(around.format(key)) == around.format("[key]")


LINE_ENDS = ["\n", "\r\n", "\n    ", "\n\t", "\\n", "\\r\\n", "=\n", "\\\n"]
INVISIBLE = ["\u00ad", "\u200b", "\u2060", "\ufeff"]


@pytest.mark.parametrize("key", [KEYS[name] for name in ("anthropic", "groq", "xai", "replicate", "nvidia")])
@pytest.mark.parametrize("gap", LINE_ENDS + INVISIBLE)
def test_a_key_that_a_line_end_breaks_is_one_key(key: str, gap: str) -> None:
    for at in range(len(key) // 3, len(key) - 12):
        assert masks.keys(f"Use {key[:at]}{gap}{key[at:]} here") == "Use [key] here"


@pytest.mark.parametrize("gap", LINE_ENDS)
def test_a_token_that_a_line_end_breaks_is_one_token(gap: str) -> None:
    for at in (*range(8, JWT.index(".")), *range(JWT.index(".") + 6, JWT.rindex(".") - 1)):
        assert masks.keys(f"Use {JWT[:at]}{gap}{JWT[at:]} here") == "Use [key] here"


@pytest.mark.parametrize(
    "after",
    [
        "\nThanks a lot",
        "\n2026-11-21T09:30:00 started",
        "\nOPENAI_API_KEY=...",
        "\r\n- next point",
        "\\nand more",
        "\n12345678901",
    ],
)
def test_the_line_after_a_key_stays(after: str) -> None:
    assert masks.keys(f"Mine: {KEYS['groq']}{after}") == f"Mine: [key]{after}"


@given(st.uuids())
def test_ids_stay(run_id: UUID) -> None:
    assert masks.defaults(str(run_id)) == str(run_id)


WORDS = st.text(string.ascii_letters + " ,;!\n", max_size=30)


@given(
    WORDS,
    st.from_regex(r"[a-z][a-z0-9.+-]{0,20}@[a-z]{1,9}\.(com|org|co\.uk)", fullmatch=True),
    WORDS.map(lambda text: " " + text if text[:1].isalpha() else text),
)
def test_an_address_is_found_in_any_text(before: str, address: str, after: str) -> None:
    assert "@" not in masks.emails(f"{before}{address}{after}")


@given(
    WORDS.map(lambda text: text + " " if text[-1:].isalnum() else text),
    st.integers(10**14, 7 * 10**14 - 1).filter(lambda number: 2 <= number // 10**14 <= 6),
    st.sampled_from(["", " ", "-", ".", "\u00a0", " - ", "/", "\u2011", "\u2013", "_"]),
    WORDS.map(lambda text: " " + text if text[:1].isalnum() else text),
)
def test_a_card_is_found_in_any_text(before: str, number: int, gap: str, after: str) -> None:
    total = sum(sum(divmod(int(d) * 2, 10)) if i % 2 == 0 else int(d) for i, d in enumerate(str(number)))
    digits = f"{number}{-total % 10}"
    card = gap.join(digits[at : at + 4] for at in range(0, 16, 4))

    assert masks.cards(f"{before}{card}{after}") == f"{before}[card]{after}"


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    masked = masks.defaults(text)
    assert masks.defaults(masked) == masked


ODD = [
    "a",
    "a@",
    "a.b",
    "@",
    "a@b-",
    "1",
    "1 ",
    "01 ",
    "+1",
    "(0",
    "0 1",
    "eyJ",
    "-eyJaaaaaaaa",
    "sk-",
    "://a:",
    "bearer ",
    "basic ",
    "sk-aaaaaaaaaaaa1\n",
    "eyJaaaaaaaa\n",
    "gsk_a.",
    "://a:b@",
    "r8_",
    "4111 - ",
]
ODD += [
    "-----BEGIN PRIVATE KEY-----",
    "bearer aaaaaaaaaaaaaaaaa/",
    "4111 1111 ",
    "00",
    "The quick brown fox 12. ",
]


@pytest.mark.timeout(60)  # some 50 ms are usual; the square of the length would be minutes
@pytest.mark.parametrize("odd", ODD)
def test_a_long_text_is_read_once(odd: str) -> None:
    """A prompt comes from anybody, and a callback may not wait: nothing here may grow with the square."""
    masks.defaults(odd * (200_000 // len(odd)))


def test_masks_combine_with_each_other_and_with_functions() -> None:
    def shout(text: str) -> str:
        return text.upper()

    assert repr(masks.emails | masks.cards) == "masks.emails | masks.cards"
    assert (masks.emails | shout)("bob a@b.co") == "BOB [EMAIL]"
    assert (shout | masks.emails)("bob a@b.co") == "BOB [email]"
    assert repr(shout | masks.emails) == "shout | masks.emails"
    assert masks.all_of(masks.keys, masks.emails)("a@b.co") == "[email]"
    with pytest.raises(TypeError):
        masks.emails | "shout"
    assert pickle.loads(pickle.dumps(masks.defaults))("a@b.co") == "[email]"
