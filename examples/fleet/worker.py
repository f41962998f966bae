"""A worker that needs no model: it answers a question each second. `LABEL_STUDIO_DELIVER_TO` says where its runs go.

compose.yaml starts it; more of them with `docker compose up --scale worker=5`.
"""

import signal
import sys
import time

from langchain_core.language_models import FakeListChatModel

from langchain_label_studio import LabelStudioCallbackHandler

ANSWERS = ["It is on its way.", "It comes tomorrow.", "It is at your neighbour's."]

# A container is stopped with SIGTERM. As an exit, it lets the handler hand over what it has.
signal.signal(signal.SIGTERM, lambda *_: sys.exit())

with LabelStudioCallbackHandler(project_name="Fleet %Y-%m", mode="chat") as handler:
    model = FakeListChatModel(responses=ANSWERS, callbacks=[handler])
    while True:
        model.invoke("Where is my parcel?")
        time.sleep(1)
