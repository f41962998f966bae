"""The shapes of secrets: `KEYS` anywhere, `NAMED_SECRETS` beside their names.

The texts come from strangers, and are read inside a callback. So each pattern reads a text once, whatever is in it: where
the next part could match the same characters, a repeat is possessive (`*+`) or bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple


class SecretShape(NamedTuple):
    """A shape of secrets.

    Attributes:
        signs: A text with such a secret has one of these in it, in small letters for `NAMED_SECRETS`. Most texts
            have none, and to look for a sign takes a hundredth of the time.
        pattern: Compiles the pattern when the first sign is seen. Its first group stays, and the rest is hidden.
    """

    signs: tuple[str, ...]
    pattern: Callable[[], re.Pattern[str]]


# A quote, also in JSON that is a text of other JSON: \"password\": \"hunter2\".
_QUOTE = r"[\\'\"]{0,4}+"
_IS = rf"{_QUOTE}\s*+[:=]\s*+"
NAMED_SECRETS = (
    # Headers, as in a repr or a raw request. Cookies are hidden to the end of the line.
    SecretShape(("cookie",), lambda: re.compile(rf"(?i)(cookie{_IS})[^\n]+")),
    SecretShape(
        ("authorization",),
        lambda: re.compile(
            rf"(?i)(authorization{_IS}{_QUOTE}(?:(?:bearer|token|basic|digest)\s++)?)[^\s'\",;}}]+"
        ),
    ),
    SecretShape(
        ("bearer", "token", "basic"),
        lambda: re.compile(r"(?i)(\b(?:bearer|token|basic)\s++)[A-Za-z0-9._~+/=-]{12,}"),
    ),
    # key=value and "key": "value" with the usual names of secrets. A value in quotes may have blanks.
    SecretShape(
        ("key", "secret", "passw", "passphrase", "session", "token"),
        lambda: re.compile(
            r"(?i)((?:(?:api|access|secret|private|account)[_-]?key|secret|passw(?:or)?d|passphrase|session[_-]?id"
            rf"|(?:access|refresh|auth|session)[_-]?token){_IS}{_QUOTE})"
            r"(?:(?<=[\"'])(?:[^\n\"'\\]|\\[^\n\"'])+|[^\s'\",;}]+)"
        ),
    ),
)
# Characters of a key. The last ones are invisible: an editor or a page may put them into a long word.
_IN_KEY = r"[-_.A-Za-z0-9*\xad\u200b-\u200d\u2060\ufeff]"
_IN_DENSE_KEY = r"[A-Za-z0-9\xad\u200b-\u200d\u2060\ufeff]"
# The line in which a key stands may end in the middle of it. The line end may be written as `\n`.
_LINE_END = r"(?:[=\\]?\r?\n|(?:\\r)?\\n)[ \t]{0,40}"
# The rest of the key has digits and letters, and is no date.
_REST = rf"{_LINE_END}(?!\d{{4}}-\d)(?=[-_A-Za-z]*+\d)(?=[-_0-9]*+[A-Za-z])[-_A-Za-z0-9]"
_MORE = rf"(?:{_REST}{{8,}}+[.\w-]*+)*+"
_LONG = rf"(?:{_IN_KEY}{{12,}}+|{_IN_KEY}{{0,11}}+(?={_REST}{{12,}})){_MORE}"
_JWT_PART = rf"[\w-]{{4,}}+(?:{_LINE_END}[\w-]++){{0,20}}+"
# No word and no name in a program begins like this. These are keys of OpenAI, Anthropic, OpenRouter, DeepSeek, Langfuse,
# GitHub, LangSmith, Slack, GitLab, PyPI, SendGrid and Google.
_PREFIXES = (
    *("sk-", "pk-", "rk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "lsv2_", "xapp-"),
    *(
        "xoxa-",
        "xoxb-",
        "xoxc-",
        "xoxd-",
        "xoxe-",
        "xoxp-",
        "xoxr-",
        "xoxs-",
        "glpat-",
        "pypi-",
        "SG.",
        "AIza",
    ),
)
# A name in a program could begin like this, so there is a digit in the rest. These are keys of Stripe, Hugging Face, npm,
# AWS, Groq, Tavily, Pinecone, NVIDIA, Perplexity, Google OAuth, Stripe's webhooks, DigitalOcean, Shopify, Linear,
# Supabase, Notion, Together, Weights & Biases, Vercel, Sentry, Grafana, Figma, PostHog, Postman and New Relic.
_PREFIXES_BEFORE_DIGITS = (
    *(
        "sk_",
        "pk_",
        "rk_",
        "hf_",
        "npm_",
        "AKIA",
        "ASIA",
        "gsk_",
        "tvly-",
        "pcsk_",
        "nvapi-",
        "pplx-",
        "ya29.",
    ),
    *("GOCSPX-", "1//0", "whsec_", "dop_v1_", "doo_v1_", "dor_v1_", "shpat_", "shpca_", "shppa_", "shpss_"),
    *("lin_api_", "sbp_", "sb_secret_", "ntn_", "tgp_v1_", "wandb_v1_", "vck_", "vcp_", "sntrys_", "sntryu_"),
    *("glsa_", "figd_", "phc_", "phx_", "PMAK-", "NRAK-"),
)
# The rest has no `-` and `_`, too. These are keys of xAI, Replicate, Fireworks and Notion.
_PREFIXES_OF_DENSE_KEYS = ("xai-", "r8_", "fw_", "secret_")
KEYS = (
    SecretShape(
        ("-----BEGIN",),
        lambda: re.compile(
            r"()-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
    ),
    SecretShape(
        ("eyJ",),
        lambda: re.compile(rf"()eyJ(?<![\w-]eyJ){_JWT_PART}\.{_JWT_PART}(?:\.[\w-]*+{_MORE})?"),
    ),
    # The secret of AWS stands beside its id, or beside its name.
    SecretShape(
        ("AKIA", "ASIA", "access_key", "access key", "ACCESS_KEY", "AccessKey"),
        lambda: re.compile(
            r"((?:A[KS]IA[A-Z0-9]{16}|(?i:secret[_ ]?access[_ ]?key))[^A-Za-z0-9+]{1,6})[A-Za-z0-9/+]{40}(?![\w/+])"
        ),
    ),
    SecretShape(
        _PREFIXES,
        lambda: re.compile(rf"()(?<![\w-])(?:{'|'.join(map(re.escape, _PREFIXES))}){_LONG}"),
    ),
    SecretShape(
        _PREFIXES_BEFORE_DIGITS,
        lambda: re.compile(
            rf"()(?<![\w-])(?:{'|'.join(map(re.escape, _PREFIXES_BEFORE_DIGITS))})"
            rf"(?=(?:(?!\d){_IN_KEY}){{0,100}}+(?:\d|{_LINE_END})){_LONG}"
        ),
    ),
    SecretShape(
        _PREFIXES_OF_DENSE_KEYS,
        lambda: re.compile(
            rf"()(?<![\w-])(?:{'|'.join(_PREFIXES_OF_DENSE_KEYS)})"
            rf"(?=(?:(?!\d){_IN_DENSE_KEY}){{0,100}}+(?:\d|{_LINE_END}))"
            rf"(?:{_IN_DENSE_KEY}{{20,}}+|{_IN_DENSE_KEY}{{0,19}}+(?={_REST}{{12,}})){_MORE}"
        ),
    ),
    # Databricks, Airtable, and the bots of Telegram.
    SecretShape(("dapi",), lambda: re.compile(r"()(?<![\w-])dapi[0-9a-f]{32}(?:-\d)?+(?!\w)")),
    SecretShape(("pat",), lambda: re.compile(r"()pat(?<![\w-]pat)[A-Za-z0-9]{14}\.[0-9a-f]{64}")),
    SecretShape((":AA",), lambda: re.compile(r"()(?<![\w-])\d{8,10}:AA[\w-]{33}")),
    # Values of headers. A word without a digit may be the next word of a sentence. Two names and a colon in base64 have
    # large letters in the middle, or an equals sign at the end.
    SecretShape(
        ("earer", "EARER"),
        lambda: re.compile(r"([Bb](?<!\w.)(?i:earer)\s++)(?=[A-Za-z._~+/=-]*[0-9])[A-Za-z0-9._~+/=-]{12,}"),
    ),
    SecretShape(
        ("asic", "ASIC"),
        lambda: re.compile(
            r"([Bb](?<!\w.)(?i:asic)\s++)(?=[A-Za-z0-9+/]*+=|(?:[A-Z/+]*+[a-z0-9]++[A-Z]){2})"
            r"(?:[A-Za-z0-9+/]{4}){2,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?(?![\w/+=])"
        ),
    ),
    # An account of Azure, web hooks of Slack and Discord.
    SecretShape(("AccountKey=",), lambda: re.compile(r"(AccountKey=)[A-Za-z0-9+/]{40,}+={0,2}")),
    SecretShape(("hooks.slack.com",), lambda: re.compile(r"(hooks\.slack\.com/services/)[A-Za-z0-9/]{20,}")),
    SecretShape(("/api/webhooks/",), lambda: re.compile(r"(/api/webhooks/\d{10,20}/)[\w-]{20,}")),
    # user:password@host. The password may have an @ itself.
    SecretShape(("://",), lambda: re.compile(r"(://[^/\s:]*+:)[^/\s@]++(?:@[^/\s@\"'<>,]++)*(?=@)")),
)
