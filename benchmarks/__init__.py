"""How fast the target is, compared with a floor, the SDK and its peers: `python -m benchmarks`.

Not part of the package.
"""
