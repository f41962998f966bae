"""Recording: LangChain's events become finished runs. Begin with `recorder.Recorder`."""
