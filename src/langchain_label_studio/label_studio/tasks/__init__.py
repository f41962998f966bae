"""The tasks that Label Studio gets for runs. Begin with `build.encode_task`."""
