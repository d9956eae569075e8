"""What people chose about their notifications: read, changed, taken back."""
