"""What can be said on the command line besides `serve` and `simulate`. Each returns the exit code."""
