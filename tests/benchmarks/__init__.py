"""modnet against its peers: ``python tests/benchmarks/run.py`` measures, and writes a table and a picture."""
