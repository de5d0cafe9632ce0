"""Every Poe bot behind the APIs that clients already speak."""

__version__ = "0.1.0"
