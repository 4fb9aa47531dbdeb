// Reading host folders without following links.
