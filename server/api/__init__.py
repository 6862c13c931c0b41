"""The doors for programs: OpenRosa for phones, JSON for everything else. A handler reads, calls a step, answers."""
