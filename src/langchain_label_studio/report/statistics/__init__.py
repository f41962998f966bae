"""The numbers of a report. Begin with `quality.assess` and `bootstrap.estimate`."""
