"""Standard optimizers; ``modnet.optimizers`` re-exports them."""
