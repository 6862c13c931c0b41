"""The staircase: what happens to a record, one file and one transaction for each step.

A step never calls another. It promises the next one in the jobs table in the same transaction, so a crash loses
nothing, and it replaces what it made before, so it may run twice. Steps that a worker runs come in two halves:
`look` reads and thinks without holding the pen, `write` writes what was thought in one short transaction.
"""
