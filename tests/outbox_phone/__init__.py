"""A phone of ours, in Python: an outbox on disk, and the wire of sync/PROTOCOL.md over real sockets.

It keeps what it was given until the server has said that it is safe, and can be killed at any moment. It knows the
protocol only: nothing of the server's insides.
"""
