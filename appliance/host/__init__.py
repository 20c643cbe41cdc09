"""What a process on this machine needs, above the edges: listeners, addresses, certificates, the service manager, the data directory, the control socket."""
