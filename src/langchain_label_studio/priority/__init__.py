"""The order in which tasks are reviewed: `resolve_priority` makes the rule that rates runs, `task_place` places their tasks."""
