"""A model of a few thousand numbers, and its tokenizer: real ones, made in a moment."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM, set_seed

END, PADDING = "<|im_end|>", "<|endoftext|>"


def template_names() -> list[str]:
    """Return the names of the chat templates of known models, which TRL brings along."""
    names = [Path(file.name).stem for file in files("trl").joinpath("chat_templates").iterdir()]
    return sorted(name for name in names if name != "README" and not name.endswith("_training"))


def make_tokenizer(template: str) -> PreTrainedTokenizerFast:
    """Return a tokenizer of bytes, so that each text comes out as it went in.

    Args:
        template: Name of the model whose chat template it has.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={byte: i for i, byte in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|im_start|>", eos_token=END, pad_token=PADDING
    )
    fast.chat_template = files("trl").joinpath("chat_templates", f"{template}.jinja").read_text()
    return fast


def save_model(directory: Path) -> PreTrainedTokenizerFast:
    """Save a model and its tokenizer, as a download would have left them.

    Returns:
        The tokenizer.
    """
    set_seed(1)
    tokenizer = make_tokenizer("qwen2_5")
    tokenizer.save_pretrained(directory)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    Qwen2ForCausalLM(config).save_pretrained(directory)
    return tokenizer
