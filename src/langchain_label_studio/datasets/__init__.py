"""Training data from reviews: `to_sft`, `to_dpo`, `to_kto`, `to_reward`, `to_prm`, and `write_jsonl`."""

from langchain_label_studio.datasets.convert import to_dpo, to_kto, to_prm, to_reward, to_sft
from langchain_label_studio.datasets.files import Written, write_jsonl, write_parquet
from langchain_label_studio.datasets.rows import Skipped, Source
from langchain_label_studio.datasets.skip_reasons import Reason
from langchain_label_studio.datasets.training_set import TrainingSet

__all__ = [
    "Reason",
    "Skipped",
    "Source",
    "TrainingSet",
    "Written",
    "to_dpo",
    "to_kto",
    "to_prm",
    "to_reward",
    "to_sft",
    "write_jsonl",
    "write_parquet",
]
