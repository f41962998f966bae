"""What workers have handed over: `run_ids_in`."""

from __future__ import annotations

from langchain_label_studio.label_studio.target_file import TARGET_FILE, decode_target, target_folder
from langchain_label_studio.object_store.batch_names import batch_name, plain
from langchain_label_studio.object_store.store import ObjectStore
from langchain_label_studio.types.feedback import decode_feedback
from langchain_label_studio.types.record_id import record_time
from langchain_label_studio.types.run_record import decode_run

RECOVER = """
import langchain_label_studio.delivery.orphaned_lanes as orphaned_lanes
import langchain_label_studio.delivery.retry_policy as retry_policy
import langchain_label_studio.label_studio.destinations.store as destination
orphaned_lanes.LOOK_AGAIN = 0.1
retry_policy.GRACE = destination.LONGEST_REQUEST = destination.AFTER_ITS_END = 0.5
handler = make(deliver_to=sys.argv[1])
record(handler)
lanes = os.path.join(handler.stats().outbox, "lanes")
deadline = time.monotonic() + 50
while handler.stats().pending or handler.stats().in_doubt or len(os.listdir(lanes)) > 1:
    assert time.monotonic() < deadline, handler.stats()
    time.sleep(0.02)
"""
"""Records one run, and ends when it and all orphaned runs are handed over."""


def run_ids_in(url: str) -> list[str]:
    """Check that every object is whole and has the name it should have. Return the ids of the runs, each record once."""
    store = ObjectStore(url)
    runs: dict[str, str] = {}
    for path in batches_in(url):
        content = store.get(path)
        assert content and content.endswith(b"\n"), path
        recorded = [decode_run(line) for line in content.splitlines()]
        first = record_time(recorded[0].record_id)
        assert plain(path.rpartition("/")[2]) == batch_name(content, recorded_at=first)
        runs.update((run.record_id, run.run_id) for run in recorded)
    return list(runs.values())


def feedback_in(url: str) -> list[str]:
    """Return the ids of the runs that were given feedback."""
    store = ObjectStore(url)
    return [
        decode_feedback(line).run_id
        for path in batches_in(url, holds="feedback")
        for line in (store.get(path) or b"").splitlines()
    ]


def batches_in(url: str, *, holds: str = "runs") -> list[str]:
    """Return the paths of all batches. Check that each stands in the folder that its target has."""
    store = ObjectStore(url)
    found = []
    for folder in store.folders("v1"):
        batches = [each.path for each in store.objects(f"{folder}/new")]
        target = store.get(f"{folder}/{TARGET_FILE}")
        # The folder may be there a moment before its target. A batch is not.
        assert target or not batches, batches
        if target:
            assert folder == f"v1/{target_folder(target)}"
            found += batches if decode_target(target)[1] == holds else []
    return found
