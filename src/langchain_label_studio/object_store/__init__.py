"""Object storage: S3, Google Cloud Storage, Azure, or a directory. Begin with `store.ObjectStore`.

It knows neither LangChain nor Label Studio.
"""
