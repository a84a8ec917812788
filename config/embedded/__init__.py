"""The whole service in one process: web server, worker lanes and beat as threads."""
