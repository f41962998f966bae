"""What the library costs and how fast it delivers, measured in one run beside its peers: `tests/benchmarks/run`."""
