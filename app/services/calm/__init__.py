"""What keeps the noise down: windows in which messages wait and come together."""
