"""What the service needs from the outside, one short file each. Adapters are named in settings."""
