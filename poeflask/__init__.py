"""Every Poe bot behind the APIs that clients already speak."""
