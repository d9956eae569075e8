"""Alert rules: shaped by people, run for every event, tried on the past, and silenced."""
