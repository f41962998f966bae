"""Many orphaned lanes: a process recovers a few at a time, and leaves its open files to the user's program."""

from __future__ import annotations

import json
import shutil
import uuid

from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.programs import kill, lanes, run, running, waiting_files

LANES = 300


def leave_orphans(loopback: LoopbackLabelStudio) -> list[str]:
    """Leave many lanes with one run each, as many killed processes would. Return the ids of the runs."""
    program = "handler = make(flush_interval=60)\nrecord(handler)\ntime.sleep(60)"
    port = loopback.stop()
    with running(program, loopback.url) as process:
        kill(process, after=1)
    loopback.start(port)
    (first,) = lanes()
    (file,) = waiting_files()
    record = json.loads(file.read_bytes())
    run_ids = [str(record["run_id"])]
    for number in range(1, LANES):
        lane = shutil.copytree(first, first.with_name(f"{first.name[:-8]}{number:08x}"))
        run_ids.append(str(uuid.uuid4()))
        (lane / file.name).write_text(json.dumps(record | {"run_id": run_ids[-1]}) + "\n")
    return run_ids


def test_all_are_sent_and_the_program_can_open_files_all_the_time(loopback: LoopbackLabelStudio) -> None:
    orphans = leave_orphans(loopback)

    done = run(
        f"""
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        handler = make(connect="eager")
        record(handler)
        deadline = time.monotonic() + 50
        most = 0
        while handler.stats().recovered < {LANES} or handler.stats().pending or handler.stats().in_doubt:
            files = [open(os.devnull) for _ in range(200)]  # what the user's program needs
            most = max(most, len(os.listdir("/proc/self/fd")) - 200)
            [file.close() for file in files]
            assert time.monotonic() < deadline, handler.stats()
            time.sleep(0.005)
        assert most < 50, most
        """,
        loopback.url,
        timeout=90,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(loopback.run_ids()) == sorted([*orphans, *done.stdout.split()])
    assert waiting_files() == []


def test_what_is_left_counts_into_the_bound(loopback: LoopbackLabelStudio) -> None:
    """A lane whose turn has not come is full of runs that wait, too."""
    leave_orphans(loopback)
    size = sum(file.stat().st_size for file in waiting_files())
    loopback.stop()

    done = run(
        f"""
        from pathlib import Path
        from langchain_label_studio.delivery import DiskOutbox
        from langchain_label_studio.types.run_record import read_record_id
        (directory,) = Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"]).iterdir()
        outbox = DiskOutbox(directory, key_of=read_record_id, max_bytes={size} + 100)
        outbox.recover()
        assert 0 < outbox.recovered < {LANES}
        assert outbox.append(b"x" * 200) == 0
        outbox.append(b"x" * 50)
        while batch := outbox.next_batch():
            outbox.remove(batch)
        assert outbox.recovered == {LANES}
        assert len(os.listdir(directory / "lanes")) == 1
        """,
        loopback.url,
    )

    assert done.returncode == 0, done.stderr
