"""Standard initializers; ``modnet.initializers`` re-exports them."""
