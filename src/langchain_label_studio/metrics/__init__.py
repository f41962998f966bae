"""The numbers of this process, as OpenTelemetry metrics: `instruments` has their names, and what they count.

There is nothing to call. As soon as the application loads OpenTelemetry's SDK, its `MeterProvider` has the instruments. A
process without the SDK loads nothing of OpenTelemetry.
"""
