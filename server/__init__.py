"""The map of the house. Start here.

A plot's data comes in at a *door* (`api`, `dashboard`, `worker`), goes up the *staircase* (`steps`, one
transaction each) and is kept by the *store*. What thinks lives in *rooms* that reach neither the store nor the
network: `validation`, `photos`, `demo`, and outside this package `forms` (what is asked) and `sync` (how it
travels). The *ground* is `forest`, `problems` and `settings`: nouns, refusals, knobs.

Reads go door -> store. Writes go door -> step -> store. ARCHITECTURE.md walks one plot through the house;
import-linter keeps the floors.
"""

__version__ = "0.1.0"
