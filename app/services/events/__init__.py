"""Events: read off the stream, made regular, stored and counted, a batch a transaction."""
