"""A completion model: each prompt and its answer become a task.

OpenAI announced the end of its own completion models for September 2026. Servers such as llama.cpp, vLLM
and Ollama have this API still; with OpenAI's models, see chat_model.py.
"""

from langchain_openai import OpenAI

from langchain_label_studio import LabelStudioCallbackHandler

with LabelStudioCallbackHandler(project_name="Example: LLM") as handler:
    llm = OpenAI(temperature=0, max_tokens=40, callbacks=[handler])

    print(llm.invoke("The capital of France is"))
    print("Rate and correct this answer:", handler.task_url())

    # A batch makes one task of each prompt.
    llm.batch(["The three primary colours are", "The opposite of hot is"])
    print("All answers:", handler.project_url)
# Here, at the end of `with`, the handler has sent what was still waiting.
