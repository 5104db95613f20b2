"""Standard inputs; ``modnet.inputs`` re-exports them."""
