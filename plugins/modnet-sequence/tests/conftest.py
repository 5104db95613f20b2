"""What is no test here: the script that times layers, which needs PyTorch."""

collect_ignore = ["time_layers.py"]
