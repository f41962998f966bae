"""Tasks: what Label Studio gets of a run. Begin with `build.build_task`."""
