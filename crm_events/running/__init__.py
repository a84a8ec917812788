"""Long pieces of work: claimed, advanced page by page, shared among workers in slices, watched in the terminal."""
