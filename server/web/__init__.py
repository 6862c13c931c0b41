"""What the web doors share: who is calling, one connection a request, how a problem is told."""
