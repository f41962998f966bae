"""Keys of the shapes that providers give out. None was ever valid: see `KEYS`."""

from __future__ import annotations

import random
from string import ascii_letters, digits

_HEX = "0123456789abcdef"
_chance = random.Random(2026)


def _some(count: int, characters: str = ascii_letters + digits) -> str:
    # A digit and a letter in each ten characters, as by chance in nearly every key.
    return "".join(
        "7" if at % 10 == 4 else "d" if at % 10 == 6 else _chance.choice(characters) for at in range(count)
    )


KEYS = {
    "airtable": f"pat{_some(14)}.{_some(64, _HEX)}",
    "anthropic": f"sk-ant-api03-{_some(80)}_{_some(12)}AA",
    "databricks": f"dapi{_some(32, _HEX)}",
    "databricks-second": f"dapi{_some(32, _HEX)}-2",
    "deepseek": f"sk-{_some(32, _HEX)}",
    "digitalocean": f"dop_v1_{_some(64, _HEX)}",
    "figma": f"figd_{_some(40)}",
    "fireworks": f"fw_{_some(24)}",
    "github-fine": f"github_pat_{_some(22)}_{_some(59)}",
    "gitlab": f"glpat-{_some(20)}",
    "google-access": f"ya29.a0{_some(60)}-{_some(60)}",
    "google-client": f"GOCSPX-{_some(28)}",
    "google-refresh": f"1//0{_some(40)}-{_some(40)}",
    "grafana": f"glsa_{_some(32)}_{_some(8, _HEX)}",
    "groq": f"gsk_{_some(52)}",
    "huggingface": f"hf_{_some(34)}",
    "langfuse": f"sk-lf-{_some(8, _HEX)}-1f3a-4c5d-8e9f-{_some(12, _HEX)}",
    "langsmith": f"lsv2_pt_{_some(32, _HEX)}_{_some(10, _HEX)}",
    "linear": f"lin_api_{_some(40)}",
    "notion": f"ntn_{_some(46)}",
    "notion-old": f"secret_{_some(43)}",
    "nvidia": f"nvapi-{_some(30)}-{_some(33)}",
    "openai": f"sk-proj-{_some(74)}T3BlbkFJ{_some(74)}",
    "openrouter": f"sk-or-v1-{_some(64, _HEX)}",
    "perplexity": f"pplx-{_some(48)}",
    "pinecone": f"pcsk_{_some(6)}_{_some(57)}",
    "replicate": f"r8_{_some(37)}",
    "shopify": f"shpat_{_some(32, _HEX)}",
    "slack-app": f"xapp-1-{_some(11)}-{_some(13, digits)}-{_some(64, _HEX)}",
    "stripe-webhook": f"whsec_{_some(32)}",
    "supabase": f"sbp_{_some(40, _HEX)}",
    "tavily": f"tvly-{_some(32)}",
    "tavily-dev": f"tvly-dev-{_some(32)}",
    "telegram": f"{_some(10, digits).replace('d', '3')}:AA{_some(33)}",
    "together": f"tgp_v1_{_some(43)}",
    "vercel": f"vck_{_some(56)}",
    "wandb": f"wandb_v1_{_some(60)}",
    "xai": f"xai-{_some(80)}",
}
