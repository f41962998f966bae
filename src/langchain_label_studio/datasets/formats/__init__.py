"""Examples as rows of one format each: what it cannot hold, it refuses."""
