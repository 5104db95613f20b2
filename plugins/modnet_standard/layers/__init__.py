"""Standard layers; ``modnet.layers`` re-exports them."""
