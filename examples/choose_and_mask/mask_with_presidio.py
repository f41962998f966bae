"""Personal data stays here: Presidio hides what it finds in a run before anything is written or sent.

    pip install presidio-analyzer presidio-anonymizer
    python -m spacy download en_core_web_lg    # for names of people and places, too

A mask runs in the callback, so it must neither wait for a network nor take long. With patterns alone a text takes
about a millisecond, with the large language model ten or more.
"""

import spacy
import tldextract
from langchain_openai import ChatOpenAI
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider, SpacyNlpEngine
from presidio_anonymizer import AnonymizerEngine

from langchain_label_studio import LabelStudioCallbackHandler, masks

MODEL = "en_core_web_lg"

# Else the first e-mail address makes Presidio fetch a list of domains from the network, in the callback.
tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())


class PatternsOnly(SpacyNlpEngine):
    """Knows words, but no names: what has a form is found all the same."""

    def __init__(self) -> None:
        super().__init__()
        self.nlp = {"en": spacy.blank("en")}


def make_engine() -> AnalyzerEngine:
    if spacy.util.is_package(MODEL):
        models = [{"lang_code": "en", "model_name": MODEL}]
        provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models})
        return AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=["en"])
    return AnalyzerEngine(nlp_engine=PatternsOnly(), supported_languages=["en"])


analyzer, anonymizer = make_engine(), AnonymizerEngine()
# The id of a conversation is a text like any other: hidden, all conversations would look like one.
ENTITIES = [entity for entity in analyzer.get_supported_entities("en") if entity != "UUID"]


def presidio(text: str) -> str:
    """Return the text with what Presidio knows replaced: <EMAIL_ADDRESS>, <IBAN_CODE>, <PERSON> and so on."""
    found = analyzer.analyze(text, language="en", entities=ENTITIES, score_threshold=0.4)
    return anonymizer.anonymize(text, found).text


if __name__ == "__main__":
    chat = ChatOpenAI(model="gpt-6-luna", reasoning_effort="none", max_completion_tokens=100)
    # Keys of services are for the ready-made mask: they have forms of their own.
    with LabelStudioCallbackHandler(
        project_name="Example: Presidio", mode="chat", mask=masks.keys | presidio
    ) as handler:
        chat.invoke(
            "Thank bob@example.com for paying from DE89 3704 0044 0532 0130 00.", {"callbacks": [handler]}
        )
        handler.flush()
        print("What people see has neither the address nor the account:", handler.task_url())
