"""The relay: it brings what a fleet of workers handed over to object storage to Label Studio. Begin with `relay.Relay`."""
