"""Which task reviewers get first: `resolve_priority` for a run, `task_place` for its task."""
