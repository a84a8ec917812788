"""What Prometheus may read: figures from the database, right for all processes at once, and durations of this one."""
