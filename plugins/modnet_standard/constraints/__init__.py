"""Standard constraints; ``modnet.constraints`` re-exports them."""
