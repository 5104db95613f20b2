"""Without Numba there is nothing to test here; its absence is no failure."""

from importlib.util import find_spec

collect_ignore_glob = ["modnet_numba/*"] if find_spec("numba") is None else []
