"""All SQL, and nothing else: a module for each noun, a verb for each query.

Functions take a SQLAlchemy connection and plain values and give plain values. They neither open nor end a
transaction (`db` does, for the door or step that asks) and never read the clock: `at` is handed in.
"""
