"""A function on AWS Lambda that needs no model. Set its handler to `lambda_function.lambda_handler`.

Its environment: `LABEL_STUDIO_OUTBOX_DIR=/tmp/outbox`, and `LABEL_STUDIO_DELIVER_TO`, or `LABEL_STUDIO_URL` and
`LABEL_STUDIO_API_KEY`.
"""

from typing import Any

from langchain_core.language_models import FakeListChatModel

from langchain_label_studio import LabelStudioCallbackHandler

# One for all events of an environment. `connect="lazy"`: a cold start does not wait for Label Studio.
recorder = LabelStudioCallbackHandler(project_name="Lambda %Y-%m", mode="chat", connect="lazy")
model = FakeListChatModel(responses=["It is on its way.", "It comes tomorrow."], callbacks=[recorder])


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    try:
        return {"answer": model.invoke(event["question"]).text}
    finally:
        # After the answer, Lambda freezes the process, and often never thaws it. So send the runs before, but leave a
        # second for the answer itself.
        recorder.flush(timeout=max(0.0, min(context.get_remaining_time_in_millis() / 1000 - 1, 5.0)))
