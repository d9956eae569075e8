"""Mails: what they say, how they are made, sent, and answered."""
