"""Read models and broadcasters; settings name the ones to use."""
