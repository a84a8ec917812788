"""What the read side does: project streams, rebuild, replay, answer queries."""
