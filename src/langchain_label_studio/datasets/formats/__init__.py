"""The formats of rows, a module for each trainer. A format refuses examples that it cannot hold."""
