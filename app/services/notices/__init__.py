"""Who is told, why, and the proof: notices planned, verdicts written down, explained and foretold."""
