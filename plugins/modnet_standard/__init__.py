"""The standard components of modnet, one file each, registered through entry points like anyone's.

Import them from ``modnet.layers``, ``modnet.activations``, ``modnet.losses``, ``modnet.optimizers``, …
"""
