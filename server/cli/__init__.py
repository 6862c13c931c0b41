"""The commands of `yangdi`, a file for each group. `server.__main__` knows their names and imports one when called.

A command reads arguments, calls a step or a room, and prints; it decides nothing.
"""
