"""The numbers of a report. Begin with `quality` and `bootstrap`."""
