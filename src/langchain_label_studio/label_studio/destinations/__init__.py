"""Destinations: where a sender's records go. Begin with `runs.ProjectDestination`."""
