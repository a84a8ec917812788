"""What pages say when an engine does not answer."""

NO_STORE = "The event store does not answer, so this page cannot be shown. Next: try again in a moment."
NO_READ_MODEL = "The read model does not answer, so names and documents are missing here. The events are safe."
