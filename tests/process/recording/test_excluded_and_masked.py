"""What must not leave a process is on no disk, whatever becomes of it; and processes agree on what is excluded."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

from langchain_label_studio.selectors.sampling import in_sample
from tests.support.loopback_label_studio import LoopbackLabelStudio
from tests.support.programs import kill, run, running, waiting_files

SECRET = "bob@example.com"


def everything_on_disk() -> dict[Path, bytes]:
    root = Path(os.environ["LABEL_STUDIO_OUTBOX_DIR"])
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_masked_text_is_in_no_file_of_a_process_that_dies(loopback: LoopbackLabelStudio) -> None:
    done = run(
        f"""
        from langchain_label_studio import masks
        handler = make(flush_interval=60, mask=masks.defaults, data=lambda run: {{"who": "{SECRET}"}})
        record(handler, 3, prompt="Write to {SECRET}")
        os._exit(0)
        """,
        loopback.url,
    )

    assert done.returncode == 0, done.stderr
    (file,) = waiting_files()
    assert file.read_bytes().count(b"Write to [email]") == 3
    assert not [path for path, content in everything_on_disk().items() if SECRET.encode() in content]


def test_neither_is_it_in_what_was_rejected_nor_in_what_was_sent(loopback: LoopbackLabelStudio) -> None:
    loopback.refused_text = "refuse me"
    done = run(
        f"""
        from langchain_label_studio import masks
        handler = make(mask=masks.defaults)
        record(handler, prompt="refuse me, {SECRET}")
        record(handler, prompt="take me, {SECRET}")
        assert handler.flush(30)
        assert (handler.stats().rejected, handler.stats().delivered) == (1, 1)
        """,
        loopback.url,
    )

    assert done.returncode == 0, done.stderr
    files = everything_on_disk()
    (rejected,) = [content for path, content in files.items() if path.match("rejected/*.json")]
    assert b"refuse me, [email]" in rejected
    assert not [path for path, content in files.items() if SECRET.encode() in content]
    assert SECRET not in repr(loopback.tasks)
    assert "take me, [email]" in repr(loopback.tasks)


def test_a_mask_that_fails_leaves_nothing_in_files_or_in_what_is_said(loopback: LoopbackLabelStudio) -> None:
    program = f"""
    def mask(text):
        raise ValueError(text)

    handler = make(flush_interval=60, mask=mask, include_errors=True)
    record(handler, 3, prompt="Write to {SECRET}")
    run_id = uuid.uuid4()
    handler.on_llm_start({{}}, ["Hi"], run_id=run_id)
    handler.on_llm_error(RuntimeError("no such user: {SECRET}"), run_id=run_id)
    print(handler.stats(), file=sys.stderr, flush=True)
    print("end", flush=True)
    time.sleep(60)
    """
    with running(program, loopback.url) as process:
        *_, last = kill(process, after=4)
        assert process.stderr
        said = process.stderr.read()

    assert last == "end"
    assert sum(file.read_bytes().count(b"\n") for file in waiting_files()) == 4
    assert said.count("The mask= function failed") == 1
    assert "lost={'mask': " in said
    assert SECRET not in said
    files = everything_on_disk()
    assert not [path for path, content in files.items() if SECRET.encode() in content]
    assert any(b"[content dropped: the mask failed]" in content for content in files.values())


def test_processes_take_the_same_traces(loopback: LoopbackLabelStudio) -> None:
    """Each takes its part of every trace in the sample, and none of the others."""
    for number in range(3):
        done = run(
            f"""
            handler = make(sample_rate=0.3)
            for trace in range(50):
                root, run_id = uuid.UUID(int=trace), uuid.UUID(int=1000 * {number + 1} + trace)
                handler.on_chain_start({{}}, {{}}, run_id=root)
                handler.on_llm_start({{}}, ["Hi"], run_id=run_id, parent_run_id=root)
                handler.on_llm_end(LLMResult(generations=[[Generation(text="Hello")]]), run_id=run_id, parent_run_id=root)
                handler.on_chain_end({{}}, run_id=root)
            assert handler.flush(30)
            stats = handler.stats()
            assert stats.submitted + stats.excluded["sample_rate=0.3"] == 50, stats
            """,
            loopback.url,
        )
        assert done.returncode == 0, done.stderr

    taken = [trace for trace in range(50) if in_sample(UUID(int=trace), 0.3)]
    assert sorted(UUID(run_id).int for run_id in loopback.run_ids()) == [
        1000 * number + trace for number in (1, 2, 3) for trace in taken
    ]


def test_feedback_calls_a_run_back_that_was_excluded(loopback: LoopbackLabelStudio) -> None:
    done = run(
        f"""
        from langchain_label_studio import masks
        from langchain_label_studio.selectors import low_rating
        handler = make(sample_rate=0, select=low_rating(), mask=masks.defaults)
        first, second, third = ids = [uuid.uuid4() for _ in range(3)]
        for run_id in ids:
            handler.on_llm_start({{}}, ["I am {SECRET}"], run_id=run_id)
            handler.on_llm_end(LLMResult(generations=[[Generation(text="Hello")]]), run_id=run_id)
        assert handler.stats().submitted == 0
        handler.feedback(first, score=1)
        handler.feedback(second, score=0, comment="Not what {SECRET} asked")
        assert handler.flush(30)
        stats = handler.stats()
        assert (stats.submitted, stats.excluded) == (1, {{"sample_rate=0": 2}}), stats
        print(second)
        """,
        loopback.url,
    )

    assert done.returncode == 0, done.stderr
    assert loopback.run_ids() == done.stdout.split()
    assert not [path for path, content in everything_on_disk().items() if SECRET.encode() in content]
    assert SECRET not in repr(loopback.tasks)
