"""What the field does to a server, done to it on purpose. `make torture` does it at length, the tests here in short."""
