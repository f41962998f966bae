"""Label Studio: its projects, its tasks, and the way of runs into them."""
