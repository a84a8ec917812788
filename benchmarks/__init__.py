"""Speed measured side by side, in one process run, as ratios against what the engine can do at best."""
